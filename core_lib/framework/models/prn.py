"""PRN, the name of a thing in the deployment hierarchy: `prn:portfolio:app:branch:build:component`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import total_ordering
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema

from core_lib.framework.errors import PrnError

_SEGMENT = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\Z")
_LONGEST_SEGMENT = 128
SHORT_NAME_LENGTH = 20


class Level(StrEnum):
    """Depth in the hierarchy, which is also the scope of files, tags and outputs."""

    PORTFOLIO = "portfolio"
    APP = "app"
    BRANCH = "branch"
    BUILD = "build"
    COMPONENT = "component"


LEVELS = tuple(Level)


def branch_short_name(branch: str) -> str:
    """Lower-cased, everything but `a-z0-9-` turned into `-`, at most 20 characters, no dash at either end."""
    text = re.sub(r"[^a-z0-9-]", "-", branch.lower())
    return text[:SHORT_NAME_LENGTH].strip("-")


def short_name_collisions(branches: Iterable[str]) -> dict[str, list[str]]:
    """Short names that more than one of these branches would share, with the branches that share it."""
    groups: dict[str, list[str]] = {}
    for branch in sorted(set(branches)):
        groups.setdefault(branch_short_name(branch), []).append(branch)
    return {short: names for short, names in groups.items() if len(names) > 1}


@total_ordering
@dataclass(frozen=True)
class Prn:
    """A name of one to five segments; `str(prn)` is its canonical text.

    A branch segment may hold a slash-free branch name only; `for_branch` turns any git branch into its short name.
    """

    portfolio: str
    app: str | None = None
    branch: str | None = None
    build: str | None = None
    component: str | None = None

    def __post_init__(self) -> None:
        missing_after: str | None = None
        for level, segment in zip(LEVELS, self._all(), strict=True):
            if segment is None:
                missing_after = missing_after or level
            elif missing_after is not None:
                raise PrnError(f"'{level}' is given but '{missing_after}' is not", where=self._as_given())
            elif len(segment) > _LONGEST_SEGMENT or not _SEGMENT.match(segment):
                raise PrnError(
                    f"the {level} segment {segment[:60]!r} is not valid",
                    where=self._as_given(),
                    hint="letters, digits, '-', '_' and '.', starting and ending with a letter or digit, "
                    f"at most {_LONGEST_SEGMENT} characters",
                )

    def _all(self) -> tuple[str | None, ...]:
        return (self.portfolio, self.app, self.branch, self.build, self.component)

    def _as_given(self) -> str:
        return repr(":".join(("prn", *(segment or "" for segment in self._all()))).rstrip(":")[:80])

    @classmethod
    def parse(cls, text: str) -> Prn:
        """Read `prn:a[:b[:c[:d[:e]]]]`.

        Raises:
            PrnError: not a PRN; the message says which segment is wrong.
        """
        head, *segments = text.split(":")
        if head != "prn":
            raise PrnError("a PRN starts with 'prn:'", where=repr(text[:80]), hint="e.g. prn:payments:ledger:main:7")
        if not 1 <= len(segments) <= len(LEVELS):
            raise PrnError(f"a PRN has 1 to 5 segments, not {len(segments)}", where=repr(text[:80]))
        return cls(*segments)

    @property
    def segments(self) -> tuple[str, ...]:
        """The segments that are present, from portfolio down."""
        return tuple(segment for segment in self._all() if segment is not None)

    @property
    def level(self) -> Level:
        """Which level of the hierarchy this names."""
        return LEVELS[len(self.segments) - 1]

    @property
    def parent(self) -> Prn | None:
        """One level up; None for a portfolio."""
        return Prn(*self.segments[:-1]) if len(self.segments) > 1 else None

    @property
    def branch_short_name(self) -> str | None:
        """Short name of the branch segment, see `branch_short_name`."""
        return branch_short_name(self.branch) if self.branch else None

    def ancestors(self) -> Iterator[Prn]:
        """This PRN and everything above it, from the portfolio down."""
        for depth in range(1, len(self.segments) + 1):
            yield Prn(*self.segments[:depth])

    def matches(self, pattern: str) -> bool:
        """Whether this PRN fits a pattern whose segments are literal or `*`; missing trailing segments match all."""
        head, *wanted = pattern.split(":")
        if head != "prn" or len(wanted) > len(LEVELS):
            return False
        own = self.segments
        return all(w == "*" or (i < len(own) and own[i] == w) for i, w in enumerate(wanted))

    def __lt__(self, other: object) -> bool:
        """A parent comes before everything below it."""
        return self.segments < other.segments if isinstance(other, Prn) else NotImplemented

    def __str__(self) -> str:
        return ":".join(("prn", *self.segments))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        def read(value: Any) -> Prn:
            if isinstance(value, Prn):
                return value
            try:
                return cls.parse(str(value))
            except PrnError as error:
                raise ValueError(str(error)) from error

        return core_schema.no_info_before_validator_function(
            read,
            core_schema.is_instance_schema(cls),
            serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="always"),
            json_schema_input_schema=core_schema.str_schema(),
        )
