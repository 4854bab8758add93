"""Conditions of rules, compiled once.

A condition is a map of paths and tests; all of them must hold:

    StorageEncrypted: true                      equal to
    Engine: [mysql, mariadb]                    one of
    KmsKeyId: {present: true}                   written, also as a CloudFormation function
    Statement[*]: {some: {Effect: Deny}}        at least one; without `some` every one (none is fine)
    any: [...]   all: [...]   not: {...}        of conditions
    beside: {type: T, refers: Path, holds: {}}  a resource of type T in the template refers to this one, and holds

Tests: equals, in, matches, present, absent, at-least, at-most, some, every, any, all, not, beside.

What a condition gives is evidence: for it, against it, none (a value that CloudFormation computes) or both (an `Fn::If` with
two different arms). A requirement is broken by evidence against it, a ban by evidence for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core_lib.component.guard.paths import RESOURCE, Place, Route, found, route
from core_lib.component.guard.patterns import Pattern
from core_lib.component.guard.values import ABSENT, alternatives, is_function, is_whole, known_text, plain, refers
from core_lib.framework.codecs import nearest

FOR, AGAINST = 1, 2
Evidence = int
"""Bits: FOR, AGAINST, both, or 0 for none."""


@dataclass(frozen=True)
class Scope:
    """The resource that is looked at, in its template."""

    logical_id: str
    resource: Mapping[str, Any]
    by_type: Mapping[str, list[tuple[str, Mapping[str, Any]]]]
    parameters: Mapping[str, Any]
    looked_up: dict[Route, list[tuple[Place, Any]]] = field(default_factory=dict)
    """What the rules' paths lead to; many rules look at the same."""


Test = Callable[[Any, Scope], Evidence]


@dataclass(frozen=True)
class Condition:
    """A compiled condition: `test` weighs a value, `blame` finds the place below it that gives this evidence."""

    test: Test
    blame: Callable[[Any, Scope, Evidence], Place]


def inverted(evidence: Evidence) -> Evidence:
    """The evidence for the opposite."""
    return (evidence & FOR) << 1 | (evidence & AGAINST) >> 1


def every(parts: Iterable[Evidence]) -> Evidence:
    """Evidence for all of them together."""
    result = FOR
    for part in parts:
        result = (result & part & FOR) | ((result | part) & AGAINST)
        if result == AGAINST:
            break
    return result


def some(parts: Iterable[Evidence]) -> Evidence:
    """Evidence for at least one of them."""
    return inverted(every(inverted(part) for part in parts))


def compile_condition(written: Any) -> Condition:
    """A condition as it is written in a rule.

    Raises:
        ValueError: it cannot be understood; says which part.
    """
    if isinstance(written, Mapping):
        if not written:
            raise ValueError("a condition is empty")
        if "some" in written and len(written) > 1:
            raise ValueError("some stands alone; put the rest into it, or use all")
        parts = [_part(key, value) for key, value in written.items()]
        return parts[0] if len(parts) == 1 else _together(parts)
    if isinstance(written, list):
        return _leaf(_one_of(written))
    if written is None or plain(written) is None:
        raise ValueError("null is no condition; use {absent: true}")
    return _leaf(_one_of([written]))


def _part(key: str, value: Any) -> Condition:
    maker = _TESTS.get(key)
    if maker is not None:
        return maker(value)
    if re.match(r"[a-z-]+\Z", key):
        near = nearest(key, _TESTS)
        advice = f"did you mean {near}?" if near else f"tests are {', '.join(_TESTS)}"
        raise ValueError(f'{key!r} is no test; {advice} (a property of this name is written "{key}" with quotes in the key)')
    return _at(route(key), compile_condition(value))


def _together(parts: list[Condition]) -> Condition:
    tests = [part.test for part in parts]
    return Condition(lambda value, scope: every(test(value, scope) for test in tests), _first_guilty(parts))


def _first_guilty(parts: list[Condition]) -> Callable[[Any, Scope, Evidence], Place]:
    def blame(value: Any, scope: Scope, evidence: Evidence) -> Place:
        guilty = (part for part in parts if part.test(value, scope) & evidence)
        return next((part.blame(value, scope, evidence) for part in guilty), ())

    return blame


def _leaf(test: Test) -> Condition:
    return Condition(test, lambda _value, _scope, _evidence: ())


def _at(path: Route, inner: Condition) -> Condition:
    """Everything that the path leads to passes `inner`."""
    test_inner = inner.test
    if path.logical_id:
        return _leaf(lambda _value, scope: test_inner(scope.logical_id, scope))
    start: Place = (RESOURCE,) if path.from_resource else ()
    steps, is_some = path.steps, getattr(inner, "is_some", False)

    def values(value: Any, scope: Scope) -> Iterable[tuple[Place, Any]]:
        return found(scope.resource if path.from_resource else value, steps, scope.parameters)

    def test(value: Any, scope: Scope) -> Evidence:
        found_there = (test_inner(each, scope) for _, each in values(value, scope))
        return some(found_there) if is_some else every(found_there)

    def plain_test(value: Any, scope: Scope) -> Evidence:
        here = scope.resource if path.from_resource else value
        for step in steps:
            if is_function(here):
                return test(value, scope)
            here = here.get(step, ABSENT) if isinstance(here, dict) else ABSENT
        return test_inner(here, scope)

    def blame(value: Any, scope: Scope, evidence: Evidence) -> Place:
        for place, each in values(value, scope):
            if test_inner(each, scope) & evidence:
                below = inner.blame(each, scope, evidence)
                return below if below[:1] == (RESOURCE,) else (*start, *place, *below)
        return ()

    return Condition(plain_test if path.is_plain else test, blame)


@dataclass(frozen=True)
class _Some(Condition):
    """At least one of the values that a path leads to."""

    is_some: bool = True


def _some(written: Any) -> Condition:
    inner = compile_condition(written)
    return _Some(inner.test, inner.blame)


def _all(written: Any) -> Condition:
    return _together(_conditions(written))


def _any(written: Any) -> Condition:
    parts = _conditions(written)
    tests = [part.test for part in parts]
    return Condition(lambda value, scope: some(test(value, scope) for test in tests), _first_guilty(parts))


def _not(written: Any) -> Condition:
    inner = compile_condition(written)
    return Condition(
        lambda value, scope: inverted(inner.test(value, scope)),
        lambda value, scope, evidence: inner.blame(value, scope, inverted(evidence)),
    )


def _conditions(written: Any) -> list[Condition]:
    if not isinstance(written, list) or not written:
        raise ValueError("any and all take a list of conditions")
    return [compile_condition(item) for item in written]


def _of_alternatives(test: Callable[[Any], Evidence]) -> Test:
    """The test of a value that may be several: evidence of each of them counts."""

    def weigh(value: Any, scope: Scope) -> Evidence:
        if not is_function(value):
            return test(value)
        evidence = 0
        for each in alternatives(value, scope.parameters):
            evidence |= test(each)
        return evidence

    return weigh


def _one_of(wanted: list[Any]) -> Test:
    known = {plain(item) for item in wanted}
    if None in known:
        raise ValueError("a value to compare with must be text, a number or a boolean")

    def test(value: Any) -> Evidence:
        if is_function(value):
            return (FOR if known_text(value) in known else AGAINST) if is_whole(value) else 0
        return FOR if plain(value) in known else AGAINST

    return _of_alternatives(test)


def _in(written: Any) -> Condition:
    if not isinstance(written, list):
        raise ValueError("in takes a list")
    return _leaf(_one_of(written))


def _matches(written: Any) -> Condition:
    if not isinstance(written, str):
        raise ValueError("matches takes a regular expression")
    pattern = Pattern([written])

    def test(value: Any) -> Evidence:
        text = known_text(value) if is_function(value) else plain(value)
        if text is not None and pattern.search(text):
            return FOR
        return 0 if is_function(value) and not is_whole(value) else AGAINST

    return _leaf(_of_alternatives(test))


def _present(written: Any) -> Condition:
    if not isinstance(written, bool):
        raise ValueError("present and absent are true or false")
    there, away = (FOR, AGAINST) if written else (AGAINST, FOR)
    return _leaf(_of_alternatives(lambda value: away if value is ABSENT or value is None or value == "" else there))


def _absent(written: Any) -> Condition:
    return _not({"present": written})


def _bound(written: Any, sign: int) -> Condition:
    if isinstance(written, bool) or not isinstance(written, (int, float)):
        raise ValueError("at-least and at-most take a number")

    def test(value: Any) -> Evidence:
        if is_function(value):
            return 0
        try:
            number = float(plain(value) or "")
        except ValueError:
            return AGAINST
        return FOR if sign * number >= sign * written else AGAINST

    return _leaf(_of_alternatives(test))


def _beside(written: Any) -> Condition:
    if not isinstance(written, Mapping) or set(written) - {"type", "refers", "holds"} or not {"type", "refers"} <= set(written):
        raise ValueError("beside takes {type, refers, holds}")
    kind, path = written["type"], route(written["refers"])
    holds = compile_condition(written["holds"]).test if "holds" in written else None

    def test(_value: Any, scope: Scope) -> Evidence:
        evidence = []
        for logical_id, resource in scope.by_type.get(kind, ()):
            properties = resource.get("Properties") or {}
            if any(refers(each, scope.logical_id) for _, each in found(properties, path.steps, {})):
                there = Scope(logical_id, resource, scope.by_type, scope.parameters)
                evidence.append(holds(properties, there) if holds else FOR)
        return some(evidence)

    return _leaf(test)


_TESTS: dict[str, Callable[[Any], Condition]] = {
    "equals": lambda written: _leaf(_one_of([written])),
    "in": _in,
    "matches": _matches,
    "present": _present,
    "absent": _absent,
    "at-least": lambda written: _bound(written, 1),
    "at-most": lambda written: _bound(written, -1),
    "some": _some,
    "every": compile_condition,
    "any": _any,
    "all": _all,
    "not": _not,
    "beside": _beside,
}
