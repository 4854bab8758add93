"""Builds of components as flows see them: what the CMDB knows of them, and what it is told."""

from __future__ import annotations

import asyncio
from functools import partial

from core_lib.component import Released, with_store
from core_lib.component.lifecycle import Outcome, begin, compiled, end, known_of, refuse_too_early
from core_lib.db import Facts
from core_lib.framework.models import Level, Task, TaskPayload
from core_lib.helper import ArtefactStore
from tasks.retries import aws_task
from tasks.workshop import Workshop


@aws_task("merge facts")
async def gather_component_facts(shop: Workshop, payload: TaskPayload) -> Facts:
    """Facts of the deployment, with the places of files in the artefact store."""
    return await asyncio.to_thread(_component_facts, shop, payload)


def _component_facts(shop: Workshop, payload: TaskPayload) -> Facts:
    facts = shop.cmdb.facts(payload.deployment_details, payload.facts)
    location = shop.store.location
    if not location.startswith("s3://"):
        return facts
    return with_store(facts, location, shop.settings.home_region, shop.sessions.identity.account)


@aws_task("share files")
async def share_files(shop: Workshop) -> None:
    """Let the accounts that the build goes to read the portfolio's files in the artefact store, if it is not theirs."""
    plan = shop.have(shop.compilation, "compilation").plan(Task.DEPLOY)
    if not shop.store.location.startswith("s3://"):
        return
    folder = plan.deployment.but(scope=Level.PORTFOLIO).key_prefix("files")
    for account in sorted({target.account for target in plan.targets} - {shop.sessions.identity.account}):
        await asyncio.to_thread(shop.store.share, folder, account)


@aws_task("look at the build")
async def know_build(shop: Workshop, payload: TaskPayload) -> Released:
    """See `core_lib.component.lifecycle.known_of`."""
    look = partial(known_of, shop.cmdb.items, payload.deployment_details, to_tear_down=payload.task is Task.TEARDOWN)
    return await asyncio.to_thread(look)


@aws_task("may the build do that")
async def refuse_task(shop: Workshop, payload: TaskPayload, known: Released, facts: Facts) -> None:
    """See `core_lib.component.lifecycle.refuse_too_early`."""
    await asyncio.to_thread(refuse_too_early, shop.cmdb.items, payload, known, facts.values)


@aws_task("record the compile")
async def record_compiled(shop: Workshop) -> None:
    """Write down that the build was compiled."""
    plan = shop.have(shop.compilation, "compilation").plan(Task.DEPLOY)
    await asyncio.to_thread(compiled, shop.cmdb.items, plan)


@aws_task("record the build's begin")
async def begin_build(shop: Workshop) -> None:
    """Write down that the run begins to change a build, if it is one of a build of components."""
    plan = shop.have(shop.plan, "plan")
    if plan.components is not None:
        await asyncio.to_thread(begin, shop.cmdb.items, plan)


@aws_task("record the build's end")
async def end_build(shop: Workshop) -> None:
    """Write down how a run over a build of components ended. The files of a build that is gone go with it."""
    plan, run = shop.have(shop.plan, "plan"), shop.have(shop.run, "record")
    if plan.components is None:
        return
    rows = await asyncio.to_thread(shop.cmdb.ledger.load, run.run_id)
    outcome: Outcome = await asyncio.to_thread(end, shop.cmdb.items, plan, run, rows)
    if plan.task is Task.TEARDOWN and outcome.complete and not outcome.kept:
        prefix = plan.deployment.but(scope=Level.BUILD).key_prefix("files")
        await asyncio.to_thread(partial(delete_below, shop.store, prefix))


def delete_below(store: ArtefactStore, prefix: str) -> None:
    """Delete every artefact below a folder."""
    for key in list(store.list(f"{prefix}/")):
        store.delete(key)
