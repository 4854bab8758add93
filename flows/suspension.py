"""Suspension: a run that only waits for people gives its process back; Prefect begins its flow again when they have answered."""

from __future__ import annotations

import asyncio
from datetime import datetime

from prefect import runtime
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.flow_runs import suspend_flow_run
from prefect.states import Scheduled

from core_lib.framework.models import ApprovalStatus, RunStatus
from core_lib.runner import needs_review
from tasks.ledger import load_reviews, load_run
from tasks.workshop import Workshop

WAKER = "wake/wake"


async def suspend(shop: Workshop) -> None:
    """Suspend this flow run. Does not return, unless Prefect says that somebody has woken it up already."""
    record = shop.have(shop.run, "record")
    asked = await asyncio.to_thread(shop.cmdb.approvals.of_run, record.run_id)
    open_until = [question.expires_at for question in asked if question.status is ApprovalStatus.OPEN and question.expires_at]
    if open_until:
        await _wake_at(min(open_until), record.client, record.run_id)
    await suspend_flow_run(key=f"{record.run_id}-{record.epoch}")  # type: ignore[misc]


async def is_waking(shop: Workshop) -> bool:
    """Whether this flow run was suspended (or crashed, and Prefect retries it): then its run goes on where it was."""
    known = await asyncio.to_thread(shop.cmdb.runs.find, shop.run_id)
    if known is None or known.flow_run_id != runtime.flow_run.id or known.status is not RunStatus.AWAITING_APPROVAL:
        return False
    shop.waking = True
    await load_run(shop)
    if needs_review(shop.have(shop.plan, "plan")):
        await load_reviews(shop, None)
    return True


async def _wake_at(moment: datetime, client: str, run_id: str) -> None:
    """When nobody answers in time, the run has to be told."""
    async with get_client() as prefect:
        try:
            deployment = await prefect.read_deployment_by_name(WAKER)
        except ObjectNotFound:
            return
        await prefect.create_flow_run_from_deployment(
            deployment.id, state=Scheduled(scheduled_time=moment), parameters={"client": client, "run_id": run_id}
        )
