"""From what an expression gives to plain data, and to text."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from datetime import date, datetime
from types import GeneratorType
from typing import Any

from jinja2.runtime import Undefined

from core_lib.framework.codecs import TaggedValue, to_json
from core_lib.framework.errors import RenderError
from core_lib.renderer.bounds import DEEPEST
from core_lib.renderer.limits import LIMITS
from core_lib.renderer.session import current

_VIEWS: tuple[type[Iterable[Any]], ...] = (KeysView, ValuesView, ItemsView, range, GeneratorType, map, filter, zip, reversed)


def as_text(value: Any) -> str:
    """How a value appears inside a longer text: booleans as true/false, lists and maps as JSON, null not at all.

    Raises:
        RenderError: null, or something that is not data (a function, a macro).
    """
    if isinstance(value, str):
        text = str(value)
    elif isinstance(value, Undefined):
        text = str(value)  # raises, with the name
    elif value is None:
        raise RenderError("null cannot stand inside a text", hint="give it a default, e.g. {{ Name | default('', true) }}")
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, (int, float)):
        text = str(value)
    else:
        text = to_json(as_plain(value), sort_keys=False) if not isinstance(value, (date, datetime)) else value.isoformat()
    current().made(len(text))
    return text


def as_plain(value: Any) -> Any:
    """The value as dicts with text keys, lists and scalars; a copy, so that nothing is shared with the context.

    Raises:
        RenderError: something that is not data, too much of it, or nested too deeply.
    """
    return _plain(value, 0, [0])


def _plain(value: Any, depth: int, count: list[int]) -> Any:
    count[0] += 1
    if count[0] > LIMITS.values:
        raise RenderError(f"gives more than {LIMITS.values} values")
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Undefined):
        return str(value)  # raises, with the name
    if depth > DEEPEST:
        raise RenderError(f"gives data nested deeper than {DEEPEST} levels")
    if isinstance(value, Mapping):
        return {str(key): _plain(item, depth + 1, count) for key, item in value.items()}
    if isinstance(value, (list, tuple)) or isinstance(value, _VIEWS):  # noqa: SIM101  (one tuple confuses the type checker)
        return [_plain(item, depth + 1, count) for item in value]
    if isinstance(value, TaggedValue):
        return TaggedValue(value.tag, _plain(value.value, depth + 1, count))
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise RenderError(f"gives a value of type {type(value).__name__}, which is not data")


def as_items(value: Any) -> Iterator[Any]:
    """The items of a list-like value, bounded."""
    for count, item in enumerate(value):
        if count >= LIMITS.values:
            raise RenderError(f"a list of more than {LIMITS.values} values")
        yield item
