"""Time, behind one small door so that tests bring their own."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Protocol

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """What waits and measures."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        ...

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Wait on a condition (whose lock is held) until it is notified, at most so long."""
        ...


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """See `Clock.wait`."""
        condition.wait(seconds)


def utc_now() -> datetime:
    """The current moment, with time zone UTC."""
    return datetime.now(UTC)


def steady() -> float:
    """Seconds that pass whatever is done to the clock on the wall. Those in which the machine slept count, too."""
    return time.clock_gettime(_STEADY)
