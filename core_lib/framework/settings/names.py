"""Names of settings: the dotted ones (`aws.region`), and how unknown ones are answered with the nearest known one."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from core_lib.framework.settings.model import Settings


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    """The section model that a field of the tree holds, None for a plain value."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def fields(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """All plain values of the tree with their dotted names, in order of definition."""
    for name, field in model.model_fields.items():
        section = section_of(field)
        if section is None:
            yield prefix + name, field
        else:
            yield from fields(section, f"{prefix}{name}.")


_LONGEST_SHOWN = 80
KNOWN = tuple(name for name, _ in fields())
SECTIONS = tuple(name for name, field in Settings.model_fields.items() if section_of(field))


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted names of a nested mapping. Descends as far as the tree has sections; what lies deeper is a value."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = prefix + key
        if isinstance(value, Mapping) and name not in KNOWN:
            flat |= flatten(value, f"{name}.") if value else {}
        else:
            flat[name] = value
    return flat


def nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The opposite of `flatten`."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *sections, leaf = name.split(".")
        place = tree
        for section in sections:
            place = place.setdefault(section, {})
        place[leaf] = value
    return tree


def nearest(name: str, known: tuple[str, ...] = KNOWN) -> str | None:
    """The known name that looks most like this one, None when nothing comes close."""
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    if close:
        return close[0]
    leaf = name.rsplit(".", 1)[-1].lower()
    return next((candidate for candidate in known if candidate.rsplit(".", 1)[-1] == leaf), None)


def shown(name: str) -> str:
    """A name from outside as it may appear in a message: not longer than a line."""
    return name if len(name) <= _LONGEST_SHOWN else f"{name[:_LONGEST_SHOWN]}..."
