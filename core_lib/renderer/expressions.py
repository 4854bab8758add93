"""One text with expressions, compiled once and rendered as often as wanted.

Most texts of a deployspec hold no expression at all, and most of the others are names and dots between literal text. Both are
done without the template engine, which is what keeps ten thousand targets cheap.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.environment import Template
from jinja2.exceptions import SecurityError, TemplateSyntaxError

from core_lib.framework.codecs import nearest
from core_lib.framework.errors import CoreError, RenderError
from core_lib.renderer import bounds
from core_lib.renderer.filters import CONTEXT_FILTERS, FILTERS, charged
from core_lib.renderer.plain import as_plain, as_text
from core_lib.renderer.quick import take_apart
from core_lib.renderer.references import Uses, find_uses, uses_of_chains
from core_lib.renderer.sandbox import Sandbox
from core_lib.renderer.undefined import Unknown, UnknownNameError, explain

_DYNAMIC_REFERENCE = re.compile(r"\{\{\s*resolve:[^{}]*\}\}")
_NO_FILTER = re.compile(r"No filter named '(?P<name>[^']{1,80})'")
_TOO_MANY_DIGITS = "set_int_max_str_digits"
_RESULT = "the_one_value"
_LONGEST_SHOWN = 120
_NO_USES = Uses((), (), frozenset())

FindUses = Callable[[nodes.Template, frozenset[str]], Uses]


def _sandbox() -> Sandbox:
    sandbox = Sandbox()
    sandbox.filters = dict(FILTERS)
    return sandbox


SANDBOX = _sandbox()
GLOBALS = frozenset(SANDBOX.globals)


def add_filters(filters: Mapping[str, Callable[..., Any]]) -> None:
    """Give every expression these filters too: pure functions that take and give plain data, of bounded size and time."""
    SANDBOX.filters.update({name: charged(function) for name, function in filters.items()})


class _Chain:
    """`a.b.c`: a name with keys behind it."""

    __slots__ = ("keys", "name")

    def __init__(self, name: str, keys: tuple[str, ...]) -> None:
        self.name = name
        self.keys = keys

    def value(self, context: Mapping[str, Any]) -> Any:
        try:
            value = context[self.name]
        except KeyError:
            raise UnknownNameError(self.name, None, f"{self.name!r} is unknown") from None
        for key in self.keys:
            value = SANDBOX.getattr(value, key)
        return value


class Expression:
    """A compiled text. `native` if it is one expression and nothing else, so that its value keeps its type."""

    __slots__ = ("_pieces", "_template", "native", "text", "uses")

    def __init__(self, text: str, find: FindUses = find_uses) -> None:
        self.text = text
        self._pieces: tuple[str | _Chain, ...] | None
        self._template: Template | None = None
        quick = take_apart(text)
        uses = uses_of_chains([piece for piece in quick if isinstance(piece, tuple)], GLOBALS) if quick else None
        if quick is not None and uses is not None:
            self.uses: Uses = uses
            self._pieces = tuple(piece if isinstance(piece, str) else _Chain(piece[0], piece[1:]) for piece in quick)
            self.native = len(quick) == 1 and not isinstance(quick[0], str)
        else:
            self._compile(text, find)

    def _compile(self, text: str, find: FindUses) -> None:
        tree = SANDBOX.parse(without_dynamic_references(text))
        self.uses = find(tree, GLOBALS)
        output = tree.body[0] if len(tree.body) == 1 and isinstance(tree.body[0], nodes.Output) else None
        self.native = output is not None and len(output.nodes) == 1 and not isinstance(output.nodes[0], nodes.TemplateData)
        self._pieces = _pieces(output) if output is not None else None
        self._template = None if self._pieces is not None else self._compiled(tree, output)

    def _compiled(self, tree: nodes.Template, output: nodes.Output | None) -> Template:
        if self.native and output is not None:
            name = nodes.Name(_RESULT, "store", lineno=1)
            tree = nodes.Template([nodes.Assign(name, output.nodes[0], lineno=1)], lineno=1)
            tree.set_environment(SANDBOX)
        return SANDBOX.from_string(tree)

    def value(self, context: Mapping[str, Any]) -> Any:
        """The value in a context that includes the sandbox's globals (see `full_context`); only inside a session."""
        if self._pieces is not None:
            if self.native:
                chain = self._pieces[0]
                return as_plain(chain.value(context)) if isinstance(chain, _Chain) else chain
            text = "".join([piece if isinstance(piece, str) else as_text(piece.value(context)) for piece in self._pieces])
            bounds.check_length(len(text))
            return text
        return self._run(context)

    def _run(self, context: Mapping[str, Any]) -> Any:
        template = self._template
        if template is None:
            raise RenderError("an expression without a template")
        state = template.new_context(dict(context) if not isinstance(context, dict) else context, shared=True)
        parts: list[str] = []
        length = 0
        for part in template.root_render_func(state):
            length += len(part)
            bounds.check_length(length)
            parts.append(part)
        return as_plain(state.vars[_RESULT]) if self.native else "".join(parts)


def _pieces(output: nodes.Output) -> tuple[str | _Chain, ...] | None:
    pieces: list[str | _Chain] = []
    for node in output.nodes:
        if isinstance(node, nodes.TemplateData):
            pieces.append(node.data)
            continue
        keys: list[str] = []
        while isinstance(node, nodes.Getattr):
            keys.append(node.attr)
            node = node.node
        if not isinstance(node, nodes.Name):
            return None
        pieces.append(_Chain(node.name, tuple(reversed(keys))))
    return tuple(pieces)


def without_dynamic_references(text: str) -> str:
    """The text with CloudFormation's `{{resolve:...}}` protected from the template engine."""
    return text if "{% raw" in text or "{%- raw" in text else _DYNAMIC_REFERENCE.sub(r"{% raw %}\g<0>{% endraw %}", text)


def has_expression(text: str) -> bool:
    """Whether a text may hold an expression at all."""
    return "{{" in text or "{%" in text or "{#" in text


@lru_cache(maxsize=20_000)
def compile_text(text: str) -> Expression:
    """The compiled text, from a cache.

    Raises:
        RenderError: the text is not valid; without `where`.
    """
    try:
        return Expression(text)
    except Exception as error:
        raise translate(error, text, ()) from error


@lru_cache(maxsize=20_000)
def compile_now(text: str) -> Expression:
    """As `compile_text`, for a text all of which is known at compile time: `vars` is a name like any other there.

    Raises:
        RenderError: the text is not valid; without `where`.
    """
    try:
        return Expression(text, lambda _tree, _known: _NO_USES)
    except Exception as error:
        raise translate(error, text, ()) from error


def full_context(context: Mapping[str, Any]) -> dict[str, Any]:
    """The context as expressions see it: with the functions every expression may call."""
    return {**SANDBOX.globals, **context}


def translate(error: Exception, text: str, names: Any) -> RenderError:
    """Any failure of a render as a RenderError that shows the text; `names` are the known names of the context."""
    shown = text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + " ..."
    line = f" (line {error.lineno} of the text)" if isinstance(error, TemplateSyntaxError) and "\n" in text else ""
    hint: str | None = None
    if isinstance(error, CoreError):
        message, hint = error.message, error.hint
        if not isinstance(error, RenderError) and error.where:
            message = f"{error.where}: {message}"
    elif isinstance(error, UnknownNameError):
        message, hint = explain(error.name, error.owner, [name for name in names if name not in GLOBALS])
    elif isinstance(error, SecurityError):
        message = f"not allowed in an expression: {error}"
    elif isinstance(error, TemplateError):
        message, hint = str(error.message).removesuffix("."), _known_filter(str(error.message))
    elif isinstance(error, RecursionError):
        message = "nested too deeply, or a macro that calls itself without end"
    elif isinstance(error, ValueError) and _TOO_MANY_DIGITS in str(error):
        message = "a number of more digits than can be written"
    else:
        named = isinstance(error, (TypeError, ValueError, ArithmeticError)) and str(error)
        message = str(error) if named else f"{type(error).__name__}: {error}"
    return RenderError(f"{message}{line}, in {shown!r}", hint=hint)


def _known_filter(message: str) -> str | None:
    """The filter that was probably meant, where the template engine says that it has none of that name."""
    unknown = _NO_FILTER.match(message)
    if unknown is None:
        return None
    close = nearest(unknown["name"], [name for name in SANDBOX.filters if " " not in name])
    return f"did you mean {close}?" if close else "the manual lists the filters"


def check_runtime_filters(expression: Expression) -> None:
    """Raises RenderError when a run-time text applies a filter that needs the facts or files of compile time."""
    used = sorted(expression.uses.filters & CONTEXT_FILTERS)
    if used:
        shown = expression.text[:_LONGEST_SHOWN]
        raise RenderError(
            f"the filter {used[0]!r} works at compile time only: not beside 'outputs' or 'vars', in {shown!r}",
            hint="put its value into a parameter or fact of its own",
        )


__all__ = [
    "GLOBALS", "SANDBOX", "Expression", "Unknown", "add_filters", "check_runtime_filters", "compile_now", "compile_text",
    "full_context", "has_expression", "translate", "without_dynamic_references",
]  # fmt: skip
