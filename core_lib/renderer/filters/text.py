"""Filters over texts and dates."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime
from typing import Any

import regex

from core_lib.framework.errors import RenderError
from core_lib.renderer import bounds
from core_lib.renderer.plain import as_text
from core_lib.renderer.session import current

_DIRECTIVES = re.compile(r"%(.?)")
_KNOWN_DIRECTIVES = frozenset("aAbBdHIjmMpSyYfzZG%uV")
_LONGEST_FORMAT = 200
_LONGEST_PATTERN = 500
_REGEX_SECONDS = 0.5
_SUFFIX_LENGTH = 6
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def format_date(value: Any, layout: str = "%Y-%m-%d") -> str:
    """A date, written as `layout` says (strftime). Takes an ISO 8601 text, a date, or seconds since 1970 (UTC)."""
    layout = as_text(layout)
    if len(layout) > _LONGEST_FORMAT or any(found not in _KNOWN_DIRECTIVES for found in _DIRECTIVES.findall(layout)):
        raise RenderError(f"the date layout {layout[:60]!r} is not valid", hint="directives such as %Y, %m, %d, %H, %M, %S")
    try:
        if isinstance(value, bool):
            raise TypeError("a boolean is not a date")
        if isinstance(value, (int, float)):
            moment: date = datetime.fromtimestamp(value, UTC)
        elif isinstance(value, date):
            moment = value
        else:
            moment = datetime.fromisoformat(as_text(value))
        return moment.strftime(layout)
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise RenderError(f"not a date: {error}") from error


def regex_replace(value: Any, pattern: str, replacement: str = "", count: int = 0, ignorecase: bool = False) -> str:
    r"""Every match of `pattern` replaced (`\1` or `\g<name>` for groups); at most `count` of them unless 0. Bounded in time."""
    text, wanted = as_text(value), as_text(pattern)
    if len(wanted) > _LONGEST_PATTERN or len(as_text(replacement)) > _LONGEST_PATTERN:
        raise RenderError(f"a pattern or replacement of more than {_LONGEST_PATTERN} characters")
    current().check_time()
    made = 0

    def expand(match: regex.Match[str]) -> str:
        nonlocal made
        piece = str(match.expand(replacement))
        made += len(piece)
        bounds.check_length(made)
        return piece

    try:
        compiled = regex.compile(wanted, regex.IGNORECASE if ignorecase else 0)
        return str(compiled.sub(expand, text, count=int(count), timeout=_REGEX_SECONDS))
    except regex.error as error:
        raise RenderError(f"the pattern {wanted[:80]!r} is not valid: {error}") from error
    except TimeoutError as error:
        raise RenderError(f"the pattern {wanted[:80]!r} takes longer than {_REGEX_SECONDS:g} seconds") from error


def rstrip(value: Any, characters: str | None = None) -> str:
    """The text without these characters (spaces by default) at its end."""
    return as_text(value).rstrip(characters)


def shorten_unique(value: Any, length: Any, suffix_length: Any = _SUFFIX_LENGTH) -> str:
    """The text itself if it has at most `length` characters, else its beginning with a suffix made from the whole text.

    The suffix (`suffix_length` letters and digits of its SHA-256) is the same on every machine and differs for different texts.
    """
    text = as_text(value)
    if (
        not isinstance(length, int)
        or not isinstance(suffix_length, int)
        or not 1 <= suffix_length <= length
        or suffix_length > 50
    ):
        raise RenderError("shorten_unique takes a length of at least the suffix's (1 to 50)")
    if len(text) <= length:
        return text
    number = int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
    suffix = "".join(_ALPHABET[(number >> (5 * position)) & 31] for position in range(suffix_length))
    head = text[: length - suffix_length]
    if len(head) > 1 and head[-1] != "-":
        head = head[:-1].rstrip("-") + "-"
    return head + suffix
