"""The brake of a run: why nothing new may start, and what wakes those who wait."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Brake:
    """One per engine.

    `cancel`: a person stopped the run; `exceed`: too many targets failed; `close_target`: one target has to stop;
    `abort`: this worker must not go on at all (it lost its run, or cannot write the ledger): the error is raised from every wait.
    """

    def __init__(self) -> None:
        self.cancelled = False
        self.exceeded: str | None = None
        self.closed_targets: dict[str, str] = {}
        self.fatal: BaseException | None = None
        self._pulled = asyncio.Event()
        self._aborted = asyncio.Event()

    def cancel(self) -> None:
        """Stop the run in an orderly way."""
        self.cancelled = True
        self._pulled.set()

    def exceed(self, reason: str) -> None:
        """Start nothing new anywhere; what runs may end."""
        self.exceeded = self.exceeded or reason

    def close_target(self, target: str, reason: str) -> None:
        """Start nothing new in this target."""
        self.closed_targets.setdefault(target, reason)

    def abort(self, error: BaseException) -> None:
        """Stop at once, write nothing more."""
        self.fatal = self.fatal or error
        self._pulled.set()
        self._aborted.set()

    def raise_fatal(self) -> None:
        """Raise what made the worker stop, if anything did."""
        if self.fatal is not None:
            raise self.fatal

    def stops_new_work(self, target: str) -> str | None:
        """Why no action may start in this target; None = it may."""
        return self.exceeded or self.closed_targets.get(target)

    async def sleep(self, seconds: float, *, through_cancel: bool = False) -> None:
        """Wait; wake early when the run is cancelled (unless `through_cancel`) or aborted. Raises the fatal error."""
        event = self._aborted if through_cancel else self._pulled
        if not event.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), timeout=max(seconds, 0))
        self.raise_fatal()
