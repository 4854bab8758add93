"""Parameters of actions: read, checked and named the way their kind's model says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import AliasChoices, ValidationError

from core_lib.execute.action import Action
from core_lib.execute.kinds import find_kind
from core_lib.framework.errors import SchemaError
from core_lib.framework.models import Message

_MARKS = ("{{", "{%")


def build_params(kind: type[Action[Any]], spec: Mapping[str, Any], *, where: str | None = None) -> Message:
    """The parameters of a kind from a spec. Raises SchemaError that lists every fault."""
    try:
        return kind.Params.model_validate(spec)
    except ValidationError as error:
        raise _schema_error(kind, error.errors(), where) from None


def validate_spec(
    kind: str | type[Action[Any]], spec: Mapping[str, Any], *, allow_runtime: bool = False, where: str | None = None
) -> dict[str, Any]:
    """The spec with its keys in PascalCase, after a check against the kind's model.

    With `allow_runtime`, a string with an expression in it may stand wherever something else is expected: it becomes what it is
    only when the run reaches the action, and is checked again then. Raises UnknownKindError, SchemaError.
    """
    found = find_kind(kind) if isinstance(kind, str) else kind
    try:
        found.Params.model_validate(spec)
    except ValidationError as error:
        faults = error.errors()
        if allow_runtime:
            faults = [fault for fault in faults if not _is_expression(fault.get("input"))]
        if faults:
            raise _schema_error(found, faults, where) from None
    names = _wire_names(found.Params)
    return {names.get(key, key): value for key, value in spec.items()}


def json_schema(kind: str | type[Action[Any]]) -> dict[str, Any]:
    """JSON Schema of a kind's parameters."""
    found = find_kind(kind) if isinstance(kind, str) else kind
    return found.Params.model_json_schema(by_alias=True)


@cache
def _wire_names(model: type[Message]) -> dict[str, str]:
    """The one name of each parameter in messages, by all names that it may have."""
    names: dict[str, str] = {}
    for name, field in model.model_fields.items():
        wire = str(field.serialization_alias or field.alias or name)
        others = field.validation_alias.choices if isinstance(field.validation_alias, AliasChoices) else []
        names |= {str(each): wire for each in (name, *others)}
    return names


def _is_expression(value: Any) -> bool:
    return isinstance(value, str) and any(mark in value for mark in _MARKS)


def _schema_error(kind: type[Action[Any]], faults: Iterable[Mapping[str, Any]], where: str | None) -> SchemaError:
    known = sorted(set(_wire_names(kind.Params).values()))
    lines = []
    for fault in faults:
        path = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            near = get_close_matches(str(fault["loc"][-1]), known, n=1, cutoff=0.5)
            lines.append(f"unknown key {path!r}" + (f", did you mean {near[0]!r}?" if near else ""))
        elif fault["type"] == "missing":
            lines.append(f"{path!r} is missing")
        else:
            lines.append(f"{path!r}: {str(fault['msg']).removeprefix('Value error, ')}")
    return SchemaError(f"{kind.kind}: {'; '.join(lines)}", where=where, hint=f"keys of {kind.kind}: {', '.join(known) or 'none'}")
