"""Compile: facts, accounts and the package become plans and files. Pure in the middle, AWS only at both ends."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed

from core_lib.deployspec import Linter
from core_lib.deployspec import compile_deployspec as compile_package
from core_lib.framework.models import TaskPayload
from flows.stopping import stage
from tasks.inputs import gather_facts, list_accounts, read_package
from tasks.storing import store_compilation
from tasks.workshop import workshop


@flow(name="compile_deployspec", flow_run_name="compile {run_id}", validate_parameters=False)
@stage
async def compile_deployspec(run_id: str, payload: TaskPayload, *, store: bool = True) -> State[Any]:
    """Compile the package of a payload; the plans are left in the run's workshop, their files in the artefact store."""
    shop = workshop(run_id)
    package = await read_package(shop, payload)
    facts = await gather_facts(shop, payload)
    accounts = await list_accounts(shop)
    shop.raise_if_stopped()

    linter = Linter(findings_folder())
    compile_it = partial(compile_package, payload, package=package, facts=facts, accounts=accounts, linter=linter)
    compilation = await asyncio.to_thread(compile_it)
    shop.compilation = compilation
    for warning in compilation.warnings[:20]:
        get_run_logger().warning("%s", warning)

    if store:
        await store_compilation(shop)
    made = ", ".join(f"{task} {len(plan.actions)}" for task, plan in sorted(compilation.plans.items()))
    return Completed(message=f"actions: {made}; {len(compilation.files)} files")


def findings_folder() -> Path | None:
    """Where cfn-lint's findings are remembered by content, so that it need not be loaded again for the same templates.

    `$XDG_CACHE_HOME/core/lint` (or `~/.cache/core/lint`); None when that cannot be written, as in a read-only container.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "core" / "lint"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
