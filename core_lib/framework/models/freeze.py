"""Freeze windows: times in which nothing new is begun. Either once, between two moments, or every week on some days.

A moment is written in ISO 8601 (`2026-12-18T18:00`), a date alone is its whole day. Moments without an offset, and the hours of a
weekly window, are local times of the window's `TimeZone`. Where the clocks skip an hour, or repeat one, the window is taken to be
the longer of what it could mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from core_lib.framework.models.base import Message

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HOUR = re.compile(r"(?:(?P<day>Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?(?P<hour>[01][0-9]|2[0-4]):(?P<minute>[0-5][0-9])")
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Period:
    """One time a window is in force: from `begin` up to, but not including, `end` (both UTC)."""

    window: FreezeWindow
    begin: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether the moment lies inside."""
        return self.begin <= moment < self.end

    def __str__(self) -> str:
        zone = self.window.zone
        reason = f" ({self.window.reason})" if self.window.reason else ""
        return f"freeze {self.window.name!r}{reason} until {self.end.astimezone(zone):%Y-%m-%d %H:%M %Z}"


class FreezeWindow(Message):
    """A time in which no action begins: `From` and `Until` as moments, or as hours together with `Days`.

    A weekly window begins at `From` on each of the days and lasts until the next `Until`: `18:00` to `06:00` ends on the next
    morning, and `Until: Mon 06:00` on the next Monday. `Environments`: only for deployments to these.
    """

    name: str
    start: str = Field(alias="From")
    until: str
    days: tuple[str, ...] = ()
    time_zone: str = "UTC"
    reason: str = ""
    environments: tuple[str, ...] = ()

    @field_validator("days", "environments", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("start", "until", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return value.isoformat() if isinstance(value, date) else value

    @field_validator("days")
    @classmethod
    def _known_days(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        short = tuple(day[:3].capitalize() for day in value)
        if wrong := [day for day, name in zip(value, short, strict=True) if name not in DAYS]:
            raise ValueError(f"{wrong[0]!r} is no day of the week: {', '.join(DAYS)}")
        return short

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is no time zone; they are named like Europe/Berlin") from None
        return value

    @model_validator(mode="after")
    def _has_two_ends(self) -> Self:
        if self.days:
            begin, end = _HOUR.fullmatch(self.start), _HOUR.fullmatch(self.until)
            if begin is None or end is None or begin["day"] or not (_is_hour(begin) and _is_hour(end)):
                raise ValueError("with Days, From is an hour (18:00) and Until an hour, of a day if need be (06:00, Mon 06:00)")
        elif self._moment(self.start, last=False) >= self._moment(self.until, last=True):
            raise ValueError(f"Until ({self.until}) is not after From ({self.start})")
        return self

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.time_zone)

    def periods(self, moment: datetime) -> Iterator[Period]:
        """Every period that holds the moment or begins within the week after it, in order of their beginning."""
        if not self.days:
            yield Period(self, self._moment(self.start, last=False), self._moment(self.until, last=True))
            return
        today = moment.astimezone(self.zone).date()
        for offset in range(-8, 9):
            day = today + timedelta(days=offset)
            if DAYS[day.weekday()] in self.days:
                yield Period(self, self._at(day, self.start, last=False), self._end_after(day))

    def _end_after(self, day: date) -> datetime:
        found = _HOUR.fullmatch(self.until)
        if found is None:
            raise AssertionError("checked when it was read")
        if found["day"]:
            days = (DAYS.index(found["day"]) - day.weekday()) % 7
            if days == 0 and self.until[4:] <= self.start:
                days = 7
            return self._at(day + timedelta(days=days), self.until[4:], last=True)
        return self._at(day + timedelta(days=self.until <= self.start), self.until, last=True)

    def _at(self, day: date, hour: str, *, last: bool) -> datetime:
        hours, minutes = int(hour[:2]), int(hour[3:])
        local = datetime.combine(day + timedelta(days=hours // 24), time(hours % 24, minutes))
        return _in_utc(local.replace(tzinfo=self.zone), last=last)

    def _moment(self, text: str, *, last: bool) -> datetime:
        try:
            if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
                day = date.fromisoformat(text)
                return self._at(day + timedelta(days=last), "00:00", last=last)
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text!r} is no date or moment such as 2026-12-18T18:00; weekly windows need Days") from None
        return _in_utc(moment if moment.tzinfo else moment.replace(tzinfo=self.zone), last=last)


def frozen_at(windows: Iterable[FreezeWindow], moment: datetime) -> Period | None:
    """The period that holds the moment; of several the one that ends last."""
    holding = [period for window in windows for period in window.periods(moment) if period.holds(moment)]
    return max(holding, key=lambda period: period.end, default=None)


def next_freeze(windows: Iterable[FreezeWindow], moment: datetime, within: timedelta) -> Period | None:
    """The first period that begins after the moment, if it does so within this time (at most a week)."""
    limit = moment + min(within, _WEEK)
    found = [period for window in windows for period in window.periods(moment) if moment < period.begin <= limit]
    return min(found, key=lambda period: period.begin, default=None)


def _is_hour(found: re.Match[str]) -> bool:
    return found["hour"] != "24" or found["minute"] == "00"


def _in_utc(local: datetime, *, last: bool) -> datetime:
    """A local time as UTC. Where the clocks are changed it may mean two moments: the earlier one, or with `last` the later."""
    both = [local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]
    return max(both) if last else min(both)
