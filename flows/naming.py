"""Names: of flow runs, so that a list of them can be read, and of runs that nobody named."""

from __future__ import annotations

from typing import Any

from prefect import runtime
from prefect.client.orchestration import get_client

from core_lib.framework.models import TaskPayload


def invoke_name() -> str:
    """`deploy prn:payments:ledger:main:7 20261123-071500-ab12cd`."""
    payload: Any = runtime.flow_run.parameters["payload"]
    if not isinstance(payload, TaskPayload):
        payload = TaskPayload.model_validate(payload)
    return f"{payload.task} {payload.prn} {run_id_of(payload)}"


def run_id_of(payload: TaskPayload) -> str:
    """The correlation id of a payload; without one, an id made of the flow run's own, so that a retry finds the same run."""
    if payload.correlation_id:
        return payload.correlation_id
    started = runtime.flow_run.scheduled_start_time
    identity = str(runtime.flow_run.id).replace("-", "")
    return f"{started:%Y%m%d-%H%M%S}-{identity[:6]}"


async def tag(*tags: str) -> None:
    """Add tags to the current flow run, so that Prefect's pages can be filtered by client, deployment and task."""
    identity = runtime.flow_run.id
    if identity is None:
        return
    async with get_client() as client:
        await client.update_flow_run(identity, tags={*runtime.flow_run.tags, *tags})
