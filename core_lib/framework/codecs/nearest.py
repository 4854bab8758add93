"""The nearest known name to one that was mistyped."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def spelling(name: str) -> str:
    """A name without case, underscores and dashes: `depends_on` and `DependsOn` spell the same."""
    return name.replace("_", "").replace("-", "").casefold()


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is spelled most like `name`, or None when nothing comes close."""
    by_spelling: dict[str, str] = {}
    for candidate in known:
        by_spelling.setdefault(spelling(candidate), candidate)
    wanted = spelling(name[:100])
    close = difflib.get_close_matches(wanted, by_spelling, n=1, cutoff=0.6)
    return by_spelling[close[0]] if close else None
