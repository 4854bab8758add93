"""The time of day by which leases are given and judged. A clock that is set while a worker runs must not cost anybody a lease."""

from __future__ import annotations

from datetime import datetime, timedelta

from core_lib.db.rows import now
from core_lib.helper import steady


class LeaseClock:
    """The time on the wall when it was made, and what has passed since by a clock that nobody sets; doubt counts for the holder.

    Workers compare times across machines, so the time on the wall cannot be done without. When it jumps, `own` never goes back (a
    sign of life would look old to others), and `others` never goes forward (others' signs of life would look old).
    """

    def __init__(self) -> None:
        self._wall, self._steady = now(), steady()

    def own(self) -> datetime:
        """The time of one's own sign of life."""
        return max(now(), self._expected())

    def others(self) -> datetime:
        """The time by which others' signs of life are judged."""
        return min(now(), self._expected())

    def _expected(self) -> datetime:
        return self._wall + timedelta(seconds=steady() - self._steady)
