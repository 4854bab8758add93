"""What is done to the syntax tree of every text: forbidden statements are refused, loops and joins get counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from jinja2 import nodes, pass_context
from jinja2.exceptions import TemplateSyntaxError

from core_lib.framework.errors import RenderError
from core_lib.renderer import bounds
from core_lib.renderer.plain import as_text
from core_lib.renderer.session import current

COUNTED = "counted items"
JOINED = "joined text"
LITERAL = "literal text"
MEASURED = "measured value"
RUNTIME_ROOTS = frozenset(("outputs", "vars"))
_WRITES = frozenset(("store", "param"))
_FORBIDDEN = (nodes.ScopedEvalContextModifier, nodes.EvalContextModifier)


def secure(template: nodes.Template) -> nodes.Template:
    """Refuse what the sandbox does not offer, and put our counters around loops, joins and lists. Changes the tree in place."""
    for node in template.find_all(nodes.Node):
        if isinstance(node, _FORBIDDEN):
            raise TemplateSyntaxError("this statement is not available", node.lineno)
        if isinstance(node, nodes.Getattr) and node.attr.startswith("__"):
            raise TemplateSyntaxError(f"not allowed in an expression: the attribute {node.attr[:40]!r}", node.lineno)
        if isinstance(node, (nodes.Name, nodes.NSRef)) and node.name in RUNTIME_ROOTS and getattr(node, "ctx", "") in _WRITES:
            raise TemplateSyntaxError(f"{node.name!r} cannot be assigned", node.lineno)
    _rewrite(template)
    return template


def _rewrite(node: nodes.Node) -> None:
    for field, value in list(node.iter_fields()):
        if isinstance(value, nodes.Node):
            _rewrite(value)
            setattr(node, field, _replaced(value))
        elif isinstance(value, list):
            for position, item in enumerate(value):
                if isinstance(item, nodes.Node):
                    _rewrite(item)
                    value[position] = _replaced(item)


def _replaced(node: nodes.Node) -> nodes.Node:
    if isinstance(node, nodes.For):
        literal = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
        node.iter = _filter(node.iter, COUNTED, [nodes.Const(literal, lineno=node.lineno)])
        return node
    if isinstance(node, nodes.Concat):
        return _filter(nodes.List(node.nodes, lineno=node.lineno), JOINED, [])
    is_load = getattr(node, "ctx", "load") == "load"
    if isinstance(node, (nodes.List, nodes.Dict, nodes.Tuple)) and is_load and not _all_constant(node):
        return _filter(node, MEASURED, [])
    return node


def _all_constant(node: nodes.Node) -> bool:
    return all(isinstance(child, (nodes.Const, nodes.Pair)) for child in node.iter_child_nodes()) and all(
        isinstance(part, nodes.Const) for pair in node.find_all(nodes.Pair) for part in (pair.key, pair.value)
    )


def _filter(node: nodes.Node, name: str, arguments: list[nodes.Expr]) -> nodes.Filter:
    made = nodes.Filter(cast("nodes.Expr", node), name, arguments, [], None, None, lineno=node.lineno)
    if node.environment is not None:
        made.set_environment(node.environment)
    return made


def mark_literals(statements: Iterable[nodes.Node]) -> None:
    """Let every literal text tell its line to the session when it is written. Changes the statements in place.

    What is not written where it stands (macros, captured blocks) is left as it is.
    """
    for node in statements:
        if isinstance(node, nodes.Output):
            node.nodes = [_told(part) if isinstance(part, nodes.TemplateData) else part for part in node.nodes]
        elif isinstance(node, nodes.If):
            mark_literals((*node.body, *node.elif_, *node.else_))
        elif isinstance(node, nodes.With) or (isinstance(node, nodes.For) and not node.recursive):
            mark_literals((*node.body, *getattr(node, "else_", ())))


def _told(data: nodes.TemplateData) -> nodes.Filter:
    line = data.lineno
    return _filter(nodes.Const(data.data, lineno=line), LITERAL, [nodes.Const(line, lineno=line)])


@pass_context
def literal(_context: object, text: str, line: int) -> str:
    """Literal text of a whole file; notes where it stands."""
    current().line = line
    return text


def counted(items: Iterable[Any], literal: int) -> Iterator[Any]:
    """The items of a loop, each counted with the literal text its round makes."""
    if isinstance(items, str) or not hasattr(items, "__iter__"):
        if not isinstance(items, str):
            raise RenderError(f"cannot loop over a value of type {type(items).__name__}")
        items = list(items)
    session = current()

    def rounds() -> Iterator[Any]:
        for item in items:
            session.step()
            session.made(literal)
            yield item

    return rounds()


def joined(parts: list[Any]) -> str:
    """`a ~ b ~ c`, bounded."""
    texts = [as_text(part) for part in parts]
    bounds.check_length(sum(map(len, texts)))
    text = "".join(texts)
    current().made(len(text))
    return text


def measured(value: Any) -> Any:
    """A list or map that was just put together, if it is not too large."""
    bounds.size(value)
    return value
