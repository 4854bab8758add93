"""Components: what is written under a name becomes a Component, held against its type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core_lib.component.definitions.entries import EntryReader
from core_lib.component.definitions.faults import Faults, Place
from core_lib.component.definitions.keys import Keys, dotted, kind_of, shown
from core_lib.component.definitions.options import rules_of
from core_lib.component.definitions.sources import Source
from core_lib.component.definitions.variables import join
from core_lib.component.library import Catalogue, ComponentType
from core_lib.component.model import Component
from core_lib.framework.codecs import Path
from core_lib.framework.errors import CompileError

KEYS = Keys(("Type", "DependsOn", "Persist", "PersistUpdateVersion", "Options", "Configuration"))
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z")
NAME_RULE = (
    "a component's name is part of DNS names and of stack names: letters, digits and '-', at most 63, "
    "the first and the last a letter or digit"
)
_VERSION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?\Z")

Written = Mapping[str, tuple[str, Any]]
"""Entries of a map by name: the key as it was written, and the value."""


class ComponentReader:
    """Reads components of one package; what is wrong goes to `faults`."""

    def __init__(self, catalogue: Catalogue, faults: Faults, entries: EntryReader) -> None:
        self._catalogue = catalogue
        self._faults = faults
        self._entries = entries

    def read(self, name: str, value: Any, source: Source) -> Component | None:
        """The component, or None for one that is so wrong that there is nothing to hold against a type."""

        def locate(path: Path) -> str:
            return source.locate((name, *path))

        place = Place(name, locate, self._faults)
        if not NAME.match(name):
            self._faults.add(locate(()), f"{shown(name)} cannot be the name of a component", NAME_RULE)
        if not isinstance(value, Mapping):
            place.fault((), f"a component is a map with a Type, not {kind_of(value)}")
            return None
        written, unknown = KEYS.sorted_out(value)
        for key, message in unknown:
            place.fault((key,), message)
        found = self._type(written, place)
        if found is None:
            return None
        type_, preset, written_type = found
        key, configuration = written.get("Configuration", ("Configuration", None))
        return Component(
            name=name,
            type=type_,
            written_type=written_type,
            options=self._options_of(type_, preset, written, place),
            depends_on=_names(written, place),
            persist=_persist(written, place),
            persist_update_version=_version(written, place),
            entries=self._entries.read(type_, configuration, (key,), place),
            locate=locate,
        )

    def _type(self, written: Written, place: Place) -> tuple[ComponentType, Mapping[str, Any], str] | None:
        key, value = written.get("Type", ("Type", None))
        if not isinstance(value, str):
            place.fault((key,), "Type is missing" if value is None else f"Type must be text, not {kind_of(value)}")
            return None
        try:
            return (*self._catalogue.find(value), value)
        except CompileError as error:
            place.fault((key,), error.message[:200], error.hint, type(error))
            return None

    def _options_of(self, type_: ComponentType, preset: Mapping[str, Any], written: Written, place: Place) -> Mapping[str, Any]:
        key, value = written.get("Options", ("Options", None))
        if value is not None and not isinstance(value, Mapping):
            place.fault((key,), f"Options must be a map, not {kind_of(value)}")
            value = None
        options = dict(preset)
        join(options, value or {})
        rules = rules_of(type_)
        for path, message in rules.faults(options):
            place.fault((key, *path), f"Options{dotted(path)}: {message}")
        return rules.filled_in(options)


def _names(written: Written, place: Place) -> tuple[str, ...]:
    key, value = written.get("DependsOn", ("DependsOn", None))
    names = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(name, str) for name in names):
        place.fault((key,), "DependsOn must be the name of a component, or a list of names")
        return ()
    return tuple(dict.fromkeys(names))


def _persist(written: Written, place: Place) -> bool:
    key, value = written.get("Persist", ("Persist", None))
    text = value.lower() if isinstance(value, str) else value
    if text is not None and text not in (True, False, "true", "false"):
        place.fault((key,), f"Persist must be true or false, not {kind_of(value)}")
    return text is True or text == "true"


def _version(written: Written, place: Place) -> str | None:
    key, value = written.get("PersistUpdateVersion", ("PersistUpdateVersion", None))
    if value is None:
        return None
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if not _VERSION.match(text):
        place.fault((key,), f"PersistUpdateVersion must be the name of a build, not {shown(value) if text else kind_of(value)}")
        return None
    return text
