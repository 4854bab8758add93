"""Properties: those of an entry, held against the rule of its type and against CloudFormation's own schema of the resource."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from core_lib.component.definitions.faults import Place
from core_lib.component.definitions.json_rules import is_function
from core_lib.component.definitions.keys import dotted, kind_of, shown
from core_lib.component.definitions.options import OptionRules, rules_of
from core_lib.component.definitions.shapes import LIST, MAP, SCALAR, Shape, as_word, shape_of
from core_lib.component.library import ComponentType, EntryRule
from core_lib.component.model import Entry
from core_lib.deployspec import CompileWarning
from core_lib.framework.codecs import Path, nearest

_MOST_LISTED = 10
_MOST_WARNINGS = 500

Finding = tuple[Path, str]


class PropertyCheck:
    """Checks the Properties of entries. What is wrong fails the compile when it is `enforced`, else it is a warning."""

    def __init__(self, *, enforced: bool) -> None:
        self._enforced = enforced
        self.warnings: list[CompileWarning] = []

    def __call__(self, type_: ComponentType, rule_name: str, entry: Entry, place: Place) -> Mapping[str, Any]:
        """The properties, with the defaults of the type's own ones."""
        rule, values, path = entry.rule, entry.properties, (*entry.path, "Properties")
        for name, why in rule.refused.items():
            if _is_written(values, name.split(".")):
                place.fault((*path, *name.split(".")), f"{entry.key}: {name} cannot be set: {why}")
        extra = rules_of(type_, rule_name)
        if len(self.warnings) >= _MOST_WARNINGS:
            return extra.filled_in(values)
        for below, message in _findings(rule, extra, values):
            self._found((*path, *below), f"{entry.key}{dotted(below)}: {message}", place)
        return extra.filled_in(values) if values else values

    def _found(self, path: Path, message: str, place: Place) -> None:
        if self._enforced:
            place.fault(path, message)
        else:
            self.warnings.append(CompileWarning(place.locate(path), f"{place.component}: {message}"))


def _findings(rule: EntryRule, extra: OptionRules, values: Mapping[str, Any]) -> Iterator[Finding]:
    own = {name: value for name, value in values.items() if name in extra.names}
    yield from extra.faults(own)
    if rule.loose:
        return
    shape = shape_of(rule.resource) if rule.resource else None
    for name, value in values.items():
        if name in own or name in rule.refused:
            continue
        if shape is not None and shape.takes(name):
            if name in shape.read_only:
                yield (name,), f"is made by AWS, it cannot be set on {rule.resource}"
            else:
                yield from _below(shape.below(name), value, (name,))
        elif not extra.is_open and (shape is not None or rule.resource is None):
            known = (*(shape.writable if shape else ()), *extra.names)
            yield (name,), f"there is no such property{f' of {rule.resource}' if rule.resource else ''}{_advice(name, known)}"


def _below(shape: Shape, value: Any, path: Path) -> Iterator[Finding]:
    if is_function(value):
        return
    if value is None:
        yield path, "has no value"
        return
    kind = MAP if isinstance(value, Mapping) else LIST if isinstance(value, (list, tuple)) else SCALAR
    if shape.kinds and kind not in shape.kinds:
        yield path, f"must be {' or '.join(sorted(shape.kinds))}, not {kind_of(value)}"
    elif isinstance(value, Mapping):
        yield from _entries(shape, value, path)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _below(shape.item, item, (*path, index))
    elif shape.words is not None and as_word(value) not in shape.words:
        close = nearest(as_word(value), shape.words)
        advice = f"did you mean {close}?" if close else f"one of {', '.join(shape.words[:_MOST_LISTED])}"
        yield path, f"{shown(value)} is not a value of it; {advice}"


def _entries(shape: Shape, value: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    for name, item in value.items():
        if shape.takes(name):
            yield from _below(shape.below(name), item, (*path, name))
        elif not name.startswith("Fn::"):
            yield (*path, name), _no_such(name, shape)


def _no_such(name: str, shape: Shape) -> str:
    """What is wrong with a name that is not taken: it is not known, or does not fit what names have to look like."""
    patterns = [pattern for pattern, _ in shape.patterns()]
    if patterns and not shape.names:
        return f"a name here must fit {' or '.join(patterns)}"
    return f"there is no such property{_advice(name, shape.names)}"


def _advice(name: str, known: Iterable[str]) -> str:
    names = list(known)
    close = nearest(name, names)
    if close:
        return f"; did you mean {close}?"
    more = ", ..." if len(names) > _MOST_LISTED else ""
    return f"; known are {', '.join(sorted(names)[:_MOST_LISTED])}{more}" if names else ""


def _is_written(values: Any, steps: list[str]) -> bool:
    for step in steps:
        if not isinstance(values, Mapping) or step not in values:
            return False
        values = values[step]
    return True
