"""botocore's model of an AWS API as a check of what users pass through to it, without any call."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import botocore.loaders
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

_EXPRESSION = "{{"
_STAND_INS: Mapping[str, Any] = {
    "boolean": True, "integer": 1, "long": 1, "float": 1.0, "double": 1.0, "list": [], "map": {}, "structure": {}, "timestamp": 0,
}  # fmt: skip


def input_faults(service: str, operation: str, arguments: Mapping[str, Any]) -> list[str]:
    """What is wrong with the arguments of an operation: unknown names, wrong types, missing or too short values.

    Expressions that are resolved at run time count as right.
    """
    shape = input_shape(service, operation)
    unknown = [f"unknown key {name!r}" for name in arguments if name not in shape.members]
    known = {name: _settled(value, shape.members[name]) for name, value in arguments.items() if name in shape.members}
    report = ParamValidator().validate(known, shape)
    return unknown + [line for line in report.generate_report().splitlines() if line]


def enumeration(service: str, operation: str, member: str) -> frozenset[str]:
    """The values that a member (a text, or the texts of a list) of an operation's input may have."""
    shape = input_shape(service, operation).members[member]
    return frozenset((shape.member if shape.type_name == "list" else shape).enum)


@cache
def input_shape(service: str, operation: str) -> Any:
    """The shape of an operation's input."""
    model = botocore.loaders.create_loader().load_service_model(service, "service-2")
    return ServiceModel(model, service).operation_model(operation).input_shape


def _settled(value: Any, shape: Shape) -> Any:
    """The value with stand-ins of the right type for expressions."""
    if isinstance(value, str) and _EXPRESSION in value:
        return _STAND_INS.get(shape.type_name, value)
    if isinstance(value, Mapping) and shape.type_name == "structure":
        return {name: _settled(item, shape.members[name]) if name in shape.members else item for name, item in value.items()}
    if isinstance(value, (list, tuple)) and shape.type_name == "list":
        return [_settled(item, shape.member) for item in value]
    return value
