"""Options: what a type's own JSON Schema allows, with its defaults filled in.

A CloudFormation function (`Ref`, `Fn::...`, `Fn::Pipeline::...`) may stand wherever a value may, so no rule looks at one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError as NoSchemaError
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from core_lib.component.definitions.keys import kind_of, shown
from core_lib.framework.codecs import Path, nearest
from core_lib.framework.errors import SchemaError

ANYTHING = "*"
_LONGEST = 200
Rule = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


def is_function(value: Any) -> bool:
    """Whether a value is a function of CloudFormation or of ours, which stands for something not known yet."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return False
    key = next(iter(value))
    return isinstance(key, str) and (key == "Ref" or key.startswith("Fn::"))


def _sparing(rule: Rule) -> Rule:
    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if not is_function(instance):
            yield from rule(validator, value, instance, schema) or ()

    return check


_Validator: Any = extend(Draft202012Validator, {name: _sparing(rule) for name, rule in Draft202012Validator.VALIDATORS.items()})


class OptionRules:
    """The JSON Schemas of some options by name; with `*` among the names, others are allowed too."""

    def __init__(self, schemas: Mapping[str, Any], source: str) -> None:
        """Compile.

        Raises:
            SchemaError: one of them is no JSON Schema.
        """
        self.names = tuple(name for name in schemas if name != ANYTHING)
        self._schemas = schemas
        self.is_open = ANYTHING in schemas
        """Whether names that are not listed are taken too."""
        whole = {"type": "object", "properties": {name: schemas[name] for name in self.names}}
        try:
            _Validator.check_schema(whole)
        except NoSchemaError as error:
            raise SchemaError(f"not a JSON Schema: {error.message[:_LONGEST]}", where=source) from error
        self._validator = _Validator(whole)

    def faults(self, values: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
        """What is wrong with these values: the path of the value, and the words for it."""
        if not self.is_open:
            for name in values:
                if name not in self._schemas:
                    yield (name,), f"unknown option {shown(name)}{self._advice(name)}"
        for error in self._validator.iter_errors(values):
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
    if rule == "additionalProperties" and isinstance(value, Mapping):
        known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
        unknown = [str(key) for key in value if key not in known]
        return f"unknown key {shown(unknown[0])}{_near(unknown[0], known)}" if unknown else "has an unknown key"
    if rule == "required":
        return str(error.message)[:_LONGEST].replace(" is a required property", " is missing")
    return str(error.message)[:_LONGEST]


def _near(value: Any, known: Any) -> str:
    close = nearest(value, [name for name in known if isinstance(name, str)]) if isinstance(value, str) else None
    return f"; did you mean {close}?" if close else ""


_KINDS = {
    "string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false", "array": "a list",
    "object": "a map", "null": "nothing",
}  # fmt: skip
