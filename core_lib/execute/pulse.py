"""The pulse of a worker: heartbeats that keep its locks alive, carry its counts, and bring back a wish to cancel."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from core_lib.execute.parts import Parts
from core_lib.execute.ports import Runs
from core_lib.framework.errors import FencedError
from core_lib.framework.models import Cause
from core_lib.helper import classify, steady

Call = Callable[..., Awaitable[Any]]


class Pulse:
    """A background task. Without a heartbeat for most of the lease the worker stops, because others may take over its run."""

    def __init__(self, parts: Parts, runs: Runs, every: float, lease: float, call: Call) -> None:
        self._parts = parts
        self._runs = runs
        self._every = every
        self.lease = lease
        self._call = call
        self._task: asyncio.Task[None] | None = None
        self._last = steady()
        self._one_at_a_time = asyncio.Lock()

    def _silence(self) -> float:
        """Seconds since the last sign of life, also those in which this machine slept."""
        return steady() - self._last

    async def assure(self) -> None:
        """Before a step: when the last sign of life is old (this process was stopped for a while), give one first.

        Raises FencedError when somebody has taken the run over meanwhile, so that nothing is done in its name any more.
        """
        while self._silence() > self.lease / 2:
            async with self._one_at_a_time:
                if self._silence() > self.lease / 2 and not await self._try():
                    await self._parts.brake.sleep(self._every, through_cancel=True)
            self._parts.brake.raise_fatal()

    async def start(self) -> None:
        """Beat once now, then regularly. Raises FencedError when the run belongs to another worker already."""
        await self._beat()
        self._task = asyncio.create_task(self._go_on(), name="heartbeat")

    async def stop(self) -> None:
        """End the task; a last beat carries the final counts, unless the run was lost."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._parts.brake.fatal is None:
            await self._beat()

    async def _go_on(self) -> None:
        while self._parts.brake.fatal is None:
            await asyncio.sleep(self._every)
            await self._try()

    async def _try(self) -> bool:
        """Beat; False when that failed. What makes going on impossible pulls the brake."""
        brake = self._parts.brake
        try:
            await self._beat()
        except FencedError as error:
            brake.abort(error)
        except Exception as error:  # noqa: BLE001 - every kind of failure ends in one of the three ways below
            if classify(error) is Cause.PERMANENT:
                brake.abort(error)
            elif self._silence() > self.lease * 0.8:
                brake.abort(
                    FencedError("no contact with the CMDB for so long that another worker may take the run over",
                                where=self._parts.run.run_id, hint="resume the run when the CMDB can be reached")
                )  # fmt: skip
            else:
                self._parts.log.warning("heartbeat failed, trying again: %s", error)
        else:
            return True
        return False

    async def _beat(self) -> None:
        run = self._parts.run
        counts = self._parts.book.counts() if self._parts.whole else None
        begun = steady()
        now = await self._call(self._runs.heartbeat, run.run_id, run.epoch, counts, dict(self._parts.waits))
        self._last = begun
        if now.cancel_requested and not self._parts.brake.cancelled:
            heir = f" in favour of run {now.superseded_by}" if now.superseded_by else ""
            self._parts.log.info("the run is being cancelled%s", heir)
            self._parts.brake.cancel()
