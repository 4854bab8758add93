"""Regular expressions of rules.

A package may bring rules, so a search that does not end is ended. Templates are full of the same short texts, so what was
found in them is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import regex

from core_lib.framework.errors import SchemaError

_LONGEST_SEARCH = 1.0
_LONGEST_KEPT, _MOST_KEPT = 200, 10_000
_FLAGS = re.compile(r"\(\?([aimsx]+)\)")


class Pattern:
    """One expression, or several of which any may match."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Raises ValueError for a text that is no regular expression."""
        self._text = "|".join(f"(?:{_FLAGS.sub(_scoped, text, count=1)}{')' if _FLAGS.match(text) else ''})" for text in texts)
        self._known: dict[str, bool] = {}
        try:
            self._compiled = regex.compile(self._text)
        except regex.error as error:
            raise ValueError(f"{self._text!r} is no regular expression: {error}") from error

    def search(self, text: str) -> bool:
        """Whether it matches anywhere in a text.

        Raises:
            SchemaError: the search took longer than a second.
        """
        known = self._known.get(text)
        if known is None:
            known = self._search(text)
            if len(text) <= _LONGEST_KEPT:
                if len(self._known) >= _MOST_KEPT:
                    self._known.clear()
                self._known[text] = known
        return known

    def _search(self, text: str) -> bool:
        try:
            return self._compiled.search(text, timeout=_LONGEST_SEARCH) is not None
        except TimeoutError:
            raise self._endless() from None

    def matches(self, text: str) -> Iterator[str]:
        """Every match in a text. Raises SchemaError as `search` does."""
        try:
            for match in self._compiled.finditer(text, timeout=_LONGEST_SEARCH):
                yield match.group()
        except TimeoutError:
            raise self._endless() from None

    def _endless(self) -> SchemaError:
        return SchemaError(
            f"the regular expression {self._text[:100]!r} takes too long",
            where="guard rules",
            hint="no repetition within a repetition",
        )


def _scoped(flags: re.Match[str]) -> str:
    """`(?i)x` as `(?i:x`, so that it can be joined with others."""
    return f"(?{flags[1]}:" if flags.start() == 0 else flags[0]
