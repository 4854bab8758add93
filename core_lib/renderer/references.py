"""What a text refers to, found out from its syntax tree without running it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.meta import find_undeclared_variables

from core_lib.renderer.transform import RUNTIME_ROOTS

_GUARDS = frozenset(("default", "d"))
_GUARDING_TESTS = frozenset(("defined", "undefined"))


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A run-time reference: `outputs.hub.TopicArn` has kind `outputs`, label `hub`, attribute `TopicArn`; `vars.x` has none."""

    kind: Literal["outputs", "vars"]
    label: str
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """A compile-time name that a text uses, with the keys that are written after it; `guarded` if it may be missing."""

    path: tuple[str | int, ...]
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class Uses:
    """Everything a text refers to. `filters` are the names of the filters it applies."""

    runtime: tuple[Reference, ...]
    names: tuple[Use, ...]
    filters: frozenset[str]


def find_uses(template: nodes.Template, known: frozenset[str]) -> Uses:
    """All references of a text, without the names in `known`.

    Raises:
        TemplateSyntaxError: `outputs` or `vars` is used in a way whose label cannot be told before the run.
    """
    wanted = _undeclared(template) - known
    runtime: dict[Reference, None] = {}
    names: dict[Use, None] = {}
    for path, guarded, line in _chains(template, False):
        root = path[0]
        if root in RUNTIME_ROOTS:
            runtime[_reference(path, line)] = None
        elif root in wanted:
            names[Use(path, guarded)] = None
    filters = frozenset(node.name for node in template.find_all(nodes.Filter))
    if runtime:
        _refuse_dashes(template)
    return Uses(tuple(runtime), tuple(names), filters)


def uses_of_chains(chains: Sequence[tuple[str, ...]], known: frozenset[str]) -> Uses | None:
    """What a text refers to that is nothing but these chains of names; None when the engine has to look at it."""
    if any(chain[0] in known or (chain[0] in RUNTIME_ROOTS and len(chain) < 2) for chain in chains):
        return None
    runtime = {_reference(chain, 1): None for chain in chains if chain[0] in RUNTIME_ROOTS}
    names = {Use(chain): None for chain in chains if chain[0] not in RUNTIME_ROOTS}
    return Uses(tuple(runtime), tuple(names), frozenset())


def _undeclared(template: nodes.Template) -> set[str]:
    """Names that come from outside. Without statements nothing is declared inside, and the slow walk through scopes is spared."""
    if all(isinstance(node, nodes.Output) for node in template.body):
        return {name.name for name in template.find_all(nodes.Name) if name.ctx == "load"}
    return find_undeclared_variables(template)


def _reference(path: tuple[str | int, ...], line: int) -> Reference:
    if path[0] == "vars":
        if len(path) < 2:
            raise TemplateSyntaxError("'vars' needs the name of a variable written after it, e.g. vars.release", line)
        return Reference("vars", str(path[1]))
    if len(path) < 2:
        raise TemplateSyntaxError("'outputs' needs the name of an action written after it, e.g. outputs.net.VpcId", line)
    return Reference("outputs", str(path[1]), str(path[2]) if len(path) > 2 else None)


def _chains(node: nodes.Node, guarded: bool) -> Iterator[tuple[tuple[str | int, ...], bool, int]]:
    """Every name that is read, with the constant keys behind it."""
    chain = _chain(node)
    if chain is not None:
        yield chain, guarded, getattr(node, "lineno", 1)
        return
    protects = (isinstance(node, nodes.Filter) and node.name in _GUARDS) or (
        isinstance(node, nodes.Test) and node.name in _GUARDING_TESTS
    )
    for child in node.iter_child_nodes():
        yield from _chains(child, guarded or (protects and child is getattr(node, "node", None)))


def _chain(node: nodes.Node) -> tuple[str | int, ...] | None:
    steps: list[str | int] = []
    while True:
        if isinstance(node, nodes.Getattr):
            steps.append(node.attr)
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, (str, int)):
            steps.append(node.arg.value)
        elif isinstance(node, nodes.Name) and node.ctx == "load":
            return (node.name, *reversed(steps))
        else:
            return None
        node = node.node


def _refuse_dashes(template: nodes.Template) -> None:
    """`outputs.my-hub.X` would be a subtraction: say what was meant."""
    for node in template.find_all(nodes.Sub):
        left, right = _chain(node.left), _chain(node.right)
        if left is not None and right is not None and left[0] == "outputs" and len(left) == 2:
            label = f"{left[1]}-{right[0]}"
            raise TemplateSyntaxError(f"a name with a dash is written in brackets: outputs['{label}']", node.lineno)
