"""Report: what the run did, into Prefect's UI, the artefact store and the log."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from core_lib.framework.models import Task
from core_lib.report import drift_headline, headline, render_text, review, summarize
from flows.stopping import stage
from tasks.artifacts import publish_report
from tasks.fleet import keep_drift, publish_drift
from tasks.workshop import workshop


@flow(name="report", flow_run_name="report {run_id}", validate_parameters=False)
@stage
async def report(run_id: str) -> State[Any]:
    """Summarize an ended run; a plan run gets its review as well, a look for drift its history."""
    shop = workshop(run_id)
    run, plan = shop.have(shop.run, "record"), shop.have(shop.plan, "plan")
    summary = summarize(run, plan, shop.states, shop.preflight)
    get_run_logger().info("%s", render_text(summary))
    await publish_report(run, summary)

    message = summary.status.value
    if run.task is Task.PLAN:
        found = review(plan, shop.states, run_id=run_id, preflight=shop.preflight)
        await publish_report(run, found)
        message = headline(found)
    if run.task is Task.DRIFT:
        drift = await keep_drift(shop)
        await publish_drift(drift, run.prn)
        message = drift_headline(drift)
    await asyncio.to_thread(partial(shop.runner.export, run, plan, shop.states))
    return Completed(message=message)
