"""Prefect tasks around the engine: one per target, or in small runs one per action."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, cast

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Cancelled, Completed, Failed
from prefect.tasks import Task

from core_lib.execute import Engine, Unit, UnitResult
from core_lib.framework.models import ActionState, ActionStatus, PlanAction
from tasks.retries import told

T = TypeVar("T")
Work = Callable[[], Awaitable[State[Any]]]
Shown = Task[[str, Work], Coroutine[Any, Any, State[Any]]]


@task(name="target", task_run_name="{label}", cache_policy=NO_CACHE, persist_result=False)
@told
async def target(label: str, work: Work) -> State[Any]:
    """All actions of one target (of one segment of it)."""
    _ = label
    return await work()


@task(name="action", task_run_name="{label}", cache_policy=NO_CACHE, persist_result=False)
@told
async def action(label: str, work: Work) -> State[Any]:
    """One action, from start to end."""
    _ = label
    return await work()


async def drive_target(engine: Engine, unit: Unit) -> UnitResult:
    """Drive a unit as one Prefect task."""
    label = unit.target if unit.segment == 0 else f"{unit.target} segment {unit.segment}"
    return await _shown(target, label, lambda: engine.drive(unit), unit_state)


async def drive_actions(engine: Engine, unit: Unit) -> UnitResult:
    """Drive a unit with one Prefect task per action."""

    async def around(item: PlanAction, work: Callable[[], Awaitable[ActionState]]) -> ActionState:
        return await _shown(action, item.id, work, action_state)

    return await engine.drive(unit, around=around)


def unit_state(result: UnitResult) -> State[Any]:
    """The Prefect state of a target: failed when anything in it failed or could not start."""
    counts = {
        "succeeded": result.succeeded,
        "failed": result.failed,
        "blocked": result.blocked,
        "cancelled": result.cancelled,
        "skipped": result.skipped,
        "not run": result.pending,
    }
    message = ", ".join(f"{count} {status}" for status, count in counts.items() if count) or "nothing to do"
    if result.failed or result.blocked:
        return Failed(message=message)
    if not result.ok:
        return Cancelled(message=message)
    return Completed(message=f"{message}; {result.changed} changed something")


def action_state(state: ActionState) -> State[Any]:
    """The Prefect state of an action, as the ledger has it."""
    reason = state.error.message if state.error else state.message
    if state.status is ActionStatus.FAILED:
        return Failed(message=reason)
    if state.status is ActionStatus.CANCELLED:
        return Cancelled(message=reason)
    if state.status is ActionStatus.BLOCKED:
        return Failed(name="Blocked", message=reason)
    return Completed(name="Skipped" if state.status is ActionStatus.SKIPPED else "Completed", message=reason)


async def _shown(shown: Shown, label: str, work: Callable[[], Awaitable[T]], state_of: Callable[[T], State[Any]]) -> T:
    """Do the work inside a Prefect task, and hand on what it really returned or raised, not what Prefect made of it."""
    values: list[T] = []
    errors: list[BaseException] = []

    async def watched() -> State[Any]:
        try:
            values.append(await work())
        except BaseException as error:
            errors.append(error)
            raise
        return state_of(values[0])

    # Prefect's stubs know the answer of an async task with `return_state` as the state itself; it has to be awaited.
    state = await cast("Awaitable[State[Any]]", shown(label, watched, return_state=True))
    if errors:
        raise errors[0]
    if not values:
        await state.aresult()
        raise RuntimeError(f"Prefect did not run the task {label!r}: {state.message}")
    return values[0]
