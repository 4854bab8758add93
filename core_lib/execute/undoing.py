"""The way back: what a target's actions changed in this run is undone, last one first."""

from __future__ import annotations

from core_lib.execute.graph import order
from core_lib.execute.locking import UnitLocks, stack_names
from core_lib.execute.parts import Parts
from core_lib.execute.runtime import RuntimeValues
from core_lib.execute.stacks.view import StackView
from core_lib.execute.worker import Worker
from core_lib.framework.models import ActionStatus, PlanAction


async def undo_target(parts: Parts, target: str, locks: UnitLocks, view: StackView) -> None:
    """Undo every action of the target that succeeded in this run and changed something."""
    reason = parts.brake.closed_targets[target]
    own = [action for action in parts.plan.actions if action.target == target]
    inside = {action.id for action in own}
    ordered = order(action.but(depends_on=tuple(d for d in action.depends_on if d in inside)) for action in own)
    for action in reversed(ordered):
        state = parts.book.state(action.id)
        if state is not None and state.status is ActionStatus.SUCCEEDED and state.changed:
            await _undo(parts, parts.plan.action_by_id[action.id], reason, locks, view)


async def _undo(parts: Parts, action: PlanAction, reason: str, locks: UnitLocks, view: StackView) -> None:
    worker = Worker(parts, action, view)
    for name in stack_names(parts, action):
        refusal = await locks.take_late(str(RuntimeValues(action, parts.book).resolve(name)))
        if refusal is not None:
            await worker.refuse(refusal.model_copy(update={"message": f"not undone: {refusal.message}"}))
            return
    await worker.undo(reason)
