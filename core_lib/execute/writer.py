"""Group commit: many actions hand in ledger rows, few transactions carry them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from core_lib.framework.models import ActionState

GATHER_SECONDS = 0.003
LARGEST_GROUP = 90


@dataclass(slots=True)
class _Entry:
    state: ActionState
    future: asyncio.Future[ActionState] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class GroupWriter:
    """Collects rows for a few milliseconds, or for as long as the previous commit takes, and commits them together.

    `commit` writes rows in as few transactions as possible and answers them with their new versions. There is one commit at a
    time, because each checks the run's fence and DynamoDB may refuse transactions that meet on an item.
    """

    def __init__(self, commit: Callable[[Sequence[ActionState]], Awaitable[Sequence[ActionState]]]) -> None:
        self._commit = commit
        self._waiting: list[_Entry] = []
        self._task: asyncio.Task[None] | None = None

    async def write(self, state: ActionState) -> ActionState:
        """Write one row; returns after its commit, with the new version. Raises what the commit raised."""
        entry = _Entry(state)
        self._waiting.append(entry)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain(), name="ledger-writer")
        return await entry.future

    async def close(self) -> None:
        """Wait until everything handed in is committed."""
        if self._task is not None:
            await self._task

    async def _drain(self) -> None:
        await asyncio.sleep(GATHER_SECONDS)
        while self._waiting:
            group, self._waiting = self._waiting[:LARGEST_GROUP], self._waiting[LARGEST_GROUP:]
            await self._commit_group(group)

    async def _commit_group(self, group: Sequence[_Entry]) -> None:
        try:
            written = await self._commit([entry.state for entry in group])
        except BaseException as error:
            for entry in group:
                if not entry.future.done():
                    entry.future.set_exception(error)
                    entry.future.exception()
            if not isinstance(error, Exception):
                raise
            return
        for entry, state in zip(group, written, strict=True):
            if not entry.future.done():
                entry.future.set_result(state)
