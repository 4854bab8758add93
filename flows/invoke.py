"""Invoke: the one door. A payload comes in, gets its correlation id, is routed, compiled, registered, executed, reported."""

from __future__ import annotations

from typing import Any

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed

from core_lib.framework.models import Plan, Task, TaskPayload
from core_lib.invoker import Processor, route
from core_lib.runner import needs_review
from flows.compile_components import compile_components
from flows.compile_deployspec import compile_deployspec
from flows.execution import execute
from flows.naming import invoke_name, run_id_of, tag
from flows.stopping import on_terminate
from flows.suspension import is_waking
from tasks.artifacts import publish_plan
from tasks.builds import record_compiled
from tasks.inputs import load_operation, read_package, store_package
from tasks.ledger import load_reviews, record_failure, register_run
from tasks.retries import told
from tasks.workshop import Workshop, opened


@flow(name="invoke", flow_run_name=invoke_name)
@told
async def invoke(payload: TaskPayload) -> State[Any]:
    """Carry out a task payload: package, upload, compile, plan, apply, deploy, release, teardown, or an operation (drift ...).

    The flow run ends completed when everything asked for was done, failed when something was not, cancelled when it was
    stopped. What happened to each target is in the run's ledger under the correlation id.
    """
    run_id = run_id_of(payload)
    payload = payload.but(correlation_id=run_id)
    with opened(payload.client, run_id) as shop, on_terminate(shop.stop):
        await tag(payload.client, str(payload.prn), payload.task, run_id)
        try:
            return await _carry_out(shop, payload)
        except Exception as error:
            await record_failure(shop, error, payload, runtime.flow_run.id)
            raise


async def _carry_out(shop: Workshop, payload: TaskPayload) -> State[Any]:
    way = route(payload)
    if way.processor is Processor.PACKAGE:
        return await _take_package(shop, payload, store=way.stores)

    if await is_waking(shop):
        return await execute(shop)

    if way.processor is Processor.OPERATION:
        return await _operate(shop, payload, runs=way.runs)

    compile_it = compile_components if way.processor is Processor.COMPONENTS else compile_deployspec
    await compile_it(shop.run_id, payload, store=way.stores)
    shop.raise_if_stopped()
    if not way.runs:
        compilation = shop.have(shop.compilation, "compilation")
        if way.processor is Processor.COMPONENTS and way.stores:
            await record_compiled(shop)
        shown = compilation.plans.values() if way.task is Task.COMPILE else [compilation.plan(way.task)]
        for plan in shown:
            await publish_plan(shop.run_id, plan)
        return Completed(message="compiled; nothing was executed")

    compilation = shop.have(shop.compilation, "compilation")
    plan = compilation.plan(payload.task)
    await _register(shop, payload, plan)
    if payload.task is Task.APPLY and needs_review(plan):
        reviewed = compilation.plans.get(Task.PLAN)
        await load_reviews(shop, reviewed.hash if reviewed else None)
    return await execute(shop)


async def _operate(shop: Workshop, payload: TaskPayload, *, runs: bool) -> State[Any]:
    """Carry out a plan that was made without a package (drift, medic, rollback)."""
    plan = await load_operation(shop, payload)
    if not runs:
        await publish_plan(shop.run_id, plan)
        return Completed(message="a dry run; nothing was executed")
    await _register(shop, payload, plan)
    if payload.options.reviewed_run is not None and needs_review(plan):
        await load_reviews(shop, None)
    return await execute(shop)


async def _register(shop: Workshop, payload: TaskPayload, plan: Plan) -> None:
    """Register the run. When Prefect retries this flow run it is registered already, and what it stored then counts."""
    known = shop.cmdb.runs.find(shop.run_id)
    if known is not None and known.flow_run_id == runtime.flow_run.id:
        shop.run = known
    else:
        shop.plan = plan
        await register_run(shop, payload, runtime.flow_run.id)


async def _take_package(shop: Workshop, payload: TaskPayload, *, store: bool) -> State[Any]:
    package = await read_package(shop, payload)
    if not store:
        return Completed(message=f"package {package.sha256[:12]}: {len(package.files)} files")
    return Completed(message=await store_package(shop, payload, package))
