"""Drift: a look at every deployed stack, as a run like any other."""

from __future__ import annotations

import asyncio
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from core_lib.framework.models import Options, Selection
from core_lib.runner import new_run_id, operation_payload
from flows.invoke import invoke
from tasks.fleet import plan_drift
from tasks.retries import told
from tasks.workshop import opened


@flow(name="drift", flow_run_name="drift of {client}")
@told
async def drift(client: str, prn: str | None = None, targets: Selection | None = None, tolerance: str = "100%") -> State[Any]:
    """Look for drift in the stacks that the platform has deployed, of one PRN or of all, in all targets or some.

    Drift does not fail the run; looks that fail do, when more targets fail than `tolerance` allows.
    """
    with opened(client, new_run_id()) as shop:
        plan = await plan_drift(shop, targets, prn)
        payload = await asyncio.to_thread(operation_payload, plan, shop.store, options=Options(tolerance=tolerance))
    return await invoke(payload, return_state=True)
