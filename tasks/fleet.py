"""Prefect tasks about the fleet: what a look for drift found goes into the history, and onto a page of Prefect."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from prefect.artifacts import acreate_markdown_artifact

from core_lib.db import ClientCmdb
from core_lib.fleet import drift_plan, ignored_groups, remember_drift
from core_lib.framework.models import Plan, Prn, Selection
from core_lib.report import DriftReport, drift_headline, drift_report, render_drift
from tasks.artifacts import artifact_key
from tasks.retries import aws_task
from tasks.workshop import Workshop


@aws_task("plan drift")
async def plan_drift(shop: Workshop, narrow: Selection | None, prn: str | None) -> Plan:
    """See `core_lib.fleet.drift_plan`."""
    return await asyncio.to_thread(drift_plan, shop.cmdb, narrow, Prn.parse(prn) if prn else None)


@aws_task("remember drift")
async def keep_drift(shop: Workshop) -> DriftReport:
    """Bring the history up to what the run found; the report of it."""
    return await asyncio.to_thread(_keep, shop, shop.cmdb)


def _keep(shop: Workshop, cmdb: ClientCmdb) -> DriftReport:
    run, plan = shop.have(shop.run, "record"), shop.have(shop.plan, "plan")
    at = run.ended_at or datetime.now(UTC)
    remember_drift(cmdb, plan, shop.states, run.run_id, at)
    return drift_report(plan, shop.states, ignored_groups(cmdb, at.date()), run.run_id)


async def publish_drift(report: DriftReport, prn: str) -> None:
    """The report as an artifact; looks at the same deployment share a key."""
    text = f"# {drift_headline(report)}\n\n```text\n{render_drift(report)}```\n"
    await acreate_markdown_artifact(text, key=artifact_key("drift", prn), description=f"Drift found by {report.run_id}")
