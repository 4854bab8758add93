"""The way back: what a target's actions changed in this run is undone, last one first."""

from __future__ import annotations

from core_lib.execute.book import UNDOING
from core_lib.execute.graph import order
from core_lib.execute.locking import UnitLocks, stack_names
from core_lib.execute.parts import Parts
from core_lib.execute.runtime import RuntimeValues
from core_lib.execute.shift import LeavingError, Waiting
from core_lib.execute.stacks.view import StackView
from core_lib.execute.worker import Worker
from core_lib.framework.models import ActionStatus, PlanAction


def undoable(parts: Parts, target: str) -> list[PlanAction]:
    """The actions of the target that succeeded in this run and changed something, or whose undoing has begun; last one first."""
    own = [action for action in parts.plan.actions if action.target == target]
    inside = {action.id for action in own}
    ordered = order(action.but(depends_on=tuple(d for d in action.depends_on if d in inside)) for action in own)
    return [parts.plan.action_by_id[action.id] for action in reversed(ordered) if _is_undoable(parts, action)]


def _is_undoable(parts: Parts, action: PlanAction) -> bool:
    state = parts.book.state(action.id)
    if state is None:
        return False
    begun = state.status is ActionStatus.RUNNING and UNDOING in state.scratch
    return begun or (state.status is ActionStatus.SUCCEEDED and bool(state.changed))


async def undo_target(parts: Parts, target: str, locks: UnitLocks, view: StackView) -> list[Waiting]:
    """Undo what the target's actions did in this run. What is still waited for when this worker leaves, if anything."""
    reason = parts.brake.closed_targets[target]
    for action in undoable(parts, target):
        try:
            waiting = await _undo(parts, action, reason, locks, view)
        except LeavingError as leaving:  # for a lock
            waiting = leaving.waiting
        if waiting is not None:
            return [waiting]
    return []


async def _undo(parts: Parts, action: PlanAction, reason: str, locks: UnitLocks, view: StackView) -> Waiting | None:
    worker = Worker(parts, action, view)
    for name in stack_names(parts, action):
        refusal = await locks.take_late(str(RuntimeValues(action, parts.book).resolve(name)))
        if refusal is not None:
            await worker.refuse(refusal.model_copy(update={"message": f"not undone: {refusal.message}"}))
            return None
    await worker.undo(reason)
    return worker.waiting
