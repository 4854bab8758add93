"""Event loops on a clock of their own: nothing waits, and what happens in which order is decided by the test.

A `VirtualLoop` alone (`run_virtual`) jumps to the next timer whenever nothing is ready. Several of them on one clock are worker
processes side by side; whoever steps them decides who goes on.
"""

from __future__ import annotations

import asyncio
from asyncio import events
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

R = TypeVar("R")
Delays = Callable[[Executor | None], tuple[float, float]]


class VirtualClock:
    """Seconds since the beginning."""

    def __init__(self) -> None:
        self.now = 0.0


def at_once(executor: Executor | None) -> tuple[float, float]:
    """Work in threads takes no time."""
    return 0.0, 0.0


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop without sockets and threads.

    `delays` gives, for a call that would go to a thread of this pool, the seconds until it is made and those until its answer
    comes. It is made in the loop, so that nothing ever happens at the same time.
    """

    def __init__(self, clock: VirtualClock, delays: Delays = at_once, *, alone: bool = True) -> None:
        super().__init__()
        self._clock = clock
        self._delays = delays
        self._alone = alone
        self._selector = self
        self._ready: Any
        self._scheduled: Any

    def time(self) -> float:
        return self._clock.now

    def select(self, timeout: float | None) -> list[Any]:
        """What the base class asks of its selector: here, to let time pass."""
        if self._alone and not self._ready:
            if timeout is None:
                raise AssertionError("everything waits for something that never comes")
            if self._scheduled and timeout > 0:
                self._clock.now = max(self._clock.now, self._scheduled[0]._when)
        return []

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody calls from another thread."""

    def run_in_executor(self, executor: Executor | None, func: Callable[..., R], *args: Any) -> asyncio.Future[R]:  # type: ignore[override]
        future: asyncio.Future[R] = self.create_future()
        before, after = self._delays(executor)

        def settle(error: BaseException | None, result: Any) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def work() -> None:
            try:
                result = func(*args)
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever awaits the call
                self.call_later(after, settle, error, None)
            else:
                self.call_later(after, settle, None, result)

        if before:
            self.call_later(before, work)
        else:
            work()
        return future

    @property
    def next_at(self) -> float | None:
        """When it has something to do; None = never by itself."""
        if self._ready:
            return self._clock.now
        return min((handle._when for handle in self._scheduled if not handle._cancelled), default=None)

    def step(self) -> None:
        """Do what is ready now."""
        before = events._get_running_loop()
        events._set_running_loop(self)
        try:
            self._run_once()  # type: ignore[attr-defined]
        finally:
            events._set_running_loop(before)


def run_virtual(work: Coroutine[Any, Any, R], clock: VirtualClock, delays: Delays = at_once) -> R:
    """Run a coroutine to its end on a clock that jumps."""
    loop = VirtualLoop(clock, delays)
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
