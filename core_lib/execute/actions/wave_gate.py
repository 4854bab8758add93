"""SYSTEM::WaveGate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.steps import Done, Failed, Step
from core_lib.framework.models import ActionState, ActionStatus, Message, Tolerance, tolerated

_GOOD = (ActionStatus.SUCCEEDED, ActionStatus.SKIPPED)
_NAMED = 5


class WaveGateParams(Message):
    """The wave that is judged: the actions that tell how its targets ended."""

    wave: str = Field(description="Name of the wave.")
    actions: tuple[str, ...] = Field(description="Ids of actions, at least one per target; a target is good when all of its are.")
    tolerance: Tolerance = Field(default=0, description="Targets that may fail: a number, or a percentage, rounded down.")
    next: str | None = Field(default=None, description="Name of the wave that begins after this one.")


class WaveGate(Action[WaveGateParams]):
    """Counts targets, not actions, and looks at the ledger only."""

    kind = "SYSTEM::WaveGate"
    purpose = "Ends a wave of a rollout: fails when more of its targets failed than are tolerated, so that no later wave begins."
    Params = WaveGateParams
    reads_only = True
    outputs: ClassVar[Mapping[str, str]] = {"Targets": "Number of targets in the wave.", "Failed": "Number of those that failed."}
    example: ClassVar[Mapping[str, Any]] = {
        "Wave": "canary",
        "Actions": ["app@111111111111/eu-west-1", "app@222222222222/eu-west-1"],
        "Tolerance": "50%",
        "Next": "rest",
    }

    def start(self, ctx: ActionContext[WaveGateParams]) -> Step:
        """Over at once: everything it judges has ended."""
        params = ctx.params
        rows = ctx.run.rows(params.actions)
        targets = dict.fromkeys(action.partition("@")[2] for action in params.actions)
        bad: dict[str, list[ActionState]] = {}
        for action in params.actions:
            row = rows.get(action)
            if row is not None and row.status not in _GOOD:
                bad.setdefault(action.partition("@")[2], []).append(row)
        most = tolerated(params.tolerance, len(targets))
        if len(bad) > most:
            return Failed(_told(ctx, bad, len(targets)), hint=_hint(ctx.run_id, most))
        outputs = {"Targets": len(targets), "Failed": len(bad)}
        message = f"{len(targets) - len(bad)} of {len(targets)} targets of wave {params.wave} are good"
        return Done(outputs, changed=False, message=message)


def _told(ctx: ActionContext[WaveGateParams], bad: Mapping[str, Sequence[ActionState]], total: int) -> str:
    """How many failed and how many were not done, the first of them with their causes, and what does not begin because of it."""
    params = ctx.params
    failed: dict[str, ActionState] = {}
    for row in ctx.run.states().values():
        target = row.action_id.partition("@")[2]
        if target in bad and row.status is ActionStatus.FAILED:
            failed.setdefault(target, row)
    idle = [rows[0] for target, rows in bad.items() if target not in failed]
    causes = [f"{row.action_id}: {row.message}" for row in failed.values()]
    causes += [f"{row.action_id} is {row.status}: {row.message}" for row in idle if not failed]
    named = "; ".join(causes[:_NAMED]) + (f"; and {len(causes) - _NAMED} more" if len(causes) > _NAMED else "")
    wave = f"of {total} targets of wave {params.wave}"
    how = f"{len(failed)} {wave} failed" if failed else f"{len(idle)} {wave} could not be done"
    also = f", {len(idle)} more could not be done" if failed and idle else ""
    then = f". Wave {params.next} was not started" if params.next else ""
    return f"{how}{also}: {named}{then}"


def _hint(run_id: str, most: int) -> str:
    return f"the wave tolerates {most}; correct the cause, then: core runs resume {run_id}"
