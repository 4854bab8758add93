"""Summary of a run: the ledger, the plan and the run record, boiled down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from core_lib.execute import PreflightReport
from core_lib.framework.models import ActionState, ActionStatus, Plan, RunState, RunStatus
from core_lib.report.failures import group_failures, group_skipped, held_back
from core_lib.report.messages import Durations, RunSummary, TargetOutcome
from core_lib.report.waves import wave_progress

SLOWEST = 5

# What a target is called when its actions ended differently: the first of these that any of them has.
_PRECEDENCE = (
    ActionStatus.FAILED,
    ActionStatus.CANCELLED,
    ActionStatus.BLOCKED,
    ActionStatus.RUNNING,
    ActionStatus.PENDING,
    ActionStatus.SUCCEEDED,
    ActionStatus.SKIPPED,
)


def summarize(
    run: RunState, plan: Plan, states: Mapping[str, ActionState], preflight: PreflightReport | None = None
) -> RunSummary:
    """What `run` did, from its plan, its ledger rows (by action id) and its pre-flight. An action without a row is pending."""
    outcomes = _outcomes(plan, states)
    ordered = [states[action.id] for action in plan.actions if action.id in states]
    actions = Counter({status.value: 0 for status in ActionStatus})
    actions.update(state.status.value for state in ordered)
    actions[ActionStatus.PENDING.value] += len(plan.actions) - len(ordered)
    return RunSummary(
        run_id=run.run_id,
        client=run.client,
        prn=run.prn,
        task=run.task,
        status=run.status,
        plan_hash=run.plan_hash,
        flow_run_id=run.flow_run_id,
        requested_by=run.requested_by,
        started_at=run.started_at,
        ended_at=run.ended_at,
        seconds=_between(run.started_at, run.ended_at),
        targets=dict(Counter(outcome.status.value for outcome in outcomes)),
        actions={status: count for status, count in actions.items() if count},
        changed=sum(outcome.changed for outcome in outcomes),
        failures=group_failures(plan, ordered, run.run_id),
        held_back=held_back(plan, states),
        waves=wave_progress(plan, states, outcomes),
        preflight=preflight.groups if preflight else (),
        skipped=group_skipped(plan.skipped),
        target_durations=durations(outcome.seconds for outcome in outcomes if outcome.seconds),
        action_durations=durations(_between(state.started_at, state.ended_at) for state in ordered if state.ended_at),
        slowest=tuple(sorted(outcomes, key=lambda outcome: (-outcome.seconds, outcome.target))[:SLOWEST]),
        outcomes=tuple(outcomes),
        error=_reason(run),
    )


def final_status(plan: Plan, states: Mapping[str, ActionState], *, cancelled: bool) -> RunStatus:
    """How a run ended: failed when anything failed or never ran, cancelled when it was asked to stop before that."""
    statuses = Counter(states[action.id].status if action.id in states else ActionStatus.PENDING for action in plan.actions)
    good = statuses[ActionStatus.SUCCEEDED] + statuses[ActionStatus.SKIPPED]
    if good == len(plan.actions):
        return RunStatus.SUCCEEDED
    return RunStatus.CANCELLED if cancelled else RunStatus.FAILED


def _reason(run: RunState) -> str | None:
    """Why the run as a whole ended early."""
    if run.error is not None:
        return run.error.message
    superseded = run.superseded_by is not None and run.status is RunStatus.CANCELLED
    return f"superseded by run {run.superseded_by}" if superseded else None


def durations(seconds: Iterable[float]) -> Durations:
    """Median, 95th percentile (nearest rank) and maximum of these durations."""
    ordered = sorted(seconds)
    if not ordered:
        return Durations()
    return Durations(median=_rank(ordered, 0.5), p95=_rank(ordered, 0.95), longest=round(ordered[-1], 3))


def _rank(ordered: Sequence[float], share: float) -> float:
    position = -(-len(ordered) * share // 1)
    return round(ordered[max(0, int(position) - 1)], 3)


def _outcomes(plan: Plan, states: Mapping[str, ActionState]) -> list[TargetOutcome]:
    rows: dict[str, list[ActionState | None]] = {target.key: [] for target in plan.targets}
    for action in plan.actions:
        if action.id in plan.gates:
            continue
        rows.setdefault(action.target, []).append(states.get(action.id))
    return [_outcome(plan, key, target_rows) for key, target_rows in rows.items() if target_rows]


def _outcome(plan: Plan, key: str, rows: Sequence[ActionState | None]) -> TargetOutcome:
    counts = Counter(row.status if row else ActionStatus.PENDING for row in rows)
    known = [row for row in rows if row]
    begun = [row.started_at for row in known if row.started_at]
    ended = [row.ended_at for row in known if row.ended_at]
    target = plan.target_by_key.get(key)
    return TargetOutcome(
        target=key,
        account_name=target.account_name if target else None,
        status=next(status for status in _PRECEDENCE if counts[status]),
        changed=sum(1 for row in known if row.changed),
        counts={status.value: count for status, count in counts.items()},
        seconds=round(_between(min(begun), max(ended)), 3) if begun and ended else 0.0,
    )


def _between(start: datetime | None, end: datetime | None) -> float:
    return max(0.0, (end - start).total_seconds()) if start and end else 0.0
