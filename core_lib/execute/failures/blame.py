"""Whose fault it is: from every action that could not run, back along its dependencies to the failures that kept it."""

from __future__ import annotations

from collections.abc import Mapping

from core_lib.execute.graph import order
from core_lib.framework.models import ActionState, ActionStatus, Plan, PlanAction

_HELD = (ActionStatus.BLOCKED, ActionStatus.CANCELLED, ActionStatus.PENDING)


def blamed(plan: Plan, states: Mapping[str, ActionState]) -> dict[str, frozenset[str]]:
    """For every action that was blocked, cancelled or never began: the ids of the failed actions it waits for.

    A gate that failed only tells of the failures before it: it is no failure of its own, and hands them on.

    An empty set means that no failure of a dependency keeps it: the run was stopped, or had more failures than it tolerates.
    """
    found: dict[str, frozenset[str]] = {}
    for action in order(plan.actions):
        if _status(states, action.id) not in _HELD and not tells_of_others(action, states.get(action.id)):
            continue
        roots: set[str] = set()
        for dependency in action.depends_on:
            upstream = plan.action_by_id[dependency]
            hinders = upstream.on_failure != "continue" or action.waits_for == "end"
            failed = _status(states, dependency) is ActionStatus.FAILED and dependency not in found
            if failed and hinders:
                roots.add(dependency)
            roots |= found.get(dependency, frozenset())
        found[action.id] = frozenset(roots)
    return found


def tells_of_others(action: PlanAction | None, state: ActionState | None) -> bool:
    """Whether this is the failure of a gate, which counts the failures of others."""
    return action is not None and action.waits_for == "end" and state is not None and state.status is ActionStatus.FAILED


def _status(states: Mapping[str, ActionState], action_id: str) -> ActionStatus:
    state = states.get(action_id)
    return state.status if state else ActionStatus.PENDING
