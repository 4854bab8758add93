"""Freeze windows in a run: whether an action may begin now, and a word in the history when somebody goes on in spite of one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from core_lib.execute.kinds import Kinds
from core_lib.execute.memory import Memory
from core_lib.framework.models import Plan, PlanAction, RunState, Task, frozen_at

IGNORED = "FREEZE_IGNORED"


class Freeze:
    """One per engine, safe for threads. What only reads is never frozen, and a review not at all."""

    def __init__(self, plan: Plan, run: RunState, kinds: Kinds, memory: Memory, clock: Callable[[], datetime]) -> None:
        self._windows = plan.freeze_windows if plan.task is not Task.PLAN and not run.options.dry_run else ()
        self._gates = plan.gates
        self._run = run
        self._kinds = kinds
        self._memory = memory
        self._clock = clock
        self._told: set[str] = set()

    @property
    def any(self) -> bool:
        """Whether anything can be frozen in this run at all."""
        return bool(self._windows)

    def _only_waits(self, action: PlanAction) -> bool:
        """A gate that asks nothing of AWS: time that passes, people who agree."""
        return action.id in self._gates and not self._kinds[action.kind].permissions

    def refusal(self, action: PlanAction) -> str | None:
        """Why the action may not begin now, with the window, its reason and its end; None = it may.

        A freeze that the run ignores leaves an event, once: who began or resumed the run, and why. Raises errors of the CMDB.
        """
        if self._kinds[action.kind].reads_only or self._only_waits(action):
            return None
        period = frozen_at(self._windows, self._clock())
        if period is None:
            return None
        excuse = self._run.options.ignore_freeze
        if excuse is None:
            return f"not started: {period}; go on then with: core runs resume {self._run.run_id}"
        if period.window.name not in self._told:
            who = self._run.begun_by or "somebody"
            self._memory.append_event(
                status=IGNORED,
                event_type="WARN",
                message=f"{who} went on in spite of the {period}: {excuse}",
                at=max(self._run.begun_at, period.begin),
                actor=who,
                key=f"freeze {period.window.name} {period.begin.isoformat()} {who} {excuse}",
                details={"Window": period.window.name, "Until": period.end.isoformat(), "Reason": excuse, "By": who},
            )
            self._told.add(period.window.name)
        return None
