"""Spellings of the reference system: `label`, `type`, `params`, `Metadata.Name`, accounts and regions inside the spec.

What they promised is kept: an entry written for the reference system reads as if it were written our way. What does not change is
where errors point: every key remembers how and where it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic.alias_generators import to_pascal

from core_lib.framework.errors import SchemaError

Path = tuple[str | int, ...]

_SNAKE = re.compile(r"^[a-z][a-z0-9_]*$")
_SPEC_KEYS = ("Spec", "spec", "Params", "params")
_KIND_KEYS = ("Kind", "kind", "Type", "type")
_METADATA_KEYS = ("Metadata", "metadata")
_NAME_KEYS = ("Name", "name", "Label", "label")
_SYNONYMS = {"StackParameters": "Parameters", "TimeoutInMinutes": "TimeoutMinutes"}
_PLACES = {"Account": "Accounts", "Accounts": "Accounts", "Region": "Regions", "Regions": "Regions"}
_REFUSED = {
    "TemplateUrl": "put the template into the package and name it: Template: network/vpc.yaml",
    "TemplateBody": "put the template into a file of the package and name it: Template: network/vpc.yaml",
    "TemplateURL": "put the template into the package and name it: Template: network/vpc.yaml",
}


@dataclass(frozen=True)
class Part:
    """A part of an entry and its path within it."""

    data: Any
    path: Path


@dataclass(frozen=True)
class Translated:
    """An entry in our spelling: the frame without spec, targets and parameters, and those three on their own."""

    frame: Mapping[str, Any]
    spec: Mapping[str, Any]
    written: Mapping[str, Path]
    kind_path: Path
    targets: Part | None
    parameters: Part | None


def translate(entry: Mapping[str, Any]) -> Translated:
    """Read an entry in any accepted spelling.

    Raises:
        SchemaError: a thing is written twice in two spellings, or in a way that this system does not take.
    """
    frame = dict(entry)
    spec_key = _only(entry, _SPEC_KEYS)
    spec: dict[str, Any] = {}
    written: dict[str, Path] = {"": (spec_key,) if spec_key else ()}
    targets = _take(frame, "Targets")
    if spec_key is not None and isinstance(entry[spec_key], dict):
        del frame[spec_key]
        spec, places = _spec(entry[spec_key], spec_key, written)
        targets = _legacy_targets(targets, places, spec_key)
    elif spec_key is not None:
        frame["Spec"] = frame.pop(spec_key) if frame[spec_key] is not None else {}
    _name_from_metadata(frame)
    kind_key = next((key for key in _KIND_KEYS if key in entry), None)
    return Translated(frame, spec, written, (kind_key,) if kind_key else (), targets, _take(frame, "Parameters"))


def _only(entry: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    found = [key for key in keys if key in entry]
    if len(found) > 1:
        raise SchemaError(f"{' and '.join(repr(key) for key in found)} mean the same", hint="keep one of them")
    return found[0] if found else None


def _take(frame: dict[str, Any], name: str) -> Part | None:
    key = _only(frame, (name, name.lower()))
    if key is None:
        return None
    data = frame.pop(key)
    return Part(data, (key,)) if data is not None else None


def _spec(data: Mapping[str, Any], spec_key: str, written: dict[str, Path]) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    spec: dict[str, Any] = {}
    places: dict[str, list[Any]] = {}
    for key, value in data.items():
        name = to_pascal(key) if _SNAKE.match(key) else key
        if name in _REFUSED:
            raise SchemaError(f"{key!r} is not taken here", hint=_REFUSED[name])
        if name in _PLACES:
            items = value if isinstance(value, list) else [value]
            known = places.setdefault(_PLACES[name], [])
            known.extend(item for item in items if item not in known)
            continue
        name = _SYNONYMS.get(name, name)
        if name in spec:
            raise SchemaError(f"{key!r} and {written[name][-1]!r} mean the same", hint="keep one of them")
        spec[name] = value
        written[name] = (spec_key, key)
    return spec, places


def _legacy_targets(targets: Part | None, places: Mapping[str, list[Any]], spec_key: str) -> Part | None:
    if not places:
        return targets
    if targets is not None:
        raise SchemaError("accounts and regions are in 'Targets' and in the spec", hint="keep them in 'Targets'")
    return Part(dict(places), (spec_key,))


def _name_from_metadata(frame: dict[str, Any]) -> None:
    key = _only(frame, _METADATA_KEYS)
    if key is None:
        return
    metadata = frame.pop(key)
    if not isinstance(metadata, dict) or set(metadata) - {"Name", "name"}:
        raise SchemaError(f"{key!r} holds a 'Name' and nothing else", hint="write 'Name' on the action itself")
    if metadata:
        if any(name in frame for name in _NAME_KEYS):
            raise SchemaError(f"the name is in {key!r} and on the action", hint="keep it on the action")
        frame["Name"] = next(iter(metadata.values()))
