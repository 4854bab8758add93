"""Shifts: how long a worker stays at a run, and when it leaves what has not ended to the next one.

A Prefect worker stays to the end; it may leave only when nothing but people is waited for, and then the run sleeps until somebody
decides. A step of Step Functions stays for seconds: it does what can be done now and leaves before a wait that outlasts it. What
is left behind is in the ledger, so that the next shift goes on as if nobody had left.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

QUIET_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that has not ended: look again after so many seconds. `people`: only people can end it."""

    seconds: float
    people: bool = False


class LeavingError(Exception):
    """Raised through an action or a lock that would have to wait; never leaves the engine."""

    def __init__(self, waiting: Waiting) -> None:
        super().__init__(f"waits for {waiting.seconds} s")
        self.waiting = waiting


class Shift:
    """`seconds` from now, None = to the end. `looks`: how often earlier shifts of this visit looked without seeing news.

    `parks`: leave as soon as only people are waited for. `since`: when the visit of the run began; timeouts count from there.
    """

    def __init__(
        self, seconds: float | None = None, *, looks: int = 0, parks: bool = False, since: datetime | None = None
    ) -> None:
        self.looks = looks
        self.parks = parks
        self.since = since
        self._end = None if seconds is None else time.monotonic() + seconds
        self._busy = 0
        self._last_busy = time.monotonic()

    @property
    def limited(self) -> bool:
        """Whether it has an end of its own."""
        return self._end is not None

    def ends_within(self, seconds: float) -> bool:
        """Whether a wait of so many seconds outlasts it."""
        return self._end is not None and time.monotonic() + seconds > self._end

    def begin_work(self) -> None:
        """Something other than waiting for people begins."""
        self._busy += 1

    def end_work(self, *, news: bool = True) -> None:
        """It is over, or waits for people now. `news`: it did something, other than looking whether people have answered."""
        self._busy -= 1
        if news:
            self._last_busy = time.monotonic()

    @contextmanager
    def working(self) -> Iterator[None]:
        """The time of a piece of work."""
        self.begin_work()
        try:
            yield
        finally:
            self.end_work()

    def may_leave_to(self, waiting: Waiting) -> bool:
        """Whether the worker should leave instead of waiting: its time is over, or people are all that is left to wait for."""
        if self.ends_within(waiting.seconds):
            return True
        quiet = self._busy == 0 and time.monotonic() - self._last_busy >= QUIET_SECONDS
        return waiting.people and self.parks and quiet
