"""Options: values that a type brings a JSON Schema for, with its defaults filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from jsonschema.exceptions import ValidationError

from core_lib.component.definitions.json_rules import LONGEST, JsonRules, is_function
from core_lib.component.definitions.keys import kind_of, shown
from core_lib.component.library import ComponentType
from core_lib.framework.codecs import Path, nearest

ANYTHING = "*"
_KINDS = {
    "string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false", "array": "a list",
    "object": "a map", "null": "nothing",
}  # fmt: skip


class OptionRules:
    """The JSON Schemas of some options by name; with `*` among the names, others are allowed too."""

    def __init__(self, schemas: Mapping[str, Any], source: str) -> None:
        """Compile.

        Raises:
            SchemaError: one of them is no JSON Schema.
        """
        self.names = tuple(name for name in schemas if name != ANYTHING)
        self.is_open = ANYTHING in schemas
        """Whether names that are not listed are taken too."""
        self._schemas = schemas
        known = {"type": "object", "properties": {name: schemas[name] for name in self.names}}
        self._rules = JsonRules(known, source) if self.names else None

    def faults(self, values: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
        """What is wrong with these values: the path of the value, and the words for it.

        Raises:
            SchemaError: a schema cannot be applied.
        """
        if not self.is_open:
            for name in values:
                if name not in self._schemas:
                    yield (name,), f"unknown option {shown(name)}{self._advice(name)}"
        if self._rules is not None and any(name in values for name in self.names):
            for error in self._rules.errors(values):
                yield tuple(error.absolute_path), _in_words(error)

    def _advice(self, name: str) -> str:
        close = nearest(name, self.names)
        if close:
            return f"; did you mean {close}?"
        return f"; known are {', '.join(self.names)}" if self.names else "; there are none"

    def filled_in(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values with the schemas' defaults for those that are not there."""
        filled = dict(values)
        for name in self.names:
            schema = self._schemas[name]
            if not isinstance(schema, Mapping):
                continue
            if name not in filled and "default" in schema:
                filled[name] = schema["default"]
            elif isinstance(filled.get(name), Mapping) and isinstance(schema.get("properties"), Mapping):
                filled[name] = _with_defaults(filled[name], schema["properties"])
        return filled


_KNOWN: WeakKeyDictionary[ComponentType, dict[str, OptionRules]] = WeakKeyDictionary()


def rules_of(type_: ComponentType, key: str = "") -> OptionRules:
    """The rules of a type's Options, or of the Extra properties of one key of its Configuration; compiled once.

    Raises:
        SchemaError: the type brings something that is no JSON Schema.
    """
    known = _KNOWN.setdefault(type_, {})
    if key not in known:
        known[key] = OptionRules(type_.file.configuration[key].extra if key else type_.options, type_.source)
    return known[key]


def _with_defaults(value: Mapping[str, Any], properties: Mapping[str, Any]) -> Mapping[str, Any]:
    if is_function(value):
        return value
    defaults = {name: part["default"] for name, part in properties.items() if isinstance(part, Mapping) and "default" in part}
    return {**defaults, **value}


def _in_words(error: ValidationError) -> str:
    value, rule = error.instance, error.validator
    if rule == "type":
        wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        return f"must be {' or '.join(_KINDS.get(kind, str(kind)) for kind in wanted)}, not {kind_of(value)}"
    if rule == "enum":
        words = [str(word) for word in error.validator_value]
        return f"must be one of {', '.join(words)}, not {shown(value)}{_near(value, words)}"
    if rule == "additionalProperties" and isinstance(error.schema, Mapping):
        key = str(error.message).partition("'")[2].rpartition("'")[0]
        return f"{error.message}{_near(key, error.schema.get('properties', {}))}"
    if rule == "required":
        return str(error.message)[:LONGEST].replace(" is a required property", " is missing")
    return str(error.message)[:LONGEST]


def _near(value: Any, known: Any) -> str:
    close = nearest(value, [name for name in known if isinstance(name, str)]) if isinstance(value, str) else None
    return f"; did you mean {close}?" if close else ""
