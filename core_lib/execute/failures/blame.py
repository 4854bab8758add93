"""Whose fault it is: from every action that could not run, back along its dependencies to the failures that kept it."""

from __future__ import annotations

from collections.abc import Mapping

from core_lib.execute.graph import order
from core_lib.framework.models import ActionState, ActionStatus, Plan

_HELD = (ActionStatus.BLOCKED, ActionStatus.CANCELLED, ActionStatus.PENDING)


def blamed(plan: Plan, states: Mapping[str, ActionState]) -> dict[str, frozenset[str]]:
    """For every action that was blocked, cancelled or never began: the ids of the failed actions it waits for.

    An empty set means that no failure of a dependency keeps it: the run was stopped, or had more failures than it tolerates.
    """
    found: dict[str, frozenset[str]] = {}
    for action in order(plan.actions):
        if _status(states, action.id) not in _HELD:
            continue
        roots: set[str] = set()
        for dependency in action.depends_on:
            upstream = plan.action_by_id[dependency]
            if _status(states, dependency) is ActionStatus.FAILED and upstream.on_failure != "continue":
                roots.add(dependency)
            roots |= found.get(dependency, frozenset())
        found[action.id] = frozenset(roots)
    return found


def _status(states: Mapping[str, ActionState], action_id: str) -> ActionStatus:
    state = states.get(action_id)
    return state.status if state else ActionStatus.PENDING
