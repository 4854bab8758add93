"""JSON Schema of the properties of CloudFormation resources, as editors want it: names, kinds of value, words, descriptions.

It says what the compile checks (`definitions.shapes`) and no more, so that nothing is marked that would compile. Each part of a
resource becomes one definition, wherever it is used.
"""

from __future__ import annotations

import re
from typing import Any

from core_lib.component.definitions import LIST, MAP, SCALAR, Shape, shape_of

Schema = dict[str, Any]

FUNCTION: Schema = {"$ref": "#/$defs/Function"}
EXPRESSION: Schema = {"$ref": "#/$defs/Expression"}
_LONGEST_DESCRIPTION = 300
_LONGEST_NAME = 60


def value(schema: Schema) -> Schema:
    """A schema, or a function or an expression in its place."""
    return {"anyOf": [schema, FUNCTION, EXPRESSION]}


def described(schema: Schema, text: Any) -> Schema:
    """The schema with a description, if there is one."""
    words = " ".join(str(text).split()) if text else ""
    if not words:
        return schema
    shown = words if len(words) <= _LONGEST_DESCRIPTION else f"{words[:_LONGEST_DESCRIPTION].rsplit(' ', 1)[0]} ..."
    return {**schema, "description": shown}


class PropertySchemas:
    """Makes schemas of shapes, and gathers their definitions."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}
        self._names: dict[tuple[str, tuple[int, ...]], str] = {}

    def properties_of(self, resource: str) -> dict[str, Schema] | None:
        """The schemas of the properties that a user may write; None when CloudFormation has no such resource."""
        shape = shape_of(resource)
        if shape is None:
            return None
        return {name: self._described(shape, name, resource) for name in sorted(shape.writable)}

    def _described(self, shape: Shape, name: str, resource: str) -> Schema:
        below = shape.below(name)
        return described(self._part(below, name, resource), below.description)

    def _part(self, shape: Shape, name: str, resource: str) -> Schema:
        """The schema of a part; that of a map or list is a definition of its own, since it may contain itself."""
        if not shape.kinds & {MAP, LIST}:
            return _scalar(shape)
        key = (resource, shape.identity)
        known = self._names.get(key)
        if known is None:
            known = self._names[key] = self._free_name(f"{resource.replace('::', '.')}.{name[:_LONGEST_NAME]}")
            self.definitions[known] = {}
            self.definitions[known] = self._whole(shape, name, resource)
        return {"$ref": f"#/$defs/{known}"}

    def _free_name(self, wanted: str) -> str:
        name, count = wanted, 1
        while name in self.definitions:
            count += 1
            name = f"{wanted}.{count}"
        return name

    def _whole(self, shape: Shape, name: str, resource: str) -> Schema:
        choices: list[Schema] = []
        if MAP in shape.kinds:
            choices.append(self._map(shape, resource))
        if LIST in shape.kinds:
            choices.append({"type": "array", "items": self._part(shape.item, name, resource)})
        if SCALAR in shape.kinds:
            choices.append(_scalar(shape))
        return {"anyOf": [*choices, FUNCTION, EXPRESSION]}

    def _map(self, shape: Shape, resource: str) -> Schema:
        schema: Schema = {"type": "object"}
        if shape.names:
            schema["properties"] = {name: self._described(shape, name, resource) for name in sorted(shape.names)}
        patterns = {pattern: self._part(below, "entry", resource) for pattern, below in shape.patterns()}
        known = {pattern: part for pattern, part in patterns.items() if _is_plain(pattern)}
        if known:
            schema["patternProperties"] = known
        if len(known) == len(patterns) and not shape.is_open:
            schema["patternProperties"] = {"^Fn::": {}, **known}
            schema["additionalProperties"] = False
        return schema


def _is_plain(pattern: str) -> bool:
    """Whether every tool understands a regular expression: some of CloudFormation's are Java's."""
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _scalar(shape: Shape) -> Schema:
    """A single value. Whether it is written as a number or as text is all the same to CloudFormation."""
    if SCALAR not in shape.kinds:
        return {}
    if shape.words is not None:
        others = [word for word in dict.fromkeys(shape.raw_words) if not isinstance(word, str)]
        return value({"enum": [*shape.words, *others]})
    names = [name for name in ("boolean", "integer", "number") if name in shape.scalars or "string" in shape.scalars]
    return {"anyOf": [{"type": [*names, "string"]}, FUNCTION]}
