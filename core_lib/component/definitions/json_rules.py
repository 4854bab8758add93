"""JSON Schema that may come from anybody: a type of the user's own brings one.

The validator is jsonschema's, with what a hostile schema could use taken away: nothing is fetched from elsewhere, regular
expressions have a timeout, and the number of steps is bounded. A CloudFormation function may stand wherever a value may, so no
rule looks at one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import regex
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError as NoSchemaError
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from core_lib.component.definitions.keys import shown
from core_lib.framework.errors import SchemaError

LONGEST = 200
_MOST_STEPS = 100_000
_SECONDS = 0.5

Errors = Iterator[ValidationError]
Rule = Callable[[Any, Any, Any, Any], Errors | None]


class JsonRules:
    """A compiled JSON Schema. `source` names it for people."""

    def __init__(self, schema: Mapping[str, Any], source: str) -> None:
        """Compile.

        Raises:
            SchemaError: it is no JSON Schema.
        """
        self._source = source
        self._left = 0
        try:
            Draft202012Validator.check_schema(schema)
        except NoSchemaError as error:
            raise SchemaError(f"not a JSON Schema: {error.message[:LONGEST]}", where=source) from error
        rules: dict[str, Rule] = {**Draft202012Validator.VALIDATORS, **_OWN}
        kind: Any = extend(Draft202012Validator, {name: self._counted(rule) for name, rule in rules.items()})
        self._validator = kind(schema, registry=Registry())

    def errors(self, value: Any) -> Errors:
        """What is wrong with a value.

        Raises:
            SchemaError: the schema cannot be applied.
        """
        self._left = _MOST_STEPS
        try:
            yield from self._validator.iter_errors(value)
        except SchemaError as error:
            raise SchemaError(error.message, where=self._source, hint=error.hint) from error
        except RecursionError as error:
            raise SchemaError("its JSON Schema refers to itself without end", where=self._source) from error
        except Unresolvable as error:
            raise SchemaError(f"its JSON Schema refers to {shown(error.ref)}, which is not in it", where=self._source) from error

    def _counted(self, rule: Rule) -> Rule:
        def check(validator: Any, wanted: Any, value: Any, schema: Any) -> Errors:
            self._left -= 1
            if self._left < 0:
                raise SchemaError(f"its JSON Schema takes more than {_MOST_STEPS} steps")
            if not is_function(value):
                yield from rule(validator, wanted, value, schema) or ()

        return check


def is_function(value: Any) -> bool:
    """Whether a value is a function of CloudFormation or of ours, which stands for something not known yet."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return False
    key = next(iter(value))
    return isinstance(key, str) and (key == "Ref" or key.startswith("Fn::"))


def _fits(pattern: str, text: str) -> bool:
    try:
        return regex.search(pattern, text, timeout=_SECONDS) is not None
    except TimeoutError:
        raise SchemaError(f"the regular expression {shown(pattern)} takes longer than {_SECONDS:g} seconds") from None
    except regex.error as error:
        raise SchemaError(f"{shown(pattern)} is not a regular expression: {error}") from error


def _pattern(_validator: Any, pattern: Any, value: Any, _schema: Any) -> Errors:
    if isinstance(value, str) and not _fits(pattern, value):
        yield ValidationError(f"must match {shown(pattern)}, not {shown(value)}")


def _pattern_properties(validator: Any, patterns: Any, value: Any, _schema: Any) -> Errors:
    if isinstance(value, Mapping):
        for pattern, schema in patterns.items():
            for key, item in value.items():
                if _fits(pattern, key):
                    yield from validator.descend(item, schema, path=key, schema_path=pattern)


def _additional_properties(validator: Any, others: Any, value: Any, schema: Any) -> Errors:
    if not isinstance(value, Mapping):
        return
    patterns = schema.get("patternProperties", ())
    for key, item in value.items():
        if key in schema.get("properties", ()) or any(_fits(pattern, key) for pattern in patterns):
            continue
        if others is False:
            yield ValidationError(f"unknown key {shown(key)}")
        else:
            yield from validator.descend(item, others, path=key)


def _not_taken(_validator: Any, _wanted: Any, _value: Any, _schema: Any) -> None:
    raise SchemaError("its JSON Schema uses unevaluatedProperties or unevaluatedItems, which are not taken here")


_OWN: Mapping[str, Rule] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "unevaluatedProperties": _not_taken,
    "unevaluatedItems": _not_taken,
}
