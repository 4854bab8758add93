"""Execute one batch of targets: a sub-flow per batch of accounts, a Prefect task per target (or per action in small runs).

Units start as soon as the units they depend on have ended, in this batch or in another one: there is no barrier between levels.
"""

from __future__ import annotations

import asyncio
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Failed

from core_lib.execute import Unit, UnitResult
from flows.stopping import stage
from tasks.driving import drive_actions, drive_target
from tasks.floor import Floor
from tasks.workshop import Workshop, workshop


@flow(name="execute_targets", flow_run_name="{title}", validate_parameters=False)
@stage
async def execute_targets(run_id: str, batch: int, title: str) -> State[Any]:
    """Drive the units of one batch to their end."""
    _ = title
    shop = workshop(run_id)
    floor = shop.have(shop.floor, "floor")
    floor.changed(batch)
    results = await asyncio.gather(*(_drive(shop, floor, unit) for unit in floor.units(batch)), return_exceptions=True)
    await floor.changing(batch)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return _batch_state([result for result in results if isinstance(result, UnitResult)])


async def _drive(shop: Workshop, floor: Floor, unit: Unit) -> UnitResult:
    engine = shop.have(shop.engine, "engine")
    shown_by_action = shop.have(shop.run, "run").action_count <= shop.settings.prefect.task_per_action_up_to
    async with floor.turn(unit):
        try:
            return await (drive_actions if shown_by_action else drive_target)(engine, unit)
        except BaseException as error:
            shop.fatal = shop.fatal or error
            raise


def _batch_state(results: list[UnitResult]) -> State[Any]:
    failed = sum(1 for result in results if result.failed or result.blocked)
    cancelled = sum(1 for result in results if result.cancelled or result.pending)
    message = f"{len(results)} targets, {failed} failed, {cancelled} cancelled"
    if cancelled:
        return Cancelled(message=message)
    return Failed(message=message) if failed else Completed(message=message)
