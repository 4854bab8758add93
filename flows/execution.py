"""Execution: what `invoke` and `resume` have in common once a run is registered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

from prefect import runtime
from prefect.client.schemas.objects import State
from prefect.concurrency.asyncio import concurrency
from prefect.states import Cancelled, Completed, Failed

from core_lib.framework.errors import RunStateError
from core_lib.framework.models import RunState, RunStatus
from flows.report import report
from flows.run import run
from flows.suspension import suspend
from tasks.builds import end_build
from tasks.ledger import await_approval
from tasks.workshop import Workshop

RUNS = "core-runs"
"""The global concurrency limit that counts runs in execution, whatever started them; an operator can turn it down in the UI."""
ASK_AGAIN_SECONDS = 5.0


async def execute(shop: Workshop) -> State[Any]:
    """Execute a registered run and report on it, whatever its end; the state says how it ended.

    When only people are waited for, the flow run is suspended: Prefect ends this process, and begins the flow again when somebody
    has answered.
    """
    shop.parks = runtime.deployment.id is not None
    while True:
        async with _turn(shop):
            outcome = await run(shop.run_id, runtime.flow_run.id, return_state=True)
        if not shop.parked:
            break
        shop.parked, shop.waking = False, True
        if await await_approval(shop):
            await suspend(shop)
    if shop.left is not None:
        return Cancelled(message=shop.left)
    if not shop.ended:
        await outcome.aresult()  # raises what kept the run from ending
        raise RunStateError("the run has not ended, and nobody said why", where=shop.run_id)
    record = shop.have(shop.run, "record")
    await end_build(shop)
    told_about = await report(shop.run_id, return_state=True)
    return end_state(record, told_about.message)


@asynccontextmanager
async def _turn(shop: Workshop) -> AsyncIterator[None]:
    """Hold one of the slots for runs, waiting for it as long as nobody stops the run. Without such a limit there is no wait."""
    async with AsyncExitStack() as held:
        waiting = True
        while waiting and not shop.stopped:
            with suppress(TimeoutError):
                await held.enter_async_context(concurrency(RUNS, timeout_seconds=ASK_AGAIN_SECONDS))
                waiting = False
        yield


def end_state(record: RunState, message: str | None) -> State[Any]:
    """The Prefect state of a run that ended, with a word on what to do next."""
    if record.status is RunStatus.SUCCEEDED:
        return Completed(message=message)
    advice = f"go on with: core runs resume {record.run_id}"
    text = f"{record.status}; {advice}"
    return Cancelled(message=text) if record.status is RunStatus.CANCELLED else Failed(message=text)
