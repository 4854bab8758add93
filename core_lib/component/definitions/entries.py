"""Entries: the resources of a component's Configuration, held against the rules of its type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from core_lib.component.definitions.faults import Place
from core_lib.component.definitions.grants import read_grants
from core_lib.component.definitions.keys import Keys, kind_of, shown
from core_lib.component.definitions.shapes import shape_of
from core_lib.component.library import ComponentType, EntryRule
from core_lib.component.model import Entry
from core_lib.framework.codecs import Path, nearest

POLICIES: Mapping[str, tuple[str, ...] | None] = {
    "CreationPolicy": None,
    "UpdatePolicy": None,
    "DeletionPolicy": ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot"),
    "UpdateReplacePolicy": ("Delete", "Retain", "Snapshot"),
}
"""Attributes of a CloudFormation resource: None stands for a map, else the words that they may be."""

SECURITY, LINK, AGENTS = "Pipeline::Security", "Pipeline::Link", "Pipeline::Agents"
KEYS = Keys(("Properties", "Metadata", *POLICIES, SECURITY, LINK, AGENTS))

Check = Callable[[ComponentType, str, Entry, Place], Mapping[str, Any]]
"""Looks at the Properties of an entry and gives them back with defaults; takes the type, the name of the entry's rule, the entry,
and the component's place."""


class EntryReader:
    """Reads the entries of components; `check` looks at their Properties."""

    def __init__(self, check: Check) -> None:
        self._check = check

    def read(self, type_: ComponentType, data: Any, path: Path, place: Place) -> dict[str, Entry]:
        """The entries of one component by key; those that cannot be read are left out."""
        if data is not None and not isinstance(data, Mapping):
            place.fault(path, f"Configuration must be a map, not {kind_of(data)}")
            return {}
        entries: dict[str, Entry] = {}
        counts: Counter[str] = Counter()
        for key, value, where in _written(type_, data or {}, path):
            found = type_.rule_of(key)
            if found is None:
                place.fault(where, f"{type_.name} has no {shown(key)} in its Configuration", _advice(type_, key))
                continue
            rule_name, rule = found
            counts[rule_name] += 1
            entry = self._entry(key, rule, value, where, place)
            if entry is not None:
                _check_agents(type_, entry, place)
                entries[key] = replace(entry, properties=self._check(type_, rule_name, entry, place))
        for message in _miscounted(type_, counts):
            place.fault(path, message)
        return entries

    def _entry(self, key: str, rule: EntryRule, value: Any, path: Path, place: Place) -> Entry | None:
        if rule.plain and not isinstance(value, Mapping):
            return Entry(key=key, rule=rule, path=path, properties={"Value": value})
        if value is not None and not isinstance(value, Mapping):
            place.fault(path, f"{key} must be a map with Properties, not {kind_of(value)}")
            return None
        parts = dict(value or {})
        beside = {name: parts.pop(name) for name in rule.beside if name in parts}
        written, unknown = KEYS.sorted_out(parts)
        for name, message in unknown:
            place.fault((*path, name), f"{key}: {message}", _moved_hint(name, rule))

        def part(name: str) -> dict[str, Any]:
            spelled, content = written.get(name, (name, None))
            if content is None:
                return {}
            if not isinstance(content, Mapping):
                place.fault((*path, spelled), f"{key}: {name} must be a map, not {kind_of(content)}")
                return {}
            return dict(content)

        properties = {**part("Properties"), **beside}
        grants = [(written[SECURITY], path)] if SECURITY in written else []
        if rule.direct and SECURITY in properties:
            grants.append(((SECURITY, properties.pop(SECURITY)), (*path, "Properties")))
        policies: dict[str, Any] = {}
        for name, words in POLICIES.items():
            if words is None:
                policies |= {name: content} if (content := part(name)) else {}
            elif name in written:
                spelled, content = written[name]
                if content not in words:
                    place.fault((*path, spelled), f"{key}: {name} must be one of {', '.join(words)}, not {shown(content)}")
                policies[name] = content
        return Entry(
            key=key,
            rule=rule,
            path=path,
            properties=properties,
            metadata=part("Metadata"),
            policies=policies,
            grants=tuple(grant for item, where in grants for grant in read_grants(key, rule, item, where, place)),
            links=part(LINK),
            agents=part(AGENTS),
        )


def _written(type_: ComponentType, data: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Any, Path]]:
    """What stands in a Configuration: key, value, and the value's path."""
    direct = type_.direct_key
    if direct is not None and "Properties" in data and not any(type_.rule_of(key) for key in data):
        yield direct, data, path
        return
    for key, value in data.items():
        yield key, value, (*path, key)


def _check_agents(type_: ComponentType, entry: Entry, place: Place) -> None:
    for name in entry.agents if type_.agents else ():
        if name not in type_.agents:
            close = nearest(name, type_.agents)
            advice = f"did you mean {close}?" if close else f"known are {', '.join(type_.agents)}"
            place.fault((*entry.path, AGENTS, name), f"{entry.key}: there is no agent {shown(name)}", advice)


def _moved_hint(name: str, rule: EntryRule) -> str | None:
    """For a property that stands beside Properties."""
    shape = shape_of(rule.resource) if rule.resource else None
    return "write it under Properties" if shape is not None and name in shape.names else None


def _advice(type_: ComponentType, key: str) -> str:
    close = nearest(key, type_.single_keys)
    if close:
        return f"did you mean {close}?"
    tails = {pattern[1:]: pattern for pattern in type_.patterns}
    ends = nearest(key, tails) or next((tail for tail in tails if nearest(key[-len(tail) :], [tail])), None)
    if ends:
        return f"did you mean a name that ends in {ends}?"
    return f"known are {', '.join((*type_.single_keys, *type_.patterns))}"


def _miscounted(type_: ComponentType, counts: Counter[str]) -> Iterator[str]:
    for name, rule in type_.file.configuration.items():
        least, most = rule.bounds
        count = counts[name]
        what = f"keys that end in {name[1:]}" if name.startswith("*") else name
        if count < least:
            yield f"{what} is missing in the Configuration" if most == 1 else f"{type_.name} needs at least {least} {what}"
        elif count > most:
            yield f"{count} {what}, where {type_.name} takes at most {most}"
