"""The pulse of a worker: heartbeats that keep its locks alive, carry its counts, and bring back a wish to cancel."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from core_lib.execute.parts import Parts
from core_lib.execute.ports import Runs
from core_lib.framework.errors import FencedError
from core_lib.framework.models import Cause
from core_lib.helper import classify

Call = Callable[..., Awaitable[Any]]


class Pulse:
    """A background task. Without a heartbeat for most of the lease the worker stops, because others may take over its run."""

    def __init__(self, parts: Parts, runs: Runs, every: float, lease: float, call: Call) -> None:
        self._parts = parts
        self._runs = runs
        self._every = every
        self._lease = lease
        self._call = call
        self._task: asyncio.Task[None] | None = None
        self._last = time.monotonic()

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
        while True:
            await asyncio.sleep(self._every)
            try:
                await self._beat()
            except FencedError as error:
                self._parts.brake.abort(error)
                return
            except Exception as error:  # noqa: BLE001 - every kind of failure ends in one of the three ways below
                if classify(error) is Cause.PERMANENT:
                    self._parts.brake.abort(error)
                    return
                if time.monotonic() - self._last > self._lease * 0.8:
                    self._parts.brake.abort(
                        FencedError("no contact with the CMDB for so long that another worker may take the run over",
                                    where=self._parts.run.run_id, hint="resume the run when the CMDB can be reached")
                    )  # fmt: skip
                    return
                self._parts.log.warning("heartbeat failed, trying again: %s", error)

    async def _beat(self) -> None:
        run = self._parts.run
        counts = self._parts.book.counts()
        now = await self._call(self._runs.heartbeat, run.run_id, run.epoch, counts)
        self._last = time.monotonic()
        if now.cancel_requested and not self._parts.brake.cancelled:
            self._parts.log.info("the run is being cancelled")
            self._parts.brake.cancel()
