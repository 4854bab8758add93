"""Review of a plan: the change of every target, identical changes once, the dangerous ones first."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from pydantic import ValidationError

from core_lib.execute import PreflightReport
from core_lib.framework.errors import RunStateError
from core_lib.framework.models import (
    ActionState,
    ActionStatus,
    Plan,
    PlanAction,
    ResourceChange,
    StackReview,
    Target,
)
from core_lib.report.failures import group_failures, group_skipped
from core_lib.report.messages import ChangeGroup, DeferredGroup, PlanReview, Severity

_ORDER: tuple[Severity, ...] = ("removes", "replaces", "updates", "creates")


@dataclass
class _Found:
    groups: dict[str, ChangeGroup] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    deferred: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    changed_targets: set[str] = field(default_factory=set)
    stacks: int = 0
    unchanged: int = 0
    not_reviewed: int = 0


def review(
    plan: Plan, states: Mapping[str, ActionState], *, run_id: str | None = None, preflight: PreflightReport | None = None
) -> PlanReview:
    """What the plan run with these ledger rows (by action id) found.

    Raises:
        RunStateError: a ledger row holds a review that cannot be read.
    """
    found = _Found()
    for action in plan.actions:
        if not action.kind.endswith(("::CreateChangeSet", "::ReviewDeletion")):
            continue
        found.stacks += 1
        _add(found, plan, action, states.get(action.id))
    groups = [group.model_copy(update={"targets": tuple(sorted(found.members[key]))}) for key, group in found.groups.items()]
    groups.sort(key=lambda group: (_ORDER.index(group.severity), -len(group.targets), group.action, group.targets))
    return PlanReview(
        run_id=run_id,
        plan_hash=plan.hash,
        target_count=len(plan.targets),
        changed_target_count=len(found.changed_targets),
        stack_count=found.stacks,
        unchanged=found.unchanged,
        groups=tuple(groups),
        deferred=tuple(
            DeferredGroup(action=name, reason=reason, targets=tuple(sorted(targets)))
            for (name, reason), targets in sorted(found.deferred.items())
        ),
        failures=group_failures(plan, (states[action.id] for action in plan.actions if action.id in states), run_id),
        not_reviewed=found.not_reviewed,
        waves=plan.waves,
        preflight=preflight.groups if preflight else (),
        skipped=group_skipped(plan.skipped),
    )


def stack_reviews(plan: Plan, states: Mapping[str, ActionState]) -> dict[str, StackReview]:
    """Every recorded review by `account/region/StackName`, which is how apply looks for them."""
    return {f"{action.target}/{item.stack_name}": item for action, item in _recorded(plan, states)}


def read_review(state: ActionState) -> StackReview | None:
    """The review an action recorded in its ledger row; None when it recorded none.

    Raises:
        RunStateError: the record cannot be read.
    """
    recorded = state.outputs.get("Review")
    if recorded is None:
        return None
    try:
        return StackReview.model_validate(recorded)
    except ValidationError as error:
        raise RunStateError(
            "the recorded review cannot be read",
            where=f"{state.run_id} {state.action_id}",
            hint="run the plan again",
        ) from error


def _recorded(plan: Plan, states: Mapping[str, ActionState]) -> Iterator[tuple[PlanAction, StackReview]]:
    for action in plan.actions:
        state = states.get(action.id)
        item = read_review(state) if state else None
        if item is not None:
            yield action, item


def _add(found: _Found, plan: Plan, action: PlanAction, state: ActionState | None) -> None:
    if state is not None and state.status is ActionStatus.SKIPPED:
        found.stacks -= 1
        return
    item = read_review(state) if state and state.status is ActionStatus.SUCCEEDED else None
    if item is None:
        found.not_reviewed += 1
        return
    outcome = item.outcome
    if outcome == "unchanged":
        found.unchanged += 1
        return
    found.changed_targets.add(action.target)
    if outcome == "deferred":
        reason = item.reason or "depends on outputs that do not exist yet"
        found.deferred.setdefault((action.name, reason), []).append(action.target)
    else:
        _add_change(found, plan.target_by_key.get(action.target), action, item, outcome)


def _add_change(
    found: _Found, target: Target | None, action: PlanAction, item: StackReview, outcome: Literal["create", "update", "delete"]
) -> None:
    changes = tuple(sorted((_general(change, target) for change in item.changes), key=_danger))
    group = ChangeGroup(
        severity=_severity(item),
        action=action.name,
        outcome=outcome,
        stack_name=_generic(item.stack_name, target),
        targets=(),
        changes=changes,
    )
    key = json.dumps(group.as_dict(), sort_keys=True)
    found.groups.setdefault(key, group)
    found.members.setdefault(key, []).append(action.target)


def _general(change: ResourceChange, target: Target | None) -> ResourceChange:
    properties = tuple(
        item.model_copy(update={"before": _generic(item.before, target), "after": _generic(item.after, target)})
        for item in sorted(change.properties, key=lambda item: item.path)
    )
    return change.model_copy(update={"physical_id": None, "properties": properties})


def _generic(value: Any, target: Target | None) -> Any:
    """The value with everything that only names its target replaced by a word."""
    if target is None:
        return value
    if isinstance(value, str):
        return _naming(target.account, target.region, target.account_name).sub(lambda match: f"<{match.lastgroup}>", value)
    if isinstance(value, list):
        return [_generic(item, target) for item in value]
    if isinstance(value, dict):
        return {key: _generic(item, target) for key, item in value.items()}
    return value


@lru_cache(maxsize=4096)
def _naming(account: str, region: str, name: str | None) -> re.Pattern[str]:
    words = rf"(?P<account>{account})|(?P<region>{re.escape(region)})"
    return re.compile(rf"{words}|(?<![A-Za-z0-9])(?P<name>{re.escape(name)})(?![A-Za-z0-9])" if name else words)


def _severity(item: StackReview) -> Severity:
    if item.outcome == "delete" or any(change.action == "Remove" for change in item.changes):
        return "removes"
    if any(change.replacement in ("True", "Conditional") for change in item.changes):
        return "replaces"
    return "creates" if item.outcome == "create" else "updates"


def _danger(change: ResourceChange) -> tuple[int, str]:
    if change.action == "Remove":
        return (0, change.logical_id)
    if change.replacement in ("True", "Conditional"):
        return (1, change.logical_id)
    return (2 if change.action == "Modify" else 3, change.logical_id)
