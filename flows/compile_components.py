"""Compile components: the package, the facts and what the CMDB knows of the branch become plans, templates and files."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from core_lib.component import compile_components as compile_package
from core_lib.deployspec import Linter
from core_lib.framework.models import TaskPayload
from flows.compile_deployspec import findings_folder
from flows.stopping import stage
from tasks.builds import gather_component_facts, know_build, refuse_task, share_files
from tasks.inputs import list_accounts, read_package
from tasks.storing import store_compilation
from tasks.workshop import workshop


@flow(name="compile_components", flow_run_name="compile {run_id}", validate_parameters=False)
@stage
async def compile_components(run_id: str, payload: TaskPayload, *, store: bool = True) -> State[Any]:
    """Compile the components of a payload; a task that the state of the build does not allow is refused here already."""
    shop = workshop(run_id)
    package = await read_package(shop, payload)
    facts = await gather_component_facts(shop, payload)
    accounts = await list_accounts(shop)
    known = await know_build(shop, payload)
    await refuse_task(shop, payload, known, facts)
    shop.raise_if_stopped()

    folder = findings_folder()
    compile_it = partial(
        compile_package,
        payload,
        package=package,
        facts=facts,
        accounts=accounts,
        released=known,
        linter=Linter(folder),
        cache=folder,
    )
    compilation = await asyncio.to_thread(compile_it)
    shop.compilation = compilation
    for warning in compilation.warnings[:20]:
        get_run_logger().warning("%s", warning)

    if store:
        await store_compilation(shop)
        await share_files(shop)
    made = ", ".join(f"{task} {len(plan.actions)}" for task, plan in sorted(compilation.plans.items()))
    return Completed(message=f"actions: {made}; {len(compilation.files)} files")
