"""Drift grouped by cause: the same change of the same type of resource, wherever it was made, is one group."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from core_lib.framework.models import (
    ActionState,
    ActionStatus,
    Message,
    Plan,
    PropertyDrift,
    ResourceDrift,
    SkippedTarget,
    StackDrift,
)
from core_lib.report.failures import group_failures, group_skipped
from core_lib.report.messages import FailureGroup, SkippedGroup
from core_lib.report.text import counted, some

DETECT = "AWS::DetectDrift"
MOST_STACKS = 8
_POSITION = re.compile(r"/\d+(?=/|$)")


class DriftGroup(Message):
    """One cause. `properties` are those of the first resource, as an example; `stacks` are `account/region/StackName`."""

    id: str
    resource_type: str
    status: Literal["MODIFIED", "DELETED"]
    properties: tuple[PropertyDrift, ...]
    stacks: tuple[str, ...]
    resource_count: int
    ignored_until: str | None = None
    ignored_because: str | None = None


class DriftReport(Message):
    """What a drift run found over the fleet, largest groups first, ignored ones last. `gone` are stacks that somebody deleted."""

    run_id: str | None = None
    checked: int
    in_sync: int
    drifted: int
    groups: tuple[DriftGroup, ...] = ()
    gone: tuple[str, ...] = ()
    not_checked: tuple[SkippedGroup, ...] = ()
    failures: tuple[FailureGroup, ...] = ()
    skipped: tuple[SkippedGroup, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing differs that is not ignored, and everything could be looked at."""
        return not (self.gone or self.failures or [group for group in self.groups if group.ignored_until is None])


def group_id(resource: ResourceDrift) -> str:
    """Eight hex digits: type of the resource, what happened to it, and which properties differ in which way."""
    parts = sorted({f"{_plain(each.path)} {each.kind}" for each in resource.properties})
    return hashlib.sha256("\n".join((resource.resource_type, resource.status, *parts)).encode()).hexdigest()[:8]


def stack_drifts(plan: Plan, states: Mapping[str, ActionState]) -> dict[tuple[str, str], StackDrift]:
    """What the looks of a run found, by (target, stack name)."""
    found: dict[tuple[str, str], StackDrift] = {}
    for action in plan.actions:
        state = states.get(action.id)
        if action.kind == DETECT and state is not None and state.status is ActionStatus.SUCCEEDED and "Drift" in state.outputs:
            drift = StackDrift.model_validate(state.outputs["Drift"])
            found[action.target, drift.stack_name] = drift
    return found


def drift_groups(
    drifts: Iterable[tuple[str, Iterable[ResourceDrift]]], ignored: Mapping[str, tuple[str, str]] | None = None
) -> tuple[DriftGroup, ...]:
    """Groups over these stacks (`account/region/StackName` and what differs). `ignored`: until when and why, by group."""
    members: dict[str, list[tuple[str, ResourceDrift]]] = {}
    for stack, resources in drifts:
        for resource in resources:
            members.setdefault(group_id(resource), []).append((stack, resource))
    groups = [_group(identity, found, (ignored or {}).get(identity)) for identity, found in members.items()]
    return tuple(sorted(groups, key=lambda group: (group.ignored_until is not None, -len(group.stacks), group.id)))


def drift_report(
    plan: Plan, states: Mapping[str, ActionState], ignored: Mapping[str, tuple[str, str]] | None = None, run_id: str | None = None
) -> DriftReport:
    """The report of a drift run from its plan and its ledger rows."""
    found = stack_drifts(plan, states)
    by_name = {f"{target}/{stack}": drift for (target, stack), drift in sorted(found.items())}
    not_checked = [
        SkippedTarget(account=name, reason=drift.reason or drift.status)
        for name, drift in by_name.items()
        if drift.status in ("NOT_CHECKED", "UNKNOWN")
    ]
    return DriftReport(
        run_id=run_id,
        checked=sum(drift.checked_stacks > 0 for drift in found.values()),
        in_sync=sum(drift.status == "IN_SYNC" for drift in found.values()),
        drifted=sum(drift.status == "DRIFTED" for drift in found.values()),
        groups=drift_groups(((name, drift.resources) for name, drift in by_name.items()), ignored),
        gone=tuple(name for name, drift in by_name.items() if drift.status == "DELETED"),
        not_checked=group_skipped(not_checked),
        failures=group_failures(plan, [states[action.id] for action in plan.actions if action.id in states]),
        skipped=group_skipped(plan.skipped),
    )


def drift_headline(report: DriftReport) -> str:
    """`2 of 240 stacks have drifted: 1 group`."""
    if not report.drifted and not report.gone:
        return f"{counted(report.checked, 'stack')} looked at: no drift"
    gone = f", {counted(len(report.gone), 'stack')} gone" if report.gone else ""
    return f"{report.drifted} of {counted(report.checked, 'stack')} drifted: {counted(len(report.groups), 'group')}{gone}"


def render_drift(report: DriftReport) -> str:
    """The report as text that ends with a newline."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: DriftReport) -> Iterator[str]:
    yield drift_headline(report)
    for group in report.groups:
        yield from _group_lines(group)
    if report.gone:
        yield from ("", f"GONE  {counted(len(report.gone), 'stack')} that somebody deleted")
        yield f"    {some(report.gone, MOST_STACKS)}"
    for skipped in report.not_checked:
        yield from ("", f"NOT CHECKED  {counted(len(skipped.targets), 'stack')}: {skipped.reason}")
        yield f"    {some(skipped.targets, MOST_STACKS)}"
    for failure in report.failures:
        yield from ("", f"FAILED  {counted(failure.count, 'look')}: {failure.message}  [{failure.code}]")
        yield f"    in     {some(failure.targets, MOST_STACKS)}"
    for left_out in report.skipped:
        yield from ("", f"LEFT OUT  {counted(len(left_out.targets), 'target')}: {left_out.reason}")


def _group_lines(group: DriftGroup) -> Iterator[str]:
    yield ""
    where = f"{counted(group.resource_count, 'resource')} in {counted(len(group.stacks), 'stack')}"
    ignored = f"  (ignored until {group.ignored_until}: {group.ignored_because})" if group.ignored_until else ""
    yield f"{group.id}  {group.status} {group.resource_type}, {where}{ignored}"
    for each in group.properties:
        yield f"    {each.path}  {each.kind}: {_shown(each.expected)} -> {_shown(each.actual)}"
    yield f"    in {some(group.stacks, MOST_STACKS)}"


def _shown(value: str | None) -> str:
    return "(none)" if value is None else value


def _plain(path: str) -> str:
    """A path without positions in lists: which tag it was is no difference in cause."""
    return _POSITION.sub("/*", path)


def _group(identity: str, found: list[tuple[str, ResourceDrift]], ignored: tuple[str, str] | None) -> DriftGroup:
    example = found[0][1]
    return DriftGroup(
        id=identity,
        resource_type=example.resource_type,
        status=example.status,
        properties=example.properties,
        stacks=tuple(dict.fromkeys(stack for stack, _ in found)),
        resource_count=len(found),
        ignored_until=ignored[0] if ignored else None,
        ignored_because=ignored[1] if ignored else None,
    )
