"""The contract of a function, and a call of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from core_lib.component.definitions import Keys, kind_of, shown
from core_lib.component.functions.environment import Environment
from core_lib.component.model import Component
from core_lib.framework.codecs import Path, nearest
from core_lib.framework.errors import CompileError, ReferenceFault, SchemaError

PREFIX = "Fn::Pipeline::"
_MOST_LISTED = 10


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a function. `choices` are the only values it may have, if there are any."""

    name: str
    purpose: str
    required: bool = False
    choices: tuple[str, ...] = ()


class Function(ABC):
    """A function. A text instead of a map of arguments stands for the first of them."""

    name: ClassVar[str]
    purpose: ClassVar[str]
    arguments: ClassVar[tuple[Argument, ...]]
    example: ClassVar[Any]

    @abstractmethod
    def value(self, call: Call) -> Any:
        """What stands in its place: plain data of CloudFormation, or a wire.

        Raises:
            CoreError: with file, line and column.
        """


@dataclass
class Gathered:
    """What the functions of a component ask for beside their values.

    `copies`: object keys with the files (by their path below the folder of files) that are to lie there. `depends_on`: components
    that must be there first.
    """

    copies: dict[str, str] = field(default_factory=dict)
    depends_on: dict[str, None] = field(default_factory=dict)


class Call:
    """A function as it stands in a component, with its arguments; functions in these are resolved already."""

    def __init__(
        self, function: Function, given: Any, component: Component, path: Path, environment: Environment, gathered: Gathered
    ) -> None:
        """Look at the arguments.

        Raises:
            SchemaError: an argument is unknown, missing, or not one of its choices.
        """
        self.function = function
        self.component = component
        self.environment = environment
        self.gathered = gathered
        self.path = path
        self._given = self._read(given)

    @property
    def facts(self) -> Mapping[str, Any]:
        """The facts."""
        return self.environment.facts

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def value(self, name: str) -> Any:
        """An argument as it is; None when it is not written."""
        return self._given.get(name)

    def text(self, name: str, default: str = "") -> str:
        """An argument that must be text (or a number) at compile time.

        Raises:
            SchemaError: it is something else.
        """
        value = self._given.get(name, default)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            raise self.fault(f"{name} must be text that is known when components are compiled, not {kind_of(value)}", name)
        return value

    def flag(self, name: str, default: bool) -> bool:
        """An argument that is true or false.

        Raises:
            SchemaError: it is something else.
        """
        value = self._given.get(name, default)
        word = value.lower() if isinstance(value, str) else value
        if word in (True, "true"):
            return True
        if word in (False, "false"):
            return False
        raise self.fault(f"{name} must be true or false, not {kind_of(value)}", name)

    def fact(self, name: str, hint: str = "see: core facts PRN --explain") -> str:
        """A fact that must be there; `hint` says where it comes from.

        Raises:
            CompileError: it is not known.
        """
        value = self.facts.get(name)
        if value is None:
            raise self.fault(f"the fact {name} is not known", kind=CompileError, hint=hint)
        return str(value)

    def other(self, name: str) -> Component:
        """Another component of the package by its name.

        Raises:
            ReferenceFault: there is none; names the nearest.
        """
        found = self.environment.components.get(name)
        if found is None:
            raise self.unknown("Component", "component", name, self.environment.components, kind=ReferenceFault)
        return found

    def unknown(
        self,
        argument: str,
        what: str,
        name: str,
        known: Iterable[str],
        *,
        kind: type[CompileError] | type[SchemaError] = CompileError,
    ) -> CompileError | SchemaError:
        """The error of a name that nobody has, with the nearest that somebody has."""
        names = sorted(known)
        near = nearest(name, names)
        listed = ", ".join(names[:_MOST_LISTED]) + (", ..." if len(names) > _MOST_LISTED else "")
        hint = f"did you mean {near}?" if near else f"known: {listed or 'none'}"
        return self.fault(f"there is no {what} {shown(name)}", argument, hint=hint, kind=kind)

    def fault(
        self,
        message: str,
        argument: str | None = None,
        *,
        hint: str | None = None,
        kind: type[CompileError] | type[SchemaError] = SchemaError,
    ) -> CompileError | SchemaError:
        """An error that tells component, function and place."""
        path = (*self.path, f"{PREFIX}{self.function.name}")
        where = self.component.locate(path if argument is None else (*path, argument))
        return kind(f"{self.component.name}: {PREFIX}{self.function.name}: {message}", where=where, hint=hint)

    def _read(self, given: Any) -> dict[str, Any]:
        arguments = self.function.arguments
        if arguments and isinstance(given, (str, int)) and not isinstance(given, bool):
            given = {arguments[0].name: given}
        if given is None:
            given = {}
        if not isinstance(given, Mapping):
            raise self.fault(f"takes a map of arguments, not {kind_of(given)}", hint=self._usage())
        found, faults = _keys_of(self.function).sorted_out(given)
        for key, message in faults:
            raise self.fault(message, key)
        read = {name: value for name, (_, value) in found.items() if value is not None}
        for argument in arguments:
            if argument.name not in read:
                if argument.required:
                    raise self.fault(f"{argument.name} is missing", hint=self._usage())
            elif argument.choices and read[argument.name] not in argument.choices:
                known = ", ".join(argument.choices)
                raise self.fault(f"{shown(read[argument.name])} is no {argument.name}", argument.name, hint=f"one of {known}")
        return read

    def _usage(self) -> str:
        names = [each.name if each.required else f"[{each.name}]" for each in self.function.arguments]
        return f"it takes {', '.join(names)}" if names else "it takes no arguments"


_KEYS: dict[type[Function], Keys] = {}


def _keys_of(function: Function) -> Keys:
    found = _KEYS.get(type(function))
    if found is None:
        found = _KEYS[type(function)] = Keys(each.name for each in function.arguments)
    return found
