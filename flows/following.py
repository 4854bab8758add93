"""Following: Step Functions executes the plan, this process watches the run record. When it ends early, the run goes on."""

from __future__ import annotations

import asyncio

import httpx
from prefect import get_run_logger
from prefect.exceptions import PrefectException

from core_lib.framework.errors import CancelledError, FencedError, RunError
from core_lib.framework.models import RunState
from tasks.artifacts import Progress, publish_plan
from tasks.executions import look_at_execution, start_execution
from tasks.ledger import take_run
from tasks.retries import passes_by_itself
from tasks.workshop import Workshop

LOOK_SECONDS = 1.0
LONGEST_LOOK_SECONDS = 5.0
CHECK_EVERY = 10
"""Looks at the run record for each look at the execution itself, which is asked only whether it is still there."""


async def follow(shop: Workshop, before: RunState, flow_run_id: str | None) -> RunState:
    """Have the run executed, and follow it to its end. A flow run that is started again follows the execution that is there."""
    if before.execution is None or before.status.ended or shop.resuming:
        await take_run(shop, flow_run_id)
        await start_execution(shop, before.execution)
    record = shop.have(shop.run, "record")
    await publish_plan(shop.run_id, shop.have(shop.plan, "plan"))
    get_run_logger().info("executed by Step Functions: %s", record.execution)
    record = await _watch(shop, record)
    if record.status.ended:
        shop.run, shop.ended = record, True
        shop.states = await asyncio.to_thread(shop.cmdb.ledger.load, shop.run_id)
    return record


async def _watch(shop: Workshop, record: RunState) -> RunState:
    """The run record when it says that the run has ended, or when this process was asked to end.

    Raises:
        FencedError: somebody resumed the run meanwhile; it is followed elsewhere.
        RunError, CancelledError: the execution is over and the record does not say so.
    """
    epoch, looks, progress = record.epoch, 0, Progress(record)
    while not record.status.ended:
        if shop.stopped:
            shop.leave(f"{shop.stopped}; the run goes on in Step Functions: core runs watch {shop.run_id}")
            return record
        await asyncio.sleep(min(LOOK_SECONDS * 1.2**looks, LONGEST_LOOK_SECONDS))
        looks += 1
        record = await _look(shop, record)
        if record.epoch != epoch:
            raise FencedError("the run was taken over", where=shop.run_id, hint="follow it with: core runs watch")
        if looks % CHECK_EVERY == 0 and not record.status.ended:
            record = await _check(shop, record)
        await _show(progress, record)
    return record


async def _look(shop: Workshop, record: RunState) -> RunState:
    """The record as it is now; as it was, while the CMDB cannot be reached."""
    try:
        return await asyncio.to_thread(shop.cmdb.runs.get, shop.run_id)
    except Exception as error:
        if not passes_by_itself(error):
            raise
        get_run_logger().warning("the run cannot be looked at, trying again: %s", error)
        return record


async def _check(shop: Workshop, record: RunState) -> RunState:
    """Whether the execution that the record names still works; the record as it is after that was asked."""
    execution = await look_at_execution(shop, str(record.execution))
    if execution is not None and execution.running:
        if not shop.cmdb.runs.alive(record):
            get_run_logger().warning("no worker has been seen at this run for a while; is one running? core worker stepfunctions")
        return record
    again = await _look(shop, record)
    if again.status.ended or again.execution != record.execution:
        return again
    status = execution.status if execution else "unknown to Step Functions"
    told = f"the execution is {status}, and the run has not ended"
    why = f": {execution.error} {execution.cause}" if execution and execution.error else ""
    kind = CancelledError if again.cancel_requested else RunError
    raise kind(told + why, where=str(record.execution), hint=f"core runs resume {record.run_id}")


async def _show(progress: Progress, record: RunState) -> None:
    try:
        await progress.show(record.counts)
    except (httpx.HTTPError, PrefectException) as error:
        get_run_logger().warning("the progress bar cannot be updated: %s", error)
