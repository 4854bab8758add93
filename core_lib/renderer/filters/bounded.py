"""Bounded versions of Jinja filters whose own ones can make something huge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jinja2 import pass_environment
from jinja2.environment import Environment
from jinja2.filters import do_indent, do_round, make_attrgetter

from core_lib.framework.errors import RenderError
from core_lib.renderer import bounds
from core_lib.renderer.plain import as_items, as_text

_WIDEST_BATCH = 10_000


def batch(value: Any, linecount: Any, fill_with: Any = None) -> Iterator[list[Any]]:
    """Lists of `linecount` items each; the last is filled up with `fill_with` if that is given."""
    if not isinstance(linecount, int) or not 1 <= linecount <= _WIDEST_BATCH:
        raise RenderError(f"batch takes a number from 1 to {_WIDEST_BATCH}")
    row: list[Any] = []
    for item in as_items(value):
        row.append(item)
        if len(row) == linecount:
            yield row
            row = []
    if row:
        yield row + [fill_with] * (linecount - len(row) if fill_with is not None else 0)


def center(value: Any, width: int = 80) -> str:
    """The text in the middle of `width` characters."""
    bounds.check_width(width)
    return as_text(value).center(width)


def format_percent(value: Any, *args: Any, **kwargs: Any) -> str:
    """printf-style formatting: `"%s-%s" | format(a, b)`."""
    if args and kwargs:
        raise RenderError("format takes positions or names, not both")
    template = as_text(value)
    bounds.check_percent(template, [*args, *kwargs.values()])
    return template % (kwargs or args)


def indent(value: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    """Every line but the first moved to the right by `width` spaces (or by that text)."""
    bounds.check_width(len(width) if isinstance(width, str) else width)
    text = as_text(value)
    bounds.check_length(len(text) + (text.count("\n") + 1) * (len(width) if isinstance(width, str) else int(width)))
    return do_indent(text, width, first, blank)


@pass_environment
def join(environment: Environment, value: Any, d: str = "", attribute: str | int | None = None) -> str:
    """The items as one text with `d` between them."""
    items = list(as_items(value))
    if attribute is not None:
        items = list(map(make_attrgetter(environment, attribute), items))
    separator = as_text(d)
    bounds.check_join(separator, items)
    return separator.join(map(as_text, items))


def replace(value: Any, old: Any, new: Any, count: int | None = None) -> str:
    """The text with `old` replaced by `new`, at most `count` times."""
    text, before, after = as_text(value), as_text(old), as_text(new)
    times = -1 if count is None else count
    bounds.check_replace(text, before, after, times)
    return text.replace(before, after, times)


def round_number(value: float, precision: int = 0, method: Any = "common") -> float:
    """The number rounded: method common, ceil or floor."""
    bounds.check_precision(precision)
    return do_round(value, precision, method)


def string(value: Any) -> str:
    """The value as it would appear inside a text."""
    return as_text(value)


@pass_environment
def total(environment: Environment, value: Any, attribute: str | int | None = None, start: float = 0) -> float:
    """The sum of numbers."""
    items = list(as_items(value))
    if attribute is not None:
        items = list(map(make_attrgetter(environment, attribute), items))
    for item in (*items, start):
        if not isinstance(item, (int, float)):
            raise RenderError(f"sum takes numbers, not a value of type {type(item).__name__}")
    return sum(items, start)
