"""Executions of the Step Functions executor, as flows use them."""

from __future__ import annotations

import asyncio
from functools import partial

from core_lib.framework.models import RunState
from core_lib.runner.stepfunctions import Execution, Executions
from tasks.retries import aws_task
from tasks.workshop import Workshop


def executions(shop: Workshop) -> Executions:
    """Executions of the platform's state machine."""
    return Executions(shop.settings, shop.sessions)


@aws_task("start execution")
async def start_execution(shop: Workshop, before: str | None) -> RunState:
    """Start the execution of a run that was taken; `before` is the ARN of an earlier one, which ends if it still runs.

    The record names the execution first, so that nobody has to search for one of a process that died in between.
    """
    run, starter = shop.have(shop.run, "record"), executions(shop)
    arn = await asyncio.to_thread(starter.arn_of, run)
    shop.run = await asyncio.to_thread(partial(shop.cmdb.runs.amend, run.run_id, epoch=run.epoch, execution=arn))
    if before is not None and before != arn:
        await asyncio.to_thread(starter.stop, before, f"the run goes on in {arn}")
    await asyncio.to_thread(starter.start, shop.run)
    return shop.run


@aws_task("look at execution")
async def look_at_execution(shop: Workshop, arn: str) -> Execution | None:
    """How an execution stands; None when Step Functions does not know it."""
    return await asyncio.to_thread(executions(shop).look, arn)
