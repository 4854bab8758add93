"""Breaking off a pass from another thread: its ledger is written up to there, the next pass goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from core_lib.framework.errors import RunError

T = TypeVar("T")


class Interrupt:
    """Belongs to one thread: runs its coroutines, and lets others break them off."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self.busy = False

    @contextmanager
    def working(self) -> Iterator[None]:
        """The time of one task, from its receipt to its answer."""
        self.busy = True
        try:
            yield
        finally:
            self.busy = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end.

        Raises:
            RunError: `now` was called meanwhile.
        """
        try:
            return asyncio.run(self._watched(work))
        except asyncio.CancelledError as error:
            raise RunError("the pass was broken off", hint="it goes on where it was") from error

    def now(self) -> None:
        """Break off what runs at this moment, if anything does."""
        with self._lock:
            if self._loop is not None and self._task is not None:
                self._loop.call_soon_threadsafe(self._task.cancel)

    async def _watched(self, work: Coroutine[Any, Any, T]) -> T:
        with self._lock:
            self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        try:
            return await work
        finally:
            with self._lock:
                self._loop = self._task = None
