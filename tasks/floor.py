"""The shop floor: which unit may start when, and how many are in hand at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from core_lib.execute import Unit
from tasks.batches import Batch

# Units in hand per action slot of the run: a little more than one, so that no slot waits for Prefect's bookkeeping.
UNITS_PER_SLOT = 2


class Floor:
    """Shared by all batches of a run, on one event loop.

    Only the *start* of sub-flows is limited to `starts` at once, since that is what costs a Prefect server dear; once begun,
    all batches work side by side, and `slots` limits the units in hand over all of them.
    """

    def __init__(self, batches: Sequence[Batch], *, starts: int, slots: int) -> None:
        self._batches = {batch.number: batch for batch in batches}
        self._ended = {unit.key: asyncio.Event() for batch in batches for unit in batch.units}
        self._starts = asyncio.Semaphore(starts)
        self._starting: set[int] = set()
        self._slots = asyncio.Semaphore(slots * UNITS_PER_SLOT)

    def units(self, batch: int) -> tuple[Unit, ...]:
        """The units of a batch."""
        return self._batches[batch].units

    async def start(self, batch: int) -> None:
        """Wait until this batch's sub-flow may be started."""
        await self._starts.acquire()
        self._starting.add(batch)

    def begun(self, batch: int) -> None:
        """The sub-flow of this batch is running (or will never be)."""
        if batch in self._starting:
            self._starting.discard(batch)
            self._starts.release()

    def left(self, batch: int) -> None:
        """The sub-flow of this batch is over, whatever became of it: nobody waits for its units any longer."""
        self.begun(batch)
        for unit in self._batches[batch].units:
            self._ended[unit.key].set()

    @asynccontextmanager
    async def turn(self, unit: Unit) -> AsyncIterator[None]:
        """The time in which a unit is worked on: after its upstream units have ended and a slot is free."""
        try:
            for upstream in unit.upstream_units:
                await self._ended[upstream].wait()
            async with self._slots:
                yield
        finally:
            self._ended[unit.key].set()
