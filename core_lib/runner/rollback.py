"""The way back of a run, as a plan: every stack it touched as it was before, in reverse order.

`way_back` is a pure function: the run's plan, what was kept of its stacks (`StackBefore`), its ledger rows and today's stack
records in; two plans out. `review` makes real change sets and lists what deletions remove; `plan` executes exactly these. What a
stack waited for in the run waits for that stack on the way back, also in another target.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core_lib.db import StackRecord
from core_lib.execute import StackBefore, catalogue, order
from core_lib.framework.errors import MovedError
from core_lib.framework.models import ActionState, ActionStatus, Plan, PlanAction, Task
from core_lib.runner.adhoc import Operation, operation_plan

_OPEN_POLICY = '{"Statement":[{"Action":"Update:*","Effect":"Allow","Principal":"*","Resource":"*"}]}'
"""What a stack policy that allows everything says: the same as none, which cannot be set again."""


@dataclass(frozen=True)
class Left:
    """Something that the way back leaves as it is, and why."""

    action_id: str
    reason: str


@dataclass(frozen=True)
class WayBack:
    """The way back of a run. `warnings` are for the person who decides; `plan` is None when there is nothing to do."""

    run_id: str
    review: Plan | None
    plan: Plan | None
    left: tuple[Left, ...] = ()
    warnings: tuple[str, ...] = ()


def way_back(
    run_id: str,
    plan: Plan,
    befores: Iterable[StackBefore],
    states: Mapping[str, ActionState],
    records: Mapping[str, StackRecord],
    *,
    recreate: bool = False,
    force: bool = False,
) -> WayBack:
    """The plans that take a run back.

    Args:
        befores: what was kept of the stacks that the run changed; leave out those that are not to be taken back.
        states: the run's ledger rows by action id.
        records: today's stack records by `account/region/StackName`.
        recreate: make stacks again that the run deleted.
        force: also take back what a later run has changed since.

    Raises:
        MovedError: a later run changed a stack since, and `force` is not set.
    """
    touched = [before for before in befores if before.action_id in plan.action_by_id]
    _check_later(run_id, touched, records, force=force)
    deleted = {before.action_id for before in touched if before.existed and _deletes(plan, before)}
    kept = [] if recreate else [before for before in touched if before.action_id in deleted]
    back = [before for before in touched if recreate or before.action_id not in deleted]
    left = [Left(before.action_id, f"the run deleted {before.stack_name}; --recreate makes it again") for before in kept]
    left += _others(plan, states, {f"{before.target}/{before.stack_name}" for before in touched})
    if not back:
        return WayBack(run_id, None, None, tuple(left))
    files = [before.template for before in back if before.template is not None]
    operations = _operations(run_id, plan, back)
    executed = operation_plan(plan.client, Task.ROLLBACK, plan.deployment, operations, files=files)
    review = operation_plan(plan.client, Task.PLAN, plan.deployment, [_reviewing(each) for each in operations], files=files)
    return WayBack(run_id, review, executed, tuple(left), tuple(_warnings(back)))


def _check_later(run_id: str, befores: Iterable[StackBefore], records: Mapping[str, StackRecord], *, force: bool) -> None:
    later: dict[str, list[str]] = {}
    for before in befores:
        record = records.get(f"{before.target}/{before.stack_name}")
        if record is not None and record.run_id not in (run_id, before.run_id, None):
            later.setdefault(record.run_id, []).append(f"{before.target}/{before.stack_name}")
    if later and not force:
        told = "; ".join(f"run {name} changed {_some(stacks)}" for name, stacks in sorted(later.items()))
        raise MovedError(
            f"stacks were changed again since: {told}", where=run_id, hint="roll the later run back first, or use --force"
        )


def _some(stacks: list[str]) -> str:
    return stacks[0] if len(stacks) == 1 else f"{stacks[0]} and {len(stacks) - 1} more"


def _operations(run_id: str, plan: Plan, befores: list[StackBefore]) -> list[Operation]:
    by_action = {before.action_id: before for before in befores}
    waits_for = _reversed(plan, set(by_action))
    return [_operation(run_id, plan, before, waits_for[before.action_id]) for before in befores]


def _operation(run_id: str, plan: Plan, before: StackBefore, after: Iterable[str]) -> Operation:
    action = plan.action_by_id[before.action_id]
    kind = "AWS::ApplyChangeSet" if before.existed else "AWS::DeleteStack"
    spec: dict[str, Any] = {"StackName": before.stack_name}
    if not before.existed:
        spec["Force"] = True  # the protection is the run's own
    else:
        spec |= _restoring(run_id, before, policy_was_set=bool(action.spec.get("StackPolicy")))
    return Operation(action.name, kind, plan.target_by_key[before.target], spec, tuple(after))


def _restoring(run_id: str, before: StackBefore, *, policy_was_set: bool) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "Template": before.template.path if before.template else "",
        "Parameters": before.parameters,
        "KeepParameters": list(before.hidden),
        "Tags": before.tags,
        "TerminationProtection": before.protected,
        "ChangeSetName": f"rollback-{run_id}",
    }
    if before.role_arn:
        spec["RoleArn"] = before.role_arn
    if policy_was_set:
        spec["StackPolicy"] = before.stack_policy or _OPEN_POLICY
    return spec


def _reviewing(operation: Operation) -> Operation:
    """The look at an operation. Looks wait for nothing."""
    if operation.kind == "AWS::DeleteStack":
        spec = {"StackName": operation.spec["StackName"]}
        return Operation(operation.name, "AWS::ReviewDeletion", operation.target, spec)
    return Operation(operation.name, "AWS::CreateChangeSet", operation.target, operation.spec)


def _reversed(plan: Plan, chosen: set[str]) -> dict[str, list[str]]:
    """For each of these actions: those of them that waited for it, directly or through others; they go back first.

    Waves are not repeated on the way back: what stands between them holds nothing up.
    """
    nearest: dict[str, set[str]] = {}
    waiting: dict[str, list[str]] = {identity: [] for identity in chosen}
    for action in order(plan.actions):
        upstream: set[str] = set()
        for dependency in action.depends_on:
            upstream |= {dependency} if dependency in chosen else nearest[dependency]
        nearest[action.id] = upstream if action.id not in plan.gates else set()
        if action.id in chosen:
            for dependency in upstream:
                waiting[dependency].append(action.id)
    return {identity: sorted(others) for identity, others in waiting.items()}


def _deletes(plan: Plan, before: StackBefore) -> bool:
    return plan.action_by_id[before.action_id].kind == "AWS::DeleteStack"


def _others(plan: Plan, states: Mapping[str, ActionState], touched: set[str]) -> list[Left]:
    """Changes of which nobody knows the way back."""
    return [
        Left(action.id, f"{action.kind} is not rolled back")
        for action in plan.actions
        if f"{action.target}/{action.spec.get('StackName')}" not in touched and _changed(action, states.get(action.id))
    ]


def _changed(action: PlanAction, state: ActionState | None) -> bool:
    """Whether an action changed something; of one that was interrupted, nobody knows that it did not."""
    kind = catalogue().get(action.kind)
    if state is None or kind is None or kind.reads_only:
        return False
    if state.status is ActionStatus.SUCCEEDED:
        return bool(state.changed)
    return state.status in (ActionStatus.RUNNING, ActionStatus.FAILED) and bool(state.scratch)


def _warnings(befores: Iterable[StackBefore]) -> Iterable[str]:
    hidden: dict[str, list[str]] = {}
    for before in befores:
        for name in before.hidden:
            hidden.setdefault(f"{before.stack_name}: {name}", []).append(before.target)
    for what, targets in sorted(hidden.items()):
        yield f"{what} is secret (NoEcho), its earlier value is not known: it keeps the value it has now ({len(targets)} targets)"
