"""What stands behind a question to people: how far the run is, and what a yes lets happen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from core_lib.framework.models import ActionState, ActionStatus, Approval, Message, Plan


class Behind(Message):
    """What waits for an answer. `stacks` and other actions that a yes lets go on, by kind, and in which targets; `so_far` counts
    the actions of the run by status."""

    run_id: str
    prn: str
    question: str
    message: str | None = None
    requested_by: str | None = None
    so_far: dict[str, int]
    failed: tuple[str, ...] = ()
    waiting: dict[str, int]
    names: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


def behind(plan: Plan, states: Mapping[str, ActionState], question: Approval) -> Behind:
    """Everything that waits for this question, directly or through others."""
    dependents: dict[str, list[str]] = {}
    for action in plan.actions:
        for upstream in action.depends_on:
            dependents.setdefault(upstream, []).append(action.id)
    found = [plan.action_by_id[identity] for identity in _reach(dependents, question.action_id)]
    waiting: dict[str, int] = {}
    for action in found:
        waiting[action.kind] = waiting.get(action.kind, 0) + 1
    so_far: dict[str, int] = {}
    for action in plan.actions:
        status = states[action.id].status if action.id in states else ActionStatus.PENDING
        so_far[status.value] = so_far.get(status.value, 0) + 1
    return Behind(
        run_id=question.run_id, prn=question.prn, question=question.action_id, message=question.message,
        requested_by=question.requested_by, so_far=so_far,
        failed=tuple(sorted(key for key, state in states.items() if state.status is ActionStatus.FAILED)),
        waiting=dict(sorted(waiting.items())), names=tuple(dict.fromkeys(action.name for action in found)),
        targets=tuple(dict.fromkeys(action.target for action in found)),
    )  # fmt: skip


def _reach(dependents: Mapping[str, list[str]], start: str) -> Iterator[str]:
    seen = {start}
    stack = [start]
    while stack:
        for identity in dependents.get(stack.pop(), ()):
            if identity not in seen:
                seen.add(identity)
                stack.append(identity)
                yield identity
