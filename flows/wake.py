"""Wake: have a run that sleeps look at the clock, because the time that people had to answer is over."""

from __future__ import annotations

import asyncio
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows import door
from tasks.retries import told


@flow(name="wake", flow_run_name="wake {run_id}")
@told
async def wake(client: str, run_id: str) -> State[Any]:
    """Wake the run up if it still sleeps. Scheduled by the run itself for the moment its question expires."""
    woken = await asyncio.to_thread(door.wake, client, run_id)
    return Completed(message="woken up" if woken else "was not asleep any more")
