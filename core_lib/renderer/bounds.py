"""Bounds on single operations, checked before the operation is done."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from typing import Any

from core_lib.framework.errors import RenderError
from core_lib.renderer.limits import LIMITS

_WIDE = re.compile(r"[0-9]{4,}")
_WIDEST = 1_000
_MOST_DECIMALS = 20
DEEPEST = 50
"""Levels of lists and maps that an expression may make."""


def size(value: Any) -> int:
    """Number of values in a list or map, with everything nested in it. Raises RenderError beyond the limit."""
    if not isinstance(value, (list, tuple, dict)):
        return 1
    count = 1
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for item in level:
            inner = item.values() if isinstance(item, dict) else item
            count += len(inner)
            if count > LIMITS.values:
                raise RenderError(f"a list or map of more than {LIMITS.values} values")
            below.extend(part for part in inner if isinstance(part, (list, tuple, dict)))
        if not below:
            return count
        level = below
    raise RenderError(f"data nested deeper than {DEEPEST} levels")


def text_length(value: Any) -> int:
    """Upper bound of the length of `value` as text, in characters."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, (list, tuple)):
        size(value)
        return 2 + sum(text_length(item) + 4 for item in value)
    if isinstance(value, Mapping):
        size(value)
        return 2 + sum(text_length(key) + text_length(item) + 8 for key, item in value.items())
    return 64 if not isinstance(value, int) else 2 + value.bit_length() // 3


def check_length(characters: int) -> None:
    """Raises RenderError when a text of this length must not be made."""
    if characters > LIMITS.text:
        raise RenderError(f"a text of more than {LIMITS.text} characters")


def check_width(width: Any) -> None:
    """Raises RenderError for padding wider than any sensible use."""
    if isinstance(width, int) and abs(width) > _WIDEST:
        raise RenderError(f"a width of more than {_WIDEST} characters")


def check_percent(template: str, values: Any) -> None:
    """Bounds `template % values`."""
    if _WIDE.search(template) or "*" in template:
        raise RenderError(f"a format with a width of more than {_WIDEST} characters or of '*'")
    check_length(len(template) + template.count("%") * (1 + text_length(values)))


def check_format(template: str, values: Any) -> None:
    """Bounds `template.format(values)`."""
    fields = 0
    for _, name, spec, _ in string.Formatter().parse(template):
        fields += name is not None
        if spec and ("{" in spec or _WIDE.search(spec)):
            raise RenderError("a format with a nested or very wide specification")
    check_length(len(template) + fields * (_WIDEST + text_length(values)))


def check_replace(text: str, old: str, new: str, count: int = -1) -> None:
    """Bounds `text.replace(old, new, count)`."""
    times = text.count(old) if count < 0 else min(count, text.count(old))
    check_length(len(text) + times * max(0, len(new) - len(old)))


def check_join(separator: str, items: Any) -> None:
    """Bounds `separator.join(items)`."""
    check_length(sum(len(separator) + text_length(item) for item in items))


def check_power(base: Any, exponent: Any) -> None:
    """Bounds `base ** exponent`."""
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * max(exponent, 0) > LIMITS.bits:
        raise RenderError(f"a number of more than {LIMITS.bits} bits")


def check_times(left: Any, right: Any) -> None:
    """Bounds `left * right` for numbers, texts and lists."""
    if isinstance(right, (str, list, tuple)):
        left, right = right, left
    if isinstance(left, str) and isinstance(right, int):
        check_length(len(left) * max(right, 0))
    elif isinstance(left, (list, tuple)) and isinstance(right, int):
        if size(left) * max(right, 0) > LIMITS.values:
            raise RenderError(f"a list of more than {LIMITS.values} values")
    elif isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > LIMITS.bits:
        raise RenderError(f"a number of more than {LIMITS.bits} bits")


def check_plus(left: Any, right: Any) -> None:
    """Bounds `left + right`."""
    if isinstance(left, str) and isinstance(right, str):
        check_length(len(left) + len(right))
    elif isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)) and size(left) + size(right) > LIMITS.values:
        raise RenderError(f"a list of more than {LIMITS.values} values")


def check_precision(precision: Any) -> None:
    """Bounds the number of decimals in a rounding."""
    if not isinstance(precision, int) or abs(precision) > _MOST_DECIMALS:
        raise RenderError(f"rounds to at most {_MOST_DECIMALS} decimals")


def check_text_method(text: str, name: str, arguments: tuple[Any, ...]) -> None:
    """Bounds the call of a text's method that could make a much longer text."""
    if name == "format":
        check_format(text, list(arguments))
    elif name == "join" and arguments:
        items = list(arguments[0])
        check_join(text, items)
    elif name == "replace" and len(arguments) > 1:
        check_replace(text, *arguments)
    elif name in ("ljust", "rjust", "center", "zfill") and arguments:
        check_width(arguments[0])
