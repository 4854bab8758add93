"""Teardown: the guarded door to the one task that removes things."""

from __future__ import annotations

from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from core_lib.framework.errors import PayloadError
from core_lib.framework.models import Task, TaskPayload
from flows.invoke import invoke
from tasks.retries import told


@flow(name="teardown", flow_run_name="teardown {confirm}")
@told
async def teardown(payload: TaskPayload, confirm: str) -> State[Any]:
    """Carry out a teardown payload, if `confirm` repeats the PRN of what is torn down."""
    if payload.task is not Task.TEARDOWN:
        raise PayloadError(f"the task is '{payload.task}', not 'teardown'", where="Task", hint="other tasks go through 'invoke'")
    if confirm != str(payload.prn):
        raise PayloadError(f"confirm is {confirm!r}, not the PRN", where="confirm", hint=f"repeat {payload.prn}")
    return await invoke(payload, return_state=True)
