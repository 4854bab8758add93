"""The summary of a run: counts, durations, failures by cause, outcomes by target."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from core_lib.framework.models import ActionStatus, RunStatus, SkippedTarget
from core_lib.report import final_status, render_json, render_markdown, render_text, summarize
from core_lib.report.summary import durations
from tests.unit.report.builders import account, failed, make_plan, make_run, row


def states_of(*rows):
    return {state.action_id: state for state in rows}


def test_summary_when_everything_succeeded_then_counts_and_changes_add_up() -> None:
    plan = make_plan(targets=3)
    states = states_of(*(row(action.id, changed=action.name == "net") for action in plan.actions))
    summary = summarize(make_run(plan), plan, states)
    assert summary.targets == {"succeeded": 3}
    assert summary.actions == {"succeeded": 6}
    assert summary.changed == 3
    assert summary.seconds == 600
    assert summary.failures == ()


def test_summary_when_actions_have_no_row_then_they_are_pending() -> None:
    plan = make_plan(targets=2)
    summary = summarize(make_run(plan), plan, states_of(row(plan.actions[0].id)))
    assert summary.actions == {"pending": 3, "succeeded": 1}
    assert summary.targets == {"pending": 2}


def test_summary_when_the_same_failure_hits_many_accounts_then_it_is_one_group_with_its_accounts() -> None:
    plan = make_plan(targets=4)
    rows = [failed(f"net@{account(n)}/eu-west-1", f"bucket team-{n}-logs in {account(n)} exists") for n in range(3)]
    rows.append(failed(f"net@{account(3)}/eu-west-1", "rate exceeded"))
    summary = summarize(make_run(plan, RunStatus.FAILED), plan, states_of(*rows))
    first, second = summary.failures
    assert (first.count, second.count) == (3, 1)
    assert first.accounts == (account(0), account(1), account(2))
    assert first.actions == ("net",)
    assert first.message == f"bucket team-0-logs in {account(0)} exists"


def test_summary_when_a_target_has_several_ends_then_the_worst_names_it() -> None:
    plan = make_plan(targets=1, names=("a", "b", "c"))
    a, b, c = (action.id for action in plan.actions)
    summary = summarize(make_run(plan), plan, states_of(row(a), failed(b, "no"), row(c, ActionStatus.BLOCKED)))
    (outcome,) = summary.outcomes
    assert outcome.status is ActionStatus.FAILED
    assert outcome.counts == {"succeeded": 1, "failed": 1, "blocked": 1}


def test_summary_when_targets_take_different_times_then_the_slowest_come_first() -> None:
    plan = make_plan(targets=3, names=("a",))
    states = states_of(*(row(action.id, seconds=10 * n) for n, action in enumerate(plan.actions, start=1)))
    summary = summarize(make_run(plan), plan, states)
    assert [outcome.seconds for outcome in summary.slowest] == [30, 20, 10]
    assert summary.target_durations.median == 20
    assert summary.target_durations.longest == 30


def test_summary_when_targets_were_left_out_then_they_are_grouped_by_reason() -> None:
    skipped = (
        SkippedTarget(account=account(8), account_name="old", reason="suspended"),
        SkippedTarget(account=account(9), region="eu-west-1", reason="suspended"),
    )
    plan = make_plan(targets=1).model_copy(update={"skipped": skipped})
    (group,) = summarize(make_run(plan), plan, {}).skipped
    assert group.reason == "suspended"
    assert group.targets == ("old", f"{account(9)}/eu-west-1")


def test_render_text_when_a_run_failed_then_the_failure_says_what_where_and_what_next() -> None:
    plan = make_plan(targets=2, names=("net",))
    state = failed(plan.actions[0].id, "s3:CreateBucket is denied")
    assert state.error is not None
    state = state.model_copy(update={"error": state.error.model_copy(update={"hint": "look at the SCP of the OU"})})
    text = render_text(summarize(make_run(plan, RunStatus.FAILED), plan, states_of(state, row(plan.actions[1].id))))
    assert text.splitlines()[0] == "deploy prn:payments:ledger:main:7: failed in 10 min 00 s (run 20261123-070000-abcdef)"
    assert "FAILED  1 failure of net in 1 account  [CORE-4003, permanent]" in text
    assert "s3:CreateBucket is denied" in text
    assert "next   look at the SCP of the OU" in text


def test_render_json_when_read_back_then_it_is_the_same_summary() -> None:
    plan = make_plan(targets=2)
    summary = summarize(make_run(plan), plan, states_of(failed(plan.actions[0].id, "x")))
    assert type(summary).model_validate(json.loads(render_json(summary))) == summary


def test_render_markdown_when_a_message_holds_table_characters_then_they_are_escaped() -> None:
    plan = make_plan(targets=1, names=("net",))
    summary = summarize(make_run(plan, RunStatus.FAILED), plan, states_of(failed(plan.actions[0].id, "a | b <script>")))
    text = render_markdown(summary)
    assert "a \\| b &lt;script>" in text
    assert "<script>" not in text


def test_final_status_when_all_ended_well_then_succeeded_even_if_cancelled_too_late() -> None:
    plan = make_plan(targets=1)
    good = states_of(row(plan.actions[0].id), row(plan.actions[1].id, ActionStatus.SKIPPED))
    assert final_status(plan, good, cancelled=True) is RunStatus.SUCCEEDED


def test_final_status_when_something_is_missing_then_failed_or_cancelled() -> None:
    plan = make_plan(targets=1)
    states = states_of(row(plan.actions[0].id))
    assert final_status(plan, states, cancelled=False) is RunStatus.FAILED
    assert final_status(plan, states, cancelled=True) is RunStatus.CANCELLED


@given(st.lists(st.floats(0, 10_000), min_size=1, max_size=50))
def test_durations_when_given_any_times_then_ordered_and_among_them(seconds: list[float]) -> None:
    found = durations(seconds)
    rounded = {round(second, 3) for second in seconds}
    assert found.median <= found.p95 <= found.longest
    assert {found.median, found.p95, found.longest} <= rounded


def test_summary_when_a_failure_blocks_others_then_they_count_with_it_and_the_retry_command_is_ready() -> None:
    plan = make_plan(targets=2, names=("a", "b", "c"))
    ids = [action.id for action in plan.actions]
    rows = [failed(ids[0], "Rate exceeded"), *(row(identity, ActionStatus.BLOCKED) for identity in ids[1:3])]
    rows.append(row(ids[3], ActionStatus.BLOCKED))
    summary = summarize(make_run(plan, RunStatus.FAILED), plan, states_of(*rows))
    (group,) = summary.failures
    assert (group.count, group.blocked, group.known_cause, group.transient) == (1, 2, "throttling", True)
    assert summary.held_back == 1
    text = render_text(summary)
    assert f"core runs retry {summary.run_id} --group {group.fingerprint}" in text
    assert "AWS was asked too often, it may pass by itself" in text
    assert "HELD BACK  1 action" in text
    assert f"core runs retry {summary.run_id} --group {group.fingerprint}" in render_markdown(summary)
