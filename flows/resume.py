"""Resume: go on with a run that failed, was cancelled, or lost its worker."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from prefect import flow, runtime
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound
from prefect.states import Completed

from core_lib.framework.models import Options, RunState, Task
from core_lib.runner import needs_review
from flows.execution import execute
from flows.naming import tag
from flows.stopping import on_terminate
from flows.suspension import is_waking
from tasks.executions import look_at_execution
from tasks.ledger import load_reviews, load_run, record_failure
from tasks.retries import told
from tasks.workshop import Workshop, opened


@flow(name="resume", flow_run_name="resume {run_id}")
@told
async def resume(
    client: str, run_id: str, options: Options | None = None, take_over: bool = False, by: str | None = None
) -> State[Any]:
    """Go on with a run: what succeeded stays, what was running is looked at, everything else begins again.

    `options` replace those of the run (what was reviewed stays). `take_over` takes the run from a worker that still looks alive.
    `by` is the person who resumes it.
    """
    with opened(client, run_id) as shop, on_terminate(shop.stop):
        try:
            return await _go_on(shop, options, take_over=take_over, by=by)
        except Exception as error:
            await record_failure(shop, error, None, runtime.flow_run.id)
            raise


async def _go_on(shop: Workshop, options: Options | None, *, take_over: bool, by: str | None) -> State[Any]:
    if await is_waking(shop):
        return await execute(shop)
    record = await load_run(shop)
    shop.resuming, shop.resumed_by = True, by
    await tag(record.client, record.prn, record.task, record.run_id)
    if options is not None:
        shop.options = options.but(reviewed_run=record.options.reviewed_run, plan_hash=record.options.plan_hash)
        if options.dry_run:
            return Completed(message=f"dry run: {record.run_id} is {record.status}, nothing was executed")
    else:
        shop.options = record.options.but(only=None, ignore_freeze=None)  # what was chosen earlier, by whomever, was for then
    if (record.task is Task.APPLY or record.options.reviewed_run is not None) and needs_review(shop.have(shop.plan, "plan")):
        await load_reviews(shop, None)
    shop.only_if_idle = not take_over and not await _worker_is_gone(shop, record)
    return await execute(shop)


async def _worker_is_gone(shop: Workshop, record: RunState) -> bool:
    """Whether it is known that nobody executes the run, so that nobody has to wait for its heartbeat to grow old."""
    if record.executor == "stepfunctions" and record.execution is not None:
        execution = await look_at_execution(shop, record.execution)
        return execution is None or not execution.running
    return await _is_over(record.flow_run_id)


async def _is_over(flow_run_id: str | None) -> bool:
    """Whether Prefect knows that the flow run which executed the run has ended: then nobody has to wait for its heartbeat."""
    if flow_run_id is None:
        return False
    async with get_client() as client:
        try:
            state = (await client.read_flow_run(UUID(flow_run_id))).state
        except ObjectNotFound:
            return False
    return state is not None and state.is_final()
