"""From a document to a message: every fault of the document in one error, each with its line, key path and advice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel, ValidationError
from pydantic_core import ErrorDetails

from core_lib.framework.codecs.document import Document
from core_lib.framework.codecs.nearest import nearest, spelling
from core_lib.framework.codecs.nodes import Path
from core_lib.framework.codecs.tags import cfn_to_plain
from core_lib.framework.errors import SchemaError

M = TypeVar("M", bound=BaseModel)

_MISSING: Any = object()
_MOST_FAULTS = 20
_LONGEST_KEY = 80
_SECRET = re.compile(r"password|passwd|secret|token|credential|private_?key", re.IGNORECASE)
_KINDS = {str: "text", bool: "a boolean", int: "a whole number", float: "a number", list: "a list", dict: "a map"}
_WANTED = {
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a map",
    "model_type": "must be a map",
    "model_attributes_type": "must be a map",
    "time_delta_parsing": "must be a duration such as PT30M (ISO 8601) or a number of seconds",
    "time_delta_type": "must be a duration such as PT30M (ISO 8601) or a number of seconds",
}


def parse(model: type[M], document: Document, path: Path = (), value: Any = _MISSING) -> M:
    """The message that stands at `path` of a document; `value` replaces what was read there (after rendering).

    Keys may be PascalCase or snake_case. CloudFormation short tags arrive in their long form.

    Raises:
        SchemaError: the message lists every fault with file:line:column, key path and the nearest known key.
    """
    data = cfn_to_plain(document.value(path) if value is _MISSING else value)
    if data is None:
        raise SchemaError(f"nothing here, where {_title(model)} is expected", where=document.locate(path))
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _schema_error(model, document, path, data, error) from error


def _schema_error(model: type[BaseModel], document: Document, path: Path, data: Any, error: ValidationError) -> SchemaError:
    faults: dict[Path, list[str]] = {}
    for detail in error.errors(include_url=False):
        place = _real_path(detail["loc"], data)
        messages = faults.setdefault(place, [])
        message = _describe(model, place, detail)
        if message not in messages:
            messages.append(message)
    lines = [(document.locate(path + place), _dotted(path + place), " or ".join(found)) for place, found in faults.items()]
    lines.sort(key=lambda line: [int(part) if part.isdigit() else 0 for part in line[0].split(":")])
    if len(lines) == 1:
        where, dotted, message = lines[0]
        return SchemaError(f"{dotted}: {message}" if dotted else message, where=where)
    listed = "".join(f"\n  {where}: {dotted}: {message}" for where, dotted, message in lines[:_MOST_FAULTS])
    more = f"\n  and {len(lines) - _MOST_FAULTS} more" if len(lines) > _MOST_FAULTS else ""
    return SchemaError(f"{len(lines)} faults:{listed}{more}", where=document.source)


def _real_path(loc: tuple[int | str, ...], data: Any) -> Path:
    """`loc` without the steps that pydantic adds for unions; a last step that is missing in the data stays."""
    steps: list[int | str] = []
    value = data
    for position, step in enumerate(loc):
        if isinstance(value, Mapping):
            if step in value:
                value = value[step]
            elif position < len(loc) - 1 or step == "[key]":
                continue
            steps.append(step)
        elif isinstance(value, (list, tuple)) and isinstance(step, int) and step < len(value):
            value = value[step]
            steps.append(step)
    return tuple(steps)


def _dotted(path: Path) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step[:_LONGEST_KEY]}" for step in path)
    return text.removeprefix(".")


def _describe(model: type[BaseModel], place: Path, detail: ErrorDetails) -> str:
    kind, given = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return _unknown_key(model, place)
    if kind == "missing":
        return "is missing"
    context = detail.get("ctx", {})
    if kind in ("value_error", "assertion_error"):
        return str(context.get("error", detail["msg"]))
    shown = _shown(place, given)
    if kind in ("literal_error", "enum"):
        allowed = [part.strip("'") for part in re.split(r", | or ", str(context.get("expected", "")))]
        close = nearest(str(given), allowed) if isinstance(given, str) else None
        return f"must be one of {', '.join(allowed)}, not {shown}" + (f"; did you mean {close}?" if close else "")
    if kind == "string_pattern_mismatch":
        return f"must match {context.get('pattern')}, not {shown}"
    wanted = _WANTED.get(kind) or detail["msg"].replace("Input should", "should")
    advice = "; put it in quotes" if kind == "string_type" and isinstance(given, (int, float)) else ""
    return f"{wanted}, not {shown}{advice}"


def _shown(place: Path, given: Any) -> str:
    kind = next((text for cls, text in _KINDS.items() if type(given) is cls), type(given).__name__)
    if given is None:
        return "null"
    if isinstance(given, (list, dict)) or any(isinstance(step, str) and _SECRET.search(step) for step in place):
        return kind
    return f"{kind} ({given!r:.60})"


def _unknown_key(model: type[BaseModel], place: Path) -> str:
    key = str(place[-1]) if place else ""
    known: dict[str, str] = {}
    for owner in _models_at(model, place[:-1]):
        known |= _keys(owner)
    same = known.get(spelling(key))
    if same is not None:
        return "is given twice: another key here means the same"
    close = nearest(key, known.values())
    if close:
        return f"unknown key; did you mean {close}?"
    return f"unknown key; known are {', '.join(sorted(set(known.values())))}"


def _names(name: str, alias: Any, validation_alias: Any) -> Iterator[int | str]:
    choices = validation_alias.choices if isinstance(validation_alias, AliasChoices) else (validation_alias,)
    yield from (choice for choice in (*choices, alias) if isinstance(choice, str))
    yield name


def _keys(model: type[BaseModel]) -> dict[str, str]:
    """Spelling -> preferred key, for every key that a model accepts."""
    keys: dict[str, str] = {}
    for name, field in model.model_fields.items():
        for choice in map(str, _names(name, field.alias, field.validation_alias)):
            keys.setdefault(spelling(choice), choice)
    return keys


def _models_at(model: type[BaseModel], place: Path) -> list[type[BaseModel]]:
    """The models that may stand at `place`: more than one where the field is a union."""
    kinds: list[Any] = [model]
    for step in place:
        kinds = [inner for kind in kinds for inner in _step(kind, step)]
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]


def _step(kind: Any, step: int | str) -> list[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            if step in _names(name, field.alias, field.validation_alias):
                return _alternatives(field.annotation)
        return []
    arguments = get_args(kind)
    if not arguments:
        return []
    element = arguments[-1] if arguments[-1] is not Ellipsis else arguments[0]
    return _alternatives(element)


def _alternatives(annotation: Any) -> list[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [inner for part in get_args(annotation) for inner in _alternatives(part)]
    return [annotation]


def _title(model: type[BaseModel]) -> str:
    return model.__name__
