"""Choosing what to try again: all failures, the passing ones, or groups by their fingerprint."""

from __future__ import annotations

import pytest

from cli.retrying import chosen
from core_lib.framework.errors import InputError, NotFoundError, RunStateError
from core_lib.framework.models import ActionStatus, Cause, RunStatus
from core_lib.report import RunSummary, summarize
from tests.unit.report.builders import RUN_ID, failed, make_plan, make_run, row


def summary_with(*failures: tuple[int, str, Cause]) -> RunSummary:
    """A run of three targets; `failures` are target number, message and cause of what `net` did there."""
    plan = make_plan(targets=3)
    rows = []
    for number, message, cause in failures:
        net, app = plan.actions[2 * number : 2 * number + 2]
        rows += [failed(net.id, message, cause=cause), row(app.id, ActionStatus.BLOCKED)]
    return summarize(make_run(plan, RunStatus.FAILED), plan, {state.action_id: state for state in rows})


MIXED = summary_with(
    (0, "Rate exceeded", Cause.THROTTLED), (1, "the name is taken", Cause.PERMANENT), (2, "the name is taken", Cause.PERMANENT)
)


def test_choice_when_nothing_is_said_then_all_failures() -> None:
    choice = chosen(MIXED, None, [])
    assert choice.only == "failed"
    assert len(choice.lines) == 2
    assert "2 of net" in choice.lines[0]
    assert "2 that waited" in choice.lines[0]


def test_choice_when_transient_then_only_those_are_named() -> None:
    choice = chosen(MIXED, "transient", [])
    assert choice.only == "transient"
    assert [line for line in choice.lines if "AWS was asked too often" in line] == list(choice.lines)


def test_choice_when_a_group_is_named_by_its_beginning_then_it_is_the_whole_fingerprint() -> None:
    group = MIXED.failures[0]
    assert chosen(MIXED, None, [group.fingerprint[:5], group.fingerprint]).only == group.fingerprint
    assert group.retry == f"core runs retry {RUN_ID} --group {group.fingerprint}"


def test_choice_when_both_ways_are_used_then_refused() -> None:
    with pytest.raises(InputError):
        chosen(MIXED, "transient", [MIXED.failures[0].fingerprint])


def test_choice_when_the_group_is_unknown_then_the_known_ones_are_named() -> None:
    with pytest.raises(NotFoundError) as caught:
        chosen(MIXED, None, ["zzz"])
    assert MIXED.failures[0].fingerprint in str(caught.value)


def test_choice_when_nothing_fits_then_it_says_so() -> None:
    with pytest.raises(RunStateError, match="nothing failed for a passing reason"):
        chosen(summary_with((0, "the name is taken", Cause.PERMANENT)), "transient", [])
    with pytest.raises(RunStateError, match="nothing has failed"):
        chosen(summary_with(), None, [])
