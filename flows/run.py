"""Run: take the run over, execute its plan in batches of accounts, and record how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.exceptions import PrefectException
from prefect.states import Cancelled, Completed, Failed

from core_lib.execute import Batch, Engine, Shift, make_batches, units
from core_lib.framework.errors import CancelledError
from core_lib.framework.models import RunState, RunStatus
from core_lib.report import final_status
from flows.execute_targets import execute_targets
from flows.following import follow
from flows.stopping import stage
from tasks.artifacts import Progress, publish_plan
from tasks.builds import begin_build
from tasks.floor import Floor
from tasks.ledger import end_run, load_run, take_run
from tasks.workshop import Workshop, workshop

PROGRESS_SECONDS = 2.0


@flow(name="run", flow_run_name="run {run_id}", validate_parameters=False)
@stage
async def run(run_id: str, flow_run_id: str | None = None) -> State[Any]:
    """Execute the plan of a registered run to its end. Called again for the same run, it resumes."""
    shop = workshop(run_id)
    before = await load_run(shop)
    shop.raise_if_stopped()
    if before.status.ended and not shop.resuming:
        raise CancelledError("the run was ended before it began", where=run_id, hint=f"core runs resume {run_id}")
    await begin_build(shop)
    if before.executor == "stepfunctions":
        return _state(await follow(shop, before, flow_run_id))
    record = await take_run(shop, flow_run_id)
    plan = shop.have(shop.plan, "plan")
    await publish_plan(run_id, plan)

    batches = make_batches(units(plan), shop.settings.prefect.batch_size)
    get_run_logger().info(
        "%s: %d actions on %d targets, %d batches, epoch %d",
        record.task, len(plan.actions), len(plan.targets), len(batches), record.epoch,
    )  # fmt: skip
    async with _engine(shop, record, batches) as engine:
        shop.preflight = await engine.preflight()
        await asyncio.gather(*(_start(shop, batch) for batch in batches))
        if shop.fatal is not None:
            raise shop.fatal
    shop.states = engine.states
    if engine.unfinished and not engine.cancelled:
        shop.parked = True
        return Completed(name="AwaitingApproval", message="only people are waited for")
    return _state(await end_run(shop, final_status(plan, shop.states, cancelled=engine.cancelled)))


async def _start(shop: Workshop, batch: Batch) -> None:
    """Start the sub-flow of a batch when it is its turn. How its targets ended is in the ledger, so its state is not asked."""
    floor = shop.have(shop.floor, "floor")
    await floor.changing(batch.number)
    try:
        await execute_targets(shop.run_id, batch.number, batch.title, return_state=True)
    finally:
        floor.left(batch.number)


@asynccontextmanager
async def _engine(shop: Workshop, record: RunState, batches: Sequence[Batch]) -> AsyncIterator[Engine]:
    """One engine for all batches: caps, ledger writer and heartbeat are the run's, not the batch's."""
    slots = record.options.concurrency or shop.settings.limits.concurrency
    shop.floor = Floor(batches, writers=shop.settings.prefect.batch_concurrency, slots=slots)
    plan = shop.have(shop.plan, "plan")
    engine = Engine(
        plan, shop.cmdb, shop.sessions, shop.store, shop.settings, record, reviews=shop.reviews, pace=shop.pace,
        shift=Shift(parks=shop.parks),
    )  # fmt: skip
    async with engine:
        shop.engine = engine
        if shop.stopped:
            engine.cancel()
        over = asyncio.Event()
        watching = asyncio.create_task(_watch(engine, shop.floor, Progress(record), over))
        try:
            yield engine
        finally:
            over.set()
            await watching
            shop.engine = None


async def _watch(engine: Engine, floor: Floor, progress: Progress, over: asyncio.Event) -> None:
    """Keep the progress bar in Prefect's UI up to date. A Prefect server that cannot be reached does not stop a run."""
    last = False
    while not last:
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), PROGRESS_SECONDS)
        last = over.is_set()
        try:
            async with floor.writing():
                await progress.show(engine.counts)
        except (httpx.HTTPError, PrefectException) as error:
            get_run_logger().warning("the progress bar cannot be updated: %s", error)


def _state(record: RunState) -> State[Any]:
    message = ", ".join(f"{count} {status}" for status, count in record.counts.items() if count)
    if record.status is RunStatus.SUCCEEDED:
        return Completed(message=message)
    return Cancelled(message=message) if record.status is RunStatus.CANCELLED else Failed(message=message)
