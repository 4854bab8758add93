"""Failures grouped by what went wrong, not by where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from core_lib.framework.models import ActionState, ActionStatus, ErrorInfo, Plan, PlanAction, SkippedTarget
from core_lib.report.fingerprint import fingerprint
from core_lib.report.messages import FailureGroup, SkippedGroup


@dataclass
class _Collected:
    error: ErrorInfo
    count: int = 0
    actions: dict[str, None] = field(default_factory=dict)
    targets: dict[str, None] = field(default_factory=dict)


def group_failures(plan: Plan, states: Iterable[ActionState]) -> tuple[FailureGroup, ...]:
    """The failed actions among these states, one group per fingerprint, most frequent first."""
    found: dict[str, _Collected] = {}
    for state in states:
        if state.status is not ActionStatus.FAILED:
            continue
        action = plan.action_by_id.get(state.action_id)
        error = state.error or ErrorInfo(code="CORE-4003", message=state.message or "no reason was recorded")
        group = found.setdefault(fingerprint(error, _names(plan, action)), _Collected(error))
        group.count += 1
        name, target = state.action_id.split("@", 1)
        group.actions.setdefault(name)
        group.targets.setdefault(target)
    ordered = sorted(found.items(), key=lambda item: (-item[1].count, item[0]))
    return tuple(_group(key, collected) for key, collected in ordered)


def group_skipped(skipped: Sequence[SkippedTarget]) -> tuple[SkippedGroup, ...]:
    """The targets a plan left out, by reason."""
    by_reason: dict[str, list[str]] = {}
    for target in skipped:
        place = target.account_name or target.account
        by_reason.setdefault(target.reason, []).append(f"{place}/{target.region}" if target.region else place)
    return tuple(SkippedGroup(reason=reason, targets=tuple(places)) for reason, places in sorted(by_reason.items()))


def _names(plan: Plan, action: PlanAction | None) -> list[str]:
    if action is None:
        return []
    target = plan.target_by_key.get(action.target)
    stack = action.spec.get("StackName")
    return [name for name in (target and target.account_name, stack) if isinstance(name, str)]


def _group(key: str, collected: _Collected) -> FailureGroup:
    error, targets = collected.error, sorted(collected.targets)
    return FailureGroup(
        fingerprint=key,
        code=error.code,
        cause=error.cause,
        message=error.message,
        where=error.where,
        hint=error.hint,
        count=collected.count,
        actions=tuple(sorted(collected.actions)),
        targets=tuple(targets),
        accounts=tuple(dict.fromkeys(target.split("/", 1)[0] for target in targets)),
    )
