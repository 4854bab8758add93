"""How many actions may be in flight at once: per run, per account, per region."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager


class Caps:
    """Shared semaphores of one run. None = no cap. The run's own slot is taken last, so nobody holds it while waiting."""

    def __init__(self, run: int, account: int | None, region: int | None) -> None:
        self._run = asyncio.Semaphore(run)
        self._account_size = account
        self._region_size = region
        self._accounts: dict[str, asyncio.Semaphore] = {}
        self._regions: dict[str, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def slot(self, target: str) -> AsyncIterator[None]:
        """A place for one action on the target `account/region`."""
        account, _, region = target.partition("/")
        async with AsyncExitStack() as stack:
            if self._account_size:
                await stack.enter_async_context(_of(self._accounts, account, self._account_size))
            if self._region_size:
                await stack.enter_async_context(_of(self._regions, region, self._region_size))
            await stack.enter_async_context(self._run)
            yield


def _of(pool: dict[str, asyncio.Semaphore], key: str, size: int) -> asyncio.Semaphore:
    found = pool.get(key)
    if found is None:
        found = pool[key] = asyncio.Semaphore(size)
    return found
