"""The book of a run: the state of every action as the ledger has it, and the one way to change it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from core_lib.execute.brake import Brake
from core_lib.execute.writer import GroupWriter
from core_lib.framework.models import ActionState, ActionStatus, ErrorInfo, Plan, PlanAction, RunState

UNDOING = "core:undoing"
OnEvent = Callable[[ActionState], None]


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class RunBook:
    """States of the actions of one run. `record` commits to the ledger first and tells listeners afterwards."""

    def __init__(self, plan: Plan, run: RunState, writer: GroupWriter, brake: Brake, listeners: Iterable[OnEvent] = ()) -> None:
        self.plan = plan
        self.run_id = run.run_id
        self.visit = run.visit
        self.written = 0
        self._writer = writer
        self._brake = brake
        self._listeners = tuple(listeners)
        self._states: dict[str, ActionState] = {}
        self._counts: Counter[str] = Counter()

    def fill(self, states: Mapping[str, ActionState]) -> None:
        """Take over rows read from the ledger."""
        for identity, state in states.items():
            self._keep(identity, state)

    def state(self, action_id: str) -> ActionState | None:
        """The row of an action; None = pending."""
        return self._states.get(action_id)

    def states(self) -> dict[str, ActionState]:
        """All rows known, by action id."""
        return dict(self._states)

    def status(self, action_id: str) -> ActionStatus:
        """Status of an action."""
        state = self._states.get(action_id)
        return state.status if state else ActionStatus.PENDING

    def counts(self) -> dict[str, int]:
        """Number of actions by status, and how many changed anything."""
        counts = {status: number for status, number in self._counts.items() if number}
        known = sum(number for status, number in counts.items() if status != "changed")
        if known < len(self.plan.actions):
            counts[ActionStatus.PENDING.value] = len(self.plan.actions) - known
        return counts

    async def record(self, action: PlanAction, status: ActionStatus, **fields: Any) -> ActionState:
        """Write a transition (or a new scratch) of an action. Raises FencedError and everything else that ends this worker."""
        self._brake.raise_fatal()
        state = self._next(action, status, fields)
        try:
            written = await self._writer.write(state)
        except BaseException as error:
            self._brake.abort(error)
            raise
        before = self._states.get(action.id)
        self.written += 1
        self._keep(action.id, written)
        if before is None or before.status is not status or status.ended:
            for listener in self._listeners:
                listener(written)
        return written

    async def record_all(self, actions: Iterable[PlanAction], status: ActionStatus, message: Callable[[PlanAction], str]) -> None:
        """End many actions the same way, without any having started."""
        ended = now()
        await asyncio.gather(
            *(self.record(action, status, message=message(action), ended_at=ended, error=None) for action in actions)
        )

    def _next(self, action: PlanAction, status: ActionStatus, fields: Mapping[str, Any]) -> ActionState:
        before = self._states.get(action.id) or ActionState(run_id=self.run_id, action_id=action.id, status=ActionStatus.PENDING)
        return before.model_copy(update={"status": status, "visit": self.visit, **fields})

    def _keep(self, action_id: str, state: ActionState) -> None:
        before = self._states.get(action_id)
        for old, sign in ((before, -1), (state, 1)):
            if old is not None:
                self._counts[old.status.value] += sign
                self._counts["changed"] += sign if old.status is ActionStatus.SUCCEEDED and old.changed else 0
        self._states[action_id] = state


def blank(attempt: int) -> dict[str, Any]:
    """Fields of a fresh attempt."""
    return {
        "attempt": attempt, "changed": None, "message": None, "error": None, "outputs": {}, "variables": {}, "scratch": {},
        "ended_at": None, "tries": 1, "slips": 0,
    }  # fmt: skip


def ended_with(error: ErrorInfo) -> dict[str, Any]:
    """Fields of a row that ends in failure."""
    return {"error": error, "message": error.message, "ended_at": now()}
