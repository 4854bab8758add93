"""Failures grouped by what went wrong, not by where; each with what is known about it, what it blocks, and how to go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core_lib.execute.failures import blamed, failure_of, fingerprint, is_transient, known_cause, names_of, tells_of_others
from core_lib.framework.models import ActionState, ActionStatus, ErrorInfo, Plan, SkippedTarget
from core_lib.report.messages import FailureGroup, SkippedGroup


@dataclass
class _Collected:
    error: ErrorInfo
    members: list[str] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)


def group_failures(plan: Plan, states: Iterable[ActionState], run_id: str | None = None) -> tuple[FailureGroup, ...]:
    """The failed actions among these states, one group per fingerprint, most frequent first.

    What was blocked counts with the failure that blocks it. `run_id` makes the retry commands complete.
    """
    rows = {state.action_id: state for state in states}
    found: dict[str, _Collected] = {}
    group_of: dict[str, str] = {}
    for state in rows.values():
        if state.status is not ActionStatus.FAILED or tells_of_others(plan.action_by_id.get(state.action_id), state):
            continue
        error = failure_of(state)
        key = group_of[state.action_id] = fingerprint(error, names_of(plan, plan.action_by_id.get(state.action_id)))
        found.setdefault(key, _Collected(error)).members.append(state.action_id)
    for identity, roots in blamed(plan, rows).items() if found else ():
        for key in {group_of[root] for root in roots}:
            found[key].blocked.add(identity)
    ordered = sorted(found.items(), key=lambda item: (-len(item[1].members), item[0]))
    return tuple(_group(key, collected, run_id) for key, collected in ordered)


def held_back(plan: Plan, states: Mapping[str, ActionState]) -> int:
    """How many actions were blocked although nothing they depend on failed: the run had more failures than it tolerates."""
    blocked = {identity for identity, state in states.items() if state.status is ActionStatus.BLOCKED}
    if not blocked:
        return 0
    return Counter(not roots for identity, roots in blamed(plan, states).items() if identity in blocked)[True]


def group_skipped(skipped: Sequence[SkippedTarget]) -> tuple[SkippedGroup, ...]:
    """The targets a plan left out, by reason."""
    by_reason: dict[str, list[str]] = {}
    for target in skipped:
        place = target.account_name or target.account
        by_reason.setdefault(target.reason, []).append(f"{place}/{target.region}" if target.region else place)
    return tuple(SkippedGroup(reason=reason, targets=tuple(places)) for reason, places in sorted(by_reason.items()))


def _group(key: str, collected: _Collected, run_id: str | None) -> FailureGroup:
    error = collected.error
    known = known_cause(error)
    names, places = zip(*(member.split("@", 1) for member in collected.members), strict=True)
    targets = sorted(set(places))
    return FailureGroup(
        fingerprint=key,
        code=error.code,
        cause=error.cause,
        known_cause=known.name if known else None,
        title=known.title if known else None,
        transient=is_transient(error),
        message=error.message,
        where=error.where,
        hint=error.hint,
        fix=known.fix if known else None,
        count=len(collected.members),
        blocked=len(collected.blocked),
        actions=tuple(sorted(set(names))),
        targets=tuple(targets),
        accounts=tuple(dict.fromkeys(target.split("/", 1)[0] for target in targets)),
        retry=f"core runs retry {run_id} --group {key}" if run_id else None,
    )
