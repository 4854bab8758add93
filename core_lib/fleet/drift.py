"""Drift over the fleet: the plan of a look at everything, what becomes of its results, and the ways to deal with a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from core_lib.db import ClientCmdb, DriftRecord, IgnoredDrift
from core_lib.fleet.targets import deployed_stacks, fleet_targets
from core_lib.framework.errors import NotFoundError
from core_lib.framework.models import (
    ActionState,
    DeploymentDetails,
    Plan,
    Prn,
    Selection,
    SkippedTarget,
    StackDrift,
    Target,
    Task,
)
from core_lib.report import group_id, stack_drifts
from core_lib.runner import FLEET, Operation, operation_plan


def drift_plan(cmdb: ClientCmdb, narrow: Selection | None = None, prn: Prn | None = None, stacks: Sequence[str] = ()) -> Plan:
    """A look for drift in every stack that the platform has deployed, narrowed to some targets, a PRN, some names.

    Raises:
        NotFoundError: there is no such stack.
        TargetError: `narrow` names something that is not known.
    """
    fleet = fleet_targets(cmdb, narrow)
    found = list(deployed_stacks(cmdb, fleet, prn, stacks))
    if not found:
        raise NotFoundError("no deployed stack fits", hint="drift is looked for in stacks that the platform has deployed")
    looks = [_look(target, record.stack_name) for target, record in found]
    return operation_plan(cmdb.client, Task.DRIFT, deployment_of(prn), looks, skipped=fleet.skipped)


def revert_plan(cmdb: ClientCmdb, records: Sequence[DriftRecord]) -> Plan:
    """Drift of these stacks reverted, and looked at again afterwards.

    Raises:
        NotFoundError: none of them is in a target that is known and active.
    """
    fleet = fleet_targets(cmdb, Selection(regions=tuple(sorted({record.target.partition("/")[2] for record in records}))))
    operations: list[Operation] = []
    left: list[SkippedTarget] = []
    for record in records:
        target = fleet.targets.get(record.target)
        if target is None or record.status == "DELETED":
            account, _, region = record.target.partition("/")
            reason = "the account is not active" if target is None else "the stack is gone: deploy it again"
            left.append(SkippedTarget(account=account, region=region, reason=reason))
            continue
        name = f"revert-{record.stack_name}"
        operations.append(Operation(name, "AWS::RevertDrift", target, {"StackName": record.stack_name}, on_failure="continue"))
        operations.append(_look(target, record.stack_name, name))
    if not operations:
        raise NotFoundError("there is nothing that a change set could revert", hint="; ".join(each.reason for each in left[:3]))
    return operation_plan(cmdb.client, Task.DRIFT, FLEET, operations, skipped=left)


def deployment_of(prn: Prn | None) -> DeploymentDetails:
    """The deployment that an operation over the fleet (or over one PRN) is recorded under."""
    if prn is None:
        return FLEET
    return DeploymentDetails(portfolio=prn.portfolio, app=prn.app, branch=prn.branch, build=prn.build, component=prn.component)


def remember_drift(cmdb: ClientCmdb, plan: Plan, states: Mapping[str, ActionState], run_id: str, at: datetime) -> None:
    """Bring the history up to what a run found. A stack that could not be checked keeps what is known about it."""
    found = stack_drifts(plan, states)
    known = cmdb.drift.get_many(found)
    updated = (
        _updated(known.get(key), key, drift, run_id, at)
        for key, drift in found.items()
        if drift.status in ("DRIFTED", "DELETED", "IN_SYNC")
    )
    cmdb.drift.put_many([record for record in updated if record is not None])


def drifted_in(cmdb: ClientCmdb, group: str) -> list[DriftRecord]:
    """The stacks that have drift of this group.

    Raises:
        NotFoundError: none has.
    """
    every = cmdb.drift.drifted()
    found = [record for record in every if group in record.groups]
    if not found:
        groups = sorted({name for record in every for name in record.groups})
        known = f"known: {', '.join(groups[:10])}" if groups else "nothing has drifted; core drift looks again"
        raise NotFoundError(f"no stack has drift of the group {group!r}", hint=known)
    return found


def ignored_groups(cmdb: ClientCmdb, today: date) -> dict[str, tuple[str, str]]:
    """Until when and why, by group, for those that are ignored today."""
    return {group: (each.until.isoformat(), each.reason) for group, each in cmdb.drift.ignored(today).items()}


def ignore_drift(cmdb: ClientCmdb, group: str, until: date, reason: str, by: str | None, now: datetime) -> IgnoredDrift:
    """Ignore a group up to and including a day. Raises NotFoundError when no stack has such drift."""
    drifted_in(cmdb, group)
    ignored = IgnoredDrift(group=group, until=until, reason=reason, by=by, since=now)
    cmdb.drift.ignore(ignored)
    return ignored


def _look(target: Target, stack: str, *after: str) -> Operation:
    return Operation(stack, "AWS::DetectDrift", target, {"StackName": stack}, after=after, on_failure="continue")


def _updated(
    before: DriftRecord | None, key: tuple[str, str], drift: StackDrift, run_id: str, at: datetime
) -> DriftRecord | None:
    """The record after a look; None when there is nothing to remember: in sync, as it always was."""
    if drift.status == "IN_SYNC":
        if before is None or before.settled_at is not None:
            return before.but(checked_at=at, run_id=run_id) if before else None
        return before.but(status="IN_SYNC", checked_at=at, settled_at=at, run_id=run_id)
    lasting = before is not None and before.settled_at is None
    return DriftRecord(
        target=key[0],
        stack_name=key[1],
        status=drift.status,
        first_seen=before.first_seen if before is not None and lasting else at,
        last_seen=at,
        checked_at=at,
        run_id=run_id,
        reason=drift.reason,
        groups=tuple(sorted({group_id(resource) for resource in drift.resources})),
        resources=drift.resources,
    )
