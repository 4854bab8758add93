"""The run record and the ledger, as flows use them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from core_lib.framework.errors import CancelledError, CoreError, FencedError
from core_lib.framework.models import ApprovalStatus, RunState, RunStatus, StackReview, TaskPayload
from core_lib.helper import error_info, utc_now
from tasks.retries import aws_task
from tasks.workshop import Workshop


@aws_task("register run")
async def register_run(shop: Workshop, payload: TaskPayload, flow_run_id: str | None) -> RunState:
    """Store the plan and create the run record."""
    plan = shop.have(shop.plan, "plan")
    register = partial(shop.runner.register, payload, plan, flow_run_id=flow_run_id)
    shop.run = await asyncio.to_thread(register)
    return shop.run


@aws_task("load run")
async def load_run(shop: Workshop) -> RunState:
    """Read the run record and its plan from the stores, unless this process has the plan already."""
    if shop.plan is None:
        shop.run, shop.plan = await asyncio.to_thread(shop.runner.load, shop.run_id)
    else:
        shop.run = await asyncio.to_thread(shop.cmdb.runs.get, shop.run_id)
    return shop.have(shop.run, "record")


@aws_task("load reviews")
async def load_reviews(shop: Workshop, plan_hash: str | None) -> Mapping[str, StackReview]:
    """What the reviewed plan run found; refused when that is not what was approved."""
    run = shop.have(shop.run, "record")
    shop.reviews = await asyncio.to_thread(shop.runner.reviewed, run.options, run.prn, plan_hash)
    return shop.reviews


@aws_task("take run")
async def take_run(shop: Workshop, flow_run_id: str | None) -> RunState:
    """Become the worker of the run: a new epoch, status running, and the flow run where people can watch it."""
    runs = shop.cmdb.runs
    take = partial(runs.take, shop.run_id, only_if_idle=shop.only_if_idle, same_visit=shop.waking)
    taken = await asyncio.to_thread(take)
    fields: dict[str, Any] = {"flow_run_id": flow_run_id, "error": None, "options": shop.options or taken.options}
    if shop.resuming and not shop.waking:
        fields |= {"resumed_by": shop.resumed_by, "resumed_at": utc_now()}
    status = RunStatus.CANCELLING if taken.cancel_requested else RunStatus.RUNNING
    run: RunState = await asyncio.to_thread(partial(runs.transition, shop.run_id, status, epoch=taken.epoch, **fields))
    shop.run = run
    return run


@aws_task("put run away")
async def await_approval(shop: Workshop) -> bool:
    """Say that only people are waited for; False when they have answered meanwhile, so that there is something to do."""
    run = shop.have(shop.run, "record")
    say = partial(shop.cmdb.runs.transition, run.run_id, RunStatus.AWAITING_APPROVAL, epoch=run.epoch)
    shop.run = await asyncio.to_thread(say)
    asked = await asyncio.to_thread(shop.cmdb.approvals.of_run, run.run_id)
    return any(question.status is ApprovalStatus.OPEN for question in asked) and not shop.run.cancel_requested


@aws_task("end run")
async def end_run(shop: Workshop, status: RunStatus) -> RunState:
    """Record how the run ended, with its counts."""
    run = shop.have(shop.run, "record")
    shop.run = await asyncio.to_thread(shop.runner.end, run, status)
    shop.ended = True
    return shop.run


async def record_failure(shop: Workshop, error: Exception, payload: TaskPayload | None, flow_run_id: str | None) -> None:
    """Keep in the run record why a run could not begin or go on, so that whoever asks for it can be told.

    A request that never became a run gets a record all the same; a run that another worker has is left alone.
    """
    info = error_info(error, error.where if isinstance(error, CoreError) else None)
    status = RunStatus.CANCELLED if isinstance(error, CancelledError) else RunStatus.FAILED
    run = await asyncio.to_thread(shop.cmdb.runs.find, shop.run_id)
    if run is None:
        if payload is not None and shop.run is None:
            await asyncio.to_thread(shop.runner.refused, payload, shop.run_id, status, info, flow_run_id)
    elif not isinstance(error, FencedError) and run.flow_run_id == flow_run_id and not run.status.ended:
        end = partial(shop.cmdb.runs.transition, shop.run_id, status, epoch=run.epoch, error=info)
        shop.run = await asyncio.to_thread(end)
