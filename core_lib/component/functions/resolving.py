"""Walking through a component and replacing its functions. Trees without any are handed on as they are, not copied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core_lib.component.definitions import Faults, kind_of, shown
from core_lib.component.functions.environment import Environment
from core_lib.component.functions.function import PREFIX, Call, Gathered
from core_lib.component.functions.registry import FUNCTIONS, REFUSED
from core_lib.component.model import Component, Entry
from core_lib.framework.codecs import Path, nearest
from core_lib.framework.errors import CoreError, SchemaError

_PARTS = (("properties", "Properties"), ("metadata", "Metadata"), ("agents", "Pipeline::Agents"))
_LINK = "Pipeline::Link"
_OUTPUT = f"{PREFIX}GetOutput"


@dataclass(frozen=True)
class Resolved:
    """A component without functions.

    `copies`: object keys, with the files (by their path below the folder of files) that are to be uploaded there as well.
    """

    component: Component
    copies: Mapping[str, str]


def resolve_functions(component: Component, environment: Environment, faults: Faults | None = None) -> Resolved:
    """The component with every `Fn::Pipeline::*` replaced; its `depends_on` has the components whose outputs it uses too.

    Args:
        component: as it was written.
        environment: shared by all components.
        faults: takes what is wrong, to be told with that of other components.

    Raises:
        CoreError: all that is wrong, each with file, line and column; unless `faults` takes it.
    """
    walk = _Walk(component, environment, Faults(component.name) if faults is None else faults)
    entries = {key: walk.entry(entry) for key, entry in component.entries.items()}
    options = walk.resolved(component.options, ("Options",))
    if faults is None:
        walk.faults.tell()
    depends_on = tuple(dict.fromkeys((*component.depends_on, *walk.gathered.depends_on)))
    found = replace(component, entries=entries, options=options, depends_on=depends_on)
    return Resolved(found, walk.gathered.copies)


class _Walk:
    """One component on its way."""

    def __init__(self, component: Component, environment: Environment, faults: Faults) -> None:
        self._component = component
        self._environment = environment
        self.gathered = Gathered()
        self.faults = faults
        self._failures = 0

    def entry(self, entry: Entry) -> Entry:
        """The entry without functions; itself when it has none."""
        changes: dict[str, Any] = {}
        for attribute, key in _PARTS:
            value = getattr(entry, attribute)
            found = self.resolved(value, (*entry.path, key))
            if found is not value:
                changes[attribute] = found
        policies = self.resolved(entry.policies, entry.path)
        if policies is not entry.policies:
            changes["policies"] = policies
        if entry.links:
            changes["links"] = {name: self._link(value, (*entry.path, _LINK, name)) for name, value in entry.links.items()}
        return replace(entry, **changes) if changes else entry

    def _link(self, value: Any, path: Path) -> Any:
        """What a link stands for: the output of a component, or whatever a function or text gives."""
        if isinstance(value, Mapping) and "Component" in value:
            return self._called(_OUTPUT, value, path, path)
        if isinstance(value, Mapping) and len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref")):
            return self.resolved(value, path)
        if isinstance(value, (Mapping, list)) or value is None:
            self._fault(f"a link is {{Component, OutputName}} or text, not {kind_of(value)}", path)
            return ""
        return value

    def resolved(self, value: Any, path: Path) -> Any:
        """The tree without functions; the very same when it has none."""
        if isinstance(value, Mapping):
            return self._map(value, path)
        if isinstance(value, (list, tuple)):
            return self._list(value, path)
        return value

    def _map(self, value: Mapping[str, Any], path: Path) -> Any:
        changes: dict[str, Any] = {}
        for key, item in value.items():
            if key.startswith(PREFIX):
                if len(value) > 1:
                    self._fault(f"{shown(key)} must be the only key of its map", (*path, key))
                    return value
                return self._nested(key, item, path)
            if isinstance(item, (Mapping, list, tuple)):
                found = self.resolved(item, (*path, key))
                if found is not item:
                    changes[key] = found
        return {**value, **changes} if changes else value

    def _nested(self, key: str, given: Any, path: Path) -> Any:
        """The function of a map, after those in its arguments; it is not called when one of these fails."""
        failures = self._failures
        arguments = self.resolved(given, (*path, key))
        return self._called(key, arguments, path, (*path, key)) if failures == self._failures else None

    def _list(self, value: list[Any] | tuple[Any, ...], path: Path) -> Any:
        """The items; a function that gives a list gives its items."""
        made: list[Any] = []
        changed = False
        for index, item in enumerate(value):
            found = self.resolved(item, (*path, index))
            changed = changed or found is not item
            if isinstance(found, list) and not isinstance(item, (list, tuple)):
                made.extend(found)
            else:
                made.append(found)
        return made if changed else value

    def _called(self, key: str, given: Any, path: Path, place: Path) -> Any:
        name = key.removeprefix(PREFIX)
        function = FUNCTIONS.get(name)
        if function is None:
            self._unknown(name, place)
            return None
        try:
            return function.value(Call(function, given, self._component, path, self._environment, self.gathered))
        except CoreError as error:
            self._failures += 1
            self.faults.add(error.where or self._component.locate(place), error.message, error.hint, type(error))
            return None

    def _unknown(self, name: str, place: Path) -> None:
        if name in REFUSED:
            message, hint = REFUSED[name]
            self._fault(f"{PREFIX}{name}: {message}", place, hint)
            return
        near = nearest(name, FUNCTIONS)
        hint = f"did you mean {PREFIX}{near}?" if near else f"known: {', '.join(sorted(FUNCTIONS))}"
        self._fault(f"there is no function {shown(PREFIX + name)}", place, hint)

    def _fault(self, message: str, path: Path, hint: str | None = None) -> None:
        self._failures += 1
        self.faults.add(self._component.locate(path), f"{self._component.name}: {message}", hint, SchemaError)
