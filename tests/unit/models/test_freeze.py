"""Freeze windows: once and weekly, in time zones, across changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from core_lib.framework.models import FreezeWindow, frozen_at, next_freeze


def window(**fields: Any) -> FreezeWindow:
    return FreezeWindow.model_validate({"Name": "freeze", "Reason": "because"} | fields)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


YEAR_END = window(From="2026-12-18T18:00", Until="2027-01-04T06:00", TimeZone="Europe/Berlin")
DAYS = window(From="2026-12-24", Until="2026-12-26")
NIGHT = window(Days=["Mon", "Fri"], From="18:00", Until="06:00", TimeZone="America/New_York")
WEEKEND = window(Days="Friday", From="18:00", Until="Mon 06:00", TimeZone="Europe/Berlin")
SUNDAY = window(Days=["Sun"], From="00:00", Until="24:00", TimeZone="Europe/Berlin")
OFFSET = window(From="2026-06-01T00:00:00+02:00", Until="2026-06-01T12:00:00Z")


@pytest.mark.parametrize(
    ("found", "moment", "frozen"),
    [
        (YEAR_END, "2026-12-18T16:59:59", False), (YEAR_END, "2026-12-18T17:00", True), (YEAR_END, "2027-01-04T04:59", True),
        (YEAR_END, "2027-01-04T05:00", False),
        (DAYS, "2026-12-23T23:59", False), (DAYS, "2026-12-24T00:00", True), (DAYS, "2026-12-26T23:59", True),
        (DAYS, "2026-12-27T00:00", False),
        (NIGHT, "2026-07-06T21:59", False), (NIGHT, "2026-07-06T22:00", True), (NIGHT, "2026-07-07T09:59", True),
        (NIGHT, "2026-07-07T10:00", False), (NIGHT, "2026-07-07T23:00", False),
        (NIGHT, "2026-12-07T22:30", False), (NIGHT, "2026-12-07T23:00", True),
        (WEEKEND, "2026-07-03T15:59", False), (WEEKEND, "2026-07-03T16:00", True), (WEEKEND, "2026-07-05T12:00", True),
        (WEEKEND, "2026-07-06T03:59", True), (WEEKEND, "2026-07-06T04:00", False),
        (SUNDAY, "2026-07-04T21:59", False), (SUNDAY, "2026-07-04T22:00", True), (SUNDAY, "2026-07-05T22:00", False),
        (OFFSET, "2026-05-31T21:59", False), (OFFSET, "2026-05-31T22:00", True), (OFFSET, "2026-06-01T12:00", False),
    ],
)  # fmt: skip
def test_window_when_a_moment_lies_inside_then_it_is_frozen(found: FreezeWindow, moment: str, frozen: bool) -> None:
    assert (frozen_at([found], utc(moment)) is not None) is frozen


@pytest.mark.parametrize(
    ("begin", "until", "first", "after"),
    [
        ("02:30", "05:00", "2026-03-29T00:30", "2026-03-29T03:00"),  # 02:30 is skipped: the earlier of its meanings
        ("00:00", "02:30", "2026-03-28T23:00", "2026-03-29T01:30"),  # and the later one for an end
        ("02:30", "05:00", "2026-10-25T00:30", "2026-10-25T04:00"),  # 02:30 comes twice: from the first
        ("00:00", "02:30", "2026-10-24T22:00", "2026-10-25T01:30"),  # until the second
    ],
)
def test_window_when_the_clocks_change_then_it_is_the_longer_one(begin: str, until: str, first: str, after: str) -> None:
    weekly = window(Days=["Sun"], From=begin, Until=until, TimeZone="Europe/Berlin")
    minute = timedelta(minutes=1)
    assert frozen_at([weekly], utc(first)) is not None
    assert frozen_at([weekly], utc(first) - minute) is None
    assert frozen_at([weekly], utc(after) - minute) is not None
    assert frozen_at([weekly], utc(after)) is None


def test_windows_when_several_hold_then_the_one_that_ends_last_is_told() -> None:
    found = frozen_at([SUNDAY, WEEKEND], utc("2026-07-05T12:00"))
    assert found is not None
    assert found.window is WEEKEND
    assert str(found) == "freeze 'freeze' (because) until 2026-07-06 06:00 CEST"


def test_next_freeze_when_one_begins_soon_then_it_is_found_and_not_earlier() -> None:
    hour = timedelta(hours=1)
    assert next_freeze([YEAR_END, WEEKEND], utc("2026-07-03T14:59"), hour) is None
    found = next_freeze([YEAR_END, WEEKEND], utc("2026-07-03T15:30"), hour)
    assert found is not None
    assert found.begin == utc("2026-07-03T16:00")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"From": "2026-12-24", "Until": "2026-12-23"}, "is not after"),
        ({"From": "18:00", "Until": "06:00"}, "weekly windows need Days"),
        ({"From": "soon", "Until": "2026-12-23"}, "no date or moment"),
        ({"From": "18:00", "Until": "06:00", "Days": ["Caturday"]}, "no day of the week"),
        ({"From": "25:00", "Until": "06:00", "Days": ["Mon"]}, "From is an hour"),
        ({"From": "24:30", "Until": "06:00", "Days": ["Mon"]}, "From is an hour"),
        ({"From": "2026-12-24", "Until": "06:00", "Days": ["Mon"]}, "From is an hour"),
        ({"From": "2026-12-24", "Until": "2026-12-25", "TimeZone": "Mars/Olympus"}, "no time zone"),
        ({"From": "2026-12-24", "Until": "2026-12-25", "TimeZone": "../etc/passwd"}, "no time zone"),
        ({"From": "2026-12-24", "Until": "2026-12-25", "Untill": "x"}, "Extra inputs"),
    ],
)
def test_window_when_it_cannot_be_then_it_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        window(**fields)


def test_window_when_written_out_then_it_reads_back_the_same() -> None:
    for found in (YEAR_END, NIGHT, WEEKEND, OFFSET):
        assert FreezeWindow.model_validate(found.as_dict()) == found
