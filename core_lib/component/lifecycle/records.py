"""Writing down what becomes of a build: the status of build and components, the stacks they use, what is released."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from core_lib.component.lifecycle.knowledge import DEPLOYED, RESOURCES_STACK, find
from core_lib.component.plans import BUILD, name_of
from core_lib.db import Item, Items
from core_lib.framework.models import ActionState, ActionStatus, Level, Plan, PlanComponent, Prn, RunState, RunStatus, Task

WRITERS = 8
_CHANGES = frozenset({Task.DEPLOY, Task.APPLY, Task.RELEASE, Task.TEARDOWN})
_VERBS = {Task.APPLY: "DEPLOY"}
_DEPLOYS = frozenset({Task.DEPLOY, Task.APPLY})
_IMAGE = "ImageId"


@dataclass(frozen=True)
class Outcome:
    """How a run over a build ended. `kept` are components whose resources others still use."""

    complete: bool
    kept: tuple[str, ...] = ()


def compiled(items: Items, plan: Plan) -> None:
    """Write down that a build was compiled, if nothing more than that ever happened to it."""
    _write(items, plan, lambda component: {"component_type": component.type}, "COMPILE_COMPLETE", only_fresh=True)


def begin(items: Items, plan: Plan) -> None:
    """Write down that a run begins to change the build: from now on the components have their stacks."""
    if plan.task not in _CHANGES or plan.components is None:
        return
    deploys = plan.task in _DEPLOYS

    def fields(component: PlanComponent) -> dict[str, Any]:
        stack = {"metadata": {RESOURCES_STACK: component.resources_stack}} if deploys else {}
        return {"component_type": component.type, **stack}

    of_build = {"metadata": {DEPLOYED: False}} if deploys or plan.task is Task.TEARDOWN else {}
    _write(items, plan, fields, f"{_verb(plan)}_IN_PROGRESS", of_build=of_build)


def end(items: Items, plan: Plan, run: RunState, rows: Mapping[str, ActionState]) -> Outcome:
    """Write down how the run ended, for every component and for the build; what is released now.

    Told again, it says the same again.
    """
    if plan.task not in _CHANGES or plan.components is None:
        return Outcome(complete=run.status is RunStatus.SUCCEEDED)
    state_of = {identity.partition("@")[0]: state for identity, state in rows.items()}
    complete = run.status is RunStatus.SUCCEEDED
    verb = _verb(plan)

    def fields(component: PlanComponent) -> dict[str, Any]:
        state = state_of.get(name_of(component.name, "complete"))
        done = state is not None and state.status is ActionStatus.SUCCEEDED
        more = _of_component(plan, component, state_of) if done else {}
        message = None if done else _reason(component.name, state_of) or f"the run is {run.status}"
        return {"status": f"{verb}_{'COMPLETE' if done else 'FAILED'}", "message": message, **more}

    failed = [name for name in sorted(state_of) if state_of[name].status is ActionStatus.FAILED]
    message = None if complete else _failure(state_of[failed[0]], failed[0]) if failed else f"the run is {run.status}"
    of_build: dict[str, Any] = {"message": message}
    if complete and plan.task in _DEPLOYS:
        of_build["metadata"] = {DEPLOYED: True}
    _write(items, plan, fields, f"{verb}_{'COMPLETE' if complete else 'FAILED'}", of_build=of_build)
    if complete and plan.task is Task.RELEASE:
        items.release(plan.deployment.prn)
    elif plan.task is Task.TEARDOWN:
        _forget_release(items, plan, state_of)
    kept = [each.name for each in plan.components if _is_kept(each.name, state_of)] if plan.task is Task.TEARDOWN else []
    return Outcome(complete, tuple(kept))


def _verb(plan: Plan) -> str:
    return _VERBS.get(plan.task, plan.task.value.upper())


def _of_component(plan: Plan, component: PlanComponent, state_of: Mapping[str, ActionState]) -> dict[str, Any]:
    """What a task that came to its end leaves on a component."""
    if plan.task is Task.TEARDOWN:
        kept = state_of.get(name_of(component.name, "users")) if _is_kept(component.name, state_of) else None
        return {"metadata": {RESOURCES_STACK: None}, "message": f"resources kept: {kept.message}" if kept else None}
    image = state_of.get(name_of(component.name, "image"))
    if plan.task in _DEPLOYS and image is not None and _IMAGE in image.outputs:
        return {"image_id": str(image.outputs[_IMAGE])}
    return {}


def _is_kept(component: str, state_of: Mapping[str, ActionState]) -> bool:
    state = state_of.get(name_of(component, "resources"))
    return state is not None and state.status is ActionStatus.SKIPPED


def _reason(component: str, state_of: Mapping[str, ActionState]) -> str | None:
    """The first failure among a component's own actions."""
    prefix = name_of(component, "")
    own = (name for name in sorted(state_of) if name.startswith(prefix) and "." not in name.removeprefix(prefix))
    return next((_failure(state_of[name], name) for name in own if state_of[name].status is ActionStatus.FAILED), None)


def _failure(state: ActionState, name: str) -> str:
    return f"{name}: {state.error.message if state.error is not None else 'failed'}"


def _forget_release(items: Items, plan: Plan, state_of: Mapping[str, ActionState]) -> None:
    """A released build that is torn down is no longer released, from the moment that its release stacks are gone."""
    branch = plan.deployment.prn.parent
    item = find(items, branch) if branch is not None else None
    gone = state_of.get(name_of(BUILD, "unreleased"))
    is_gone = gone is not None and gone.status is ActionStatus.SUCCEEDED
    if item is not None and item.released_build is not None and item.released_build.prn == plan.deployment.prn and is_gone:
        items.update(item.prn, released_build=None)


def _write(
    items: Items,
    plan: Plan,
    fields: Callable[[PlanComponent], Mapping[str, Any]],
    status: str,
    *,
    of_build: Mapping[str, Any] | None = None,
    only_fresh: bool = False,
) -> None:
    """Register the build, then its components side by side, with these fields. `metadata` is merged, None takes a key out."""
    build = plan.deployment.but(component=None, scope=Level.BUILD)
    wanted_of_build = {"status": status, "message": None, **(of_build or {})}
    if not _set(items, build.prn, lambda: items.register(build), wanted_of_build, only_fresh):
        return

    def one(component: PlanComponent) -> None:
        details = build.but(component=component.name, scope=Level.COMPONENT)
        wanted = {"status": status, "message": None, **fields(component)}
        _set(items, details.prn, lambda: items.register(details), wanted, only_fresh)

    with ThreadPoolExecutor(WRITERS, thread_name_prefix="items") as pool:
        list(pool.map(one, plan.components or ()))


def _set(items: Items, prn: Prn, register: Callable[[], Item], fields: Mapping[str, Any], only_fresh: bool) -> bool:
    """Set fields of an item; False when it has been more than compiled already, and only a fresh one was meant."""
    item = find(items, prn) or register()
    if only_fresh and item.status is not None and not item.status.startswith("COMPILE_"):
        return False
    merged = {**item.metadata, **fields.get("metadata", {})}
    metadata = {key: value for key, value in merged.items() if value is not None}
    wanted = {**fields, "metadata": metadata}
    changes = {name: value for name, value in wanted.items() if getattr(item, name) != value}
    if changes:
        items.update(prn, **changes)
    return True
