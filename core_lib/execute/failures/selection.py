"""Which actions a retry takes up: the failures that were asked for, and what was blocked by them."""

from __future__ import annotations

from collections.abc import Mapping

from core_lib.execute.failures.blame import blamed, tells_of_others
from core_lib.execute.failures.fingerprint import fingerprint, names_of
from core_lib.execute.failures.known import is_transient
from core_lib.framework.models import ActionState, ActionStatus, ErrorInfo, Plan

_BY_STATUS = (None, "failed", "unstarted")


def names_failures(only: str | None) -> bool:
    """Whether `Options.Only` names failures, instead of going by the status of each action alone."""
    return only not in _BY_STATUS


def selected(plan: Plan, states: Mapping[str, ActionState], only: str | None, visit: int = 0) -> frozenset[str] | None:
    """The action ids that `Options.Only` means; None when it names no failures but goes by the status of each action.

    What the run held back because it had too many failures is taken up only when none of these failures is left out: else a
    retry of the harmless ones would carry a bad change on to the targets that were spared. What this `visit` of the run has
    written already was chosen when it began; whoever goes on with the visit chooses the same.
    """
    if not names_failures(only):
        return None
    touched = {identity for identity, state in states.items() if visit and state.visit == visit}
    before = {
        identity: state.model_copy(update={"status": ActionStatus.FAILED}) if identity in touched else state
        for identity, state in states.items()
    }
    failures = [
        state
        for state in before.values()
        if state.status is ActionStatus.FAILED and not tells_of_others(plan.action_by_id.get(state.action_id), state)
    ]
    chosen = {state.action_id for state in failures if state.action_id in touched or _is_meant(plan, state, str(only))}
    whole = len(chosen) == len(failures)
    waiting = blamed(plan, before).items()
    held = {identity for identity, roots in waiting if (roots & chosen) or (whole and not roots)}
    return frozenset(chosen | held)


def failure_of(state: ActionState) -> ErrorInfo:
    """The error in the row of a failed action."""
    return state.error or ErrorInfo(code="CORE-4003", message=state.message or "no reason was recorded")


def _is_meant(plan: Plan, state: ActionState, only: str) -> bool:
    error = failure_of(state)
    if only == "transient":
        return is_transient(error)
    return fingerprint(error, names_of(plan, plan.action_by_id.get(state.action_id))) in only.split(",")
