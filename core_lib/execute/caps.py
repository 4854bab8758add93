"""How many actions may be in flight at once: per run, per account, per region; and who comes first when places are scarce."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count


class Slots:
    """So many places. Whoever has the highest rank gets the next free one, among equals who came first."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []
        self._arrivals = count()

    @asynccontextmanager
    async def place(self, rank: int) -> AsyncIterator[None]:
        """A place, as soon as one is free."""
        await self._take(rank)
        try:
            yield
        finally:
            self._give_back()

    async def _take(self, rank: int) -> None:
        if self._free > 0:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (-rank, next(self._arrivals), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back()
            raise

    def _give_back(self) -> None:
        while self._queue:
            _, _, turn = heapq.heappop(self._queue)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Caps:
    """Places that the actions of one run share. None = no cap. The run's own place is taken last: nobody holds it while waiting.

    The rank of an action is the number of actions in the longest chain that waits for it. Chains that are behind go first, so
    that none is left to run alone at the end, when the other places are empty (Hu's highest level first).
    """

    def __init__(self, run: int, account: int | None, region: int | None) -> None:
        self._run = Slots(run)
        self._account_size = account
        self._region_size = region
        self._accounts: dict[str, Slots] = {}
        self._regions: dict[str, Slots] = {}

    @asynccontextmanager
    async def slot(self, target: str, rank: int = 0) -> AsyncIterator[None]:
        """A place for one action on the target `account/region`."""
        account, _, region = target.partition("/")
        async with AsyncExitStack() as stack:
            if self._account_size:
                await stack.enter_async_context(_of(self._accounts, account, self._account_size).place(rank))
            if self._region_size:
                await stack.enter_async_context(_of(self._regions, region, self._region_size).place(rank))
            await stack.enter_async_context(self._run.place(rank))
            yield


def _of(pool: dict[str, Slots], key: str, size: int) -> Slots:
    found = pool.get(key)
    if found is None:
        found = pool[key] = Slots(size)
    return found
