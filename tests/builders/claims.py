"""What a test claims about action kinds with a mark, and is held to while it runs.

`@pytest.mark.example("AWS::Kind", but=("Name",))`: the kind came to Done with its own `example`. Expressions in the example may
have any value; `but` names the parameters that the test had to replace, add or leave out, such as ids that the cloud makes.
`@pytest.mark.undo("AWS::Kind")`: its undoing came to Done. `@pytest.mark.cancel("AWS::Kind")`: it was told to stop.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from core_lib.execute import Action, ActionContext, Done, Failed, Step, build_params, find_kind, validate_spec
from core_lib.framework.models import Message

CLAIMS = ("example", "undo", "cancel")
_METHODS = ("start", "check", "undo", "cancel")


@dataclass(frozen=True)
class Seen:
    """One step that a kind took while the test ran."""

    kind: type[Action[Any]]
    method: str
    params: Message
    step: Step


@contextmanager
def held_to(marks: Iterable[pytest.Mark]) -> Iterator[None]:
    """Watch the kinds that the marks name; fails at the end when one of them did not do what is claimed."""
    claims = [(mark, name) for mark in marks if mark.name in CLAIMS for name in mark.args]
    seen: list[Seen] = []
    with pytest.MonkeyPatch.context() as patch:
        for kind in {find_kind(name) for _, name in claims}:
            for method in _METHODS:
                patch.setattr(kind, method, _watched(kind, method, seen))
        yield
    for mark, name in claims:
        _judge(mark, find_kind(name), [each for each in seen if each.kind is find_kind(name)])


def claimed(folder: Path) -> Mapping[str, frozenset[str]]:
    """The kinds that the tests below a folder claim, by name of the mark."""
    found: dict[str, set[str]] = {claim: set() for claim in CLAIMS}
    for path in folder.rglob("test_*.py"):
        text = path.read_text()
        for node in ast.walk(ast.parse(text)) if "pytest.mark." in text else ():
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="mark"), attr=claim)) if claim in found:
                    found[claim] |= {each.value for each in node.args if isinstance(each, ast.Constant)}  # type: ignore[misc]
    return {claim: frozenset(kinds) for claim, kinds in found.items()}


def _watched(kind: type[Action[Any]], method: str, seen: list[Seen]) -> Callable[..., Step]:
    original: Callable[..., Step] = getattr(kind, method)

    @wraps(original)
    def step(self: Action[Any], ctx: ActionContext[Any]) -> Step:
        taken = original(self, ctx)
        seen.append(Seen(kind, method, ctx.params, taken))
        return taken

    return step


def _judge(mark: pytest.Mark, kind: type[Action[Any]], seen: list[Seen]) -> None:
    if mark.name == "cancel":
        assert any(each.method == "cancel" and not isinstance(each.step, Failed) for each in seen), f"{kind.kind}: not cancelled"
        return
    if mark.name == "undo":
        assert any(each.method == "undo" and isinstance(each.step, Done) for each in seen), f"{kind.kind}: not undone"
        return
    done = [each.params for each in seen if each.method in ("start", "check") and isinstance(each.step, Done)]
    assert done, f"{kind.kind} did not come to Done"
    wanted = [_as_in_example(kind, params, mark.kwargs.get("but", ())) for params in done]
    assert any(params == example for params, example in zip(done, wanted, strict=True)), (
        f"{kind.kind} ran, but not with its example: {done[-1]!r} is not {wanted[-1]!r}; name what has to differ in but=(...)"
    )


def _as_in_example(kind: type[Action[Any]], params: Message, but: Iterable[str]) -> Message:
    """The parameters of the example, with the actual values where it has expressions, and for what may differ."""
    actual = params.model_dump(by_alias=True, exclude_unset=True)
    spec = _filled(validate_spec(kind, kind.example, allow_runtime=True), actual)
    for name in but:
        spec.pop(name, None)
    return build_params(kind, spec | {name: actual[name] for name in but if name in actual})


def _filled(example: Any, actual: Any) -> Any:
    if isinstance(example, str) and "{{" in example:
        return actual
    if isinstance(example, Mapping) and isinstance(actual, Mapping):
        return {key: _filled(value, actual.get(key)) for key, value in example.items()}
    if isinstance(example, list) and isinstance(actual, list | tuple) and len(example) == len(actual):
        return [_filled(one, other) for one, other in zip(example, actual, strict=True)]
    return example
