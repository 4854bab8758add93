"""What reports say of waves: how far each got, what stands between them, and whose failure it is."""

from __future__ import annotations

import pytest

from core_lib.execute.failures import selected
from core_lib.framework.models import ActionState, ActionStatus, Cause, ErrorInfo, Plan, RunStatus
from core_lib.report import plan_markdown, render_markdown, render_text, review, summarize
from tests.unit.deployspec.test_waves import rollout
from tests.unit.report.builders import RUN_ID, START, make_run

PLAN = rollout("Waves:\n  - {Name: canary, Targets: {Accounts: [canary]}, Gates: [{Kind: NoOp}]}\n  - {Share: 5%}\n")
BAD = PLAN.waves[0].targets[0]


def states(plan: Plan, **changes: ActionStatus) -> dict[str, ActionState]:
    """Rows by wave: `canary="succeeded"`; what has no wave in `changes` has no row. Gates are named `canary_gate`, ..."""
    rows = {}
    for wave in plan.waves:
        for action in plan.actions:
            if action.target in wave.targets and action.id not in plan.gates and wave.name in changes:
                rows[action.id] = state(action.id, changes[wave.name])
    return rows


def state(identity: str, status: ActionStatus, message: str | None = None, cause: Cause = Cause.PERMANENT) -> ActionState:
    error = ErrorInfo(code="CORE-4003", message=message or "it broke", cause=cause) if status is ActionStatus.FAILED else None
    return ActionState(run_id=RUN_ID, action_id=identity, status=status, message=message, error=error, started_at=START)


def stopped(cause: Cause = Cause.PERMANENT) -> dict[str, ActionState]:
    """The canary failed in one target, its gate shut the way."""
    rows = states(PLAN, canary=ActionStatus.SUCCEEDED, rest=ActionStatus.BLOCKED, **{"5%": ActionStatus.BLOCKED})
    rows[f"app@{BAD}"] = state(f"app@{BAD}", ActionStatus.FAILED, cause=cause)
    gate, check = PLAN.waves[0].gates
    rows[gate] = state(gate, ActionStatus.FAILED, "1 of 2 targets of wave canary failed")
    rows[check] = state(check, ActionStatus.BLOCKED, "waits")
    later = PLAN.waves[1].gates[0]
    rows[later] = state(later, ActionStatus.BLOCKED)
    return rows


def test_summary_when_a_wave_was_stopped_then_it_says_where_and_what_was_not_started() -> None:
    summary = summarize(make_run(PLAN, RunStatus.FAILED), PLAN, stopped())
    assert [(wave.name, wave.status) for wave in summary.waves] == [
        ("canary", "stopped"), ("5%", "not started"), ("rest", "not started"),
    ]  # fmt: skip
    lines = render_text(summary).splitlines()
    assert "  waves    canary: stopped (2 targets: 1 failed, 1 succeeded)" in lines
    assert "             failed  at most 0 of 2 targets failed: 1 of 2 targets of wave canary failed" in lines
    assert "           5%: not started (6 targets: 6 blocked)" in lines
    assert "| canary | stopped |" in render_markdown(summary)


def test_summary_when_a_gate_failed_then_the_failure_behind_it_is_grouped_and_not_the_gate() -> None:
    summary = summarize(make_run(PLAN, RunStatus.FAILED), PLAN, stopped())
    (group,) = summary.failures
    assert group.actions == ("app",)
    assert summary.held_back == 0
    assert summary.targets == {"failed": 1, "succeeded": 1, "blocked": 80}


@pytest.mark.parametrize(
    ("canary", "gates", "expected"),
    [
        (None, (), ["waiting", "waiting", "waiting"]),
        (ActionStatus.RUNNING, (), ["running", "waiting", "waiting"]),
        (ActionStatus.SUCCEEDED, (ActionStatus.SUCCEEDED, ActionStatus.RUNNING), ["at its gates", "waiting", "waiting"]),
        (ActionStatus.SUCCEEDED, (ActionStatus.SUCCEEDED, ActionStatus.FAILED), ["stopped", "waiting", "waiting"]),
        (ActionStatus.SUCCEEDED, (ActionStatus.SUCCEEDED, ActionStatus.SUCCEEDED), ["done", "waiting", "waiting"]),
    ],
)
def test_progress_when_the_run_is_somewhere_then_every_wave_says_where_it_stands(
    canary: ActionStatus | None, gates: tuple[ActionStatus, ...], expected: list[str]
) -> None:
    rows = states(PLAN, canary=canary) if canary else {}
    for identity, status in zip(PLAN.waves[0].gates, gates, strict=False):
        rows[identity] = state(identity, status)
    summary = summarize(make_run(PLAN, RunStatus.RUNNING), PLAN, rows)
    assert [wave.status for wave in summary.waves] == expected


def test_retry_when_only_the_passing_failure_is_taken_up_then_the_gate_counts_again_and_the_later_waves_follow() -> None:
    chosen = selected(PLAN, stopped(Cause.TRANSIENT), "transient")
    assert chosen is not None
    assert set(PLAN.waves[0].gates) <= chosen
    assert all(f"net@{target}" in chosen for target in PLAN.waves[2].targets)
    assert f"net@{BAD}" not in chosen
    assert selected(PLAN, stopped(), "transient") == frozenset()


def test_plan_when_it_has_waves_then_review_and_markdown_name_them() -> None:
    text = render_text(review(PLAN, {}))
    assert "WAVE 1  canary: 2 targets; then at most 0 of 2 targets failed, SYSTEM::NoOp" in text
    assert "WAVE 3  rest: 74 targets" in text
    assert "| canary | 2 | at most 0 of 2 targets failed; SYSTEM::NoOp |" in plan_markdown(PLAN)
