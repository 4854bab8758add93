"""The shop floor: which unit may start when, and how many are in hand at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from core_lib.execute import Batch, Unit

# Units in hand per action slot of the run: a little more than one, so that no slot waits for Prefect's bookkeeping.
UNITS_PER_SLOT = 2


class Floor:
    """Shared by all batches of a run, on one event loop.

    All batches work side by side, and `slots` limits the units in hand over all of them. What is limited to `writers` at once is
    the start and the end of sub-flows, and other writes to Prefect's API: a server on SQLite answers concurrent writers with 503,
    and each of those costs its client two seconds of waiting.
    """

    def __init__(self, batches: Sequence[Batch], *, writers: int, slots: int) -> None:
        self._batches = {batch.number: batch for batch in batches}
        self._ended = {unit.key: asyncio.Event() for batch in batches for unit in batch.units}
        self._writers = asyncio.Semaphore(writers)
        self._writing: set[int] = set()
        self._slots = asyncio.Semaphore(slots * UNITS_PER_SLOT)

    def units(self, batch: int) -> tuple[Unit, ...]:
        """The units of a batch."""
        return self._batches[batch].units

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """The time of one write to Prefect's API."""
        async with self._writers:
            yield

    async def changing(self, batch: int) -> None:
        """Wait until the sub-flow of this batch may begin, or end."""
        await self._writers.acquire()
        self._writing.add(batch)

    def changed(self, batch: int) -> None:
        """The sub-flow of this batch has begun."""
        if batch in self._writing:
            self._writing.discard(batch)
            self._writers.release()

    def left(self, batch: int) -> None:
        """The sub-flow of this batch is over, whatever became of it: nobody waits for its units any longer."""
        self.changed(batch)
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
