"""Cancel while stacks are in flight: nothing stays `running`, every row tells the truth, and the run can be resumed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from core_lib.framework.models import ActionStatus, RunStatus
from tests.e2e.children import Worker
from tests.e2e.conftest import MakeFleet
from tests.e2e.fleet import Fleet, assert_agree, assert_made_once, fleet_spec, template

ENDED_WELL = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


def awaited(condition: Callable[[], Any], seconds: float = 60) -> None:
    """Wait until it is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.05)


def in_flight(fleet: Fleet) -> int:
    """How many stacks are being created."""
    return sum(each["StackStatus"] == "CREATE_IN_PROGRESS" for each in fleet.stacks().values())


def test_cancel_when_stacks_are_in_flight_then_rows_and_cloud_agree_and_resume_finishes(
    make_fleet: MakeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORE_CLIENT", "acme")
    fleet = make_fleet(2)
    fleet.templates["base.json"] = template("base", gated=True)
    run = fleet.register(fleet_spec(fleet.accounts[0].id))
    with Worker("acme", run.run_id) as worker:
        awaited(lambda: in_flight(fleet) >= 3)
        asked = CliRunner().invoke(app, ["runs", "cancel", run.run_id])
        assert (asked.exit_code, asked.output) == (0, f"{run.run_id}: cancel requested\n")
        awaited(lambda: fleet.cmdb.runs.get(run.run_id).status is RunStatus.CANCELLING)
        time.sleep(1)
        awaited(lambda: fleet.open_gates() == 0)
        assert worker.wait() == 1, worker.errors
    assert fleet.cmdb.runs.get(run.run_id).status is RunStatus.CANCELLED
    assert_rows_are_true(fleet, run.run_id)
    statuses = {state.status for state in fleet.cmdb.ledger.load(run.run_id).values()}
    assert statuses == {ActionStatus.SUCCEEDED, ActionStatus.CANCELLED}
    assert CliRunner().invoke(app, ["runs", "watch", run.run_id]).exit_code == 5

    resume(fleet, run.run_id)
    assert_agree(fleet, run.run_id)
    assert_made_once(fleet)
    assert len(fleet.stacks()) == 13


@pytest.mark.parametrize("after", [1, 12, pytest.param(5, marks=pytest.mark.slow), pytest.param(20, marks=pytest.mark.slow)])
def test_cancel_when_it_comes_at_any_moment_then_no_row_stays_running_and_resume_finishes(
    make_fleet: MakeFleet, after: int
) -> None:
    fleet = make_fleet(2)
    run = fleet.register(fleet_spec(fleet.accounts[0].id))
    with Worker("acme", run.run_id) as worker:
        assert worker.until(lambda line: "action" in line, count=after)
        fleet.cmdb.runs.request_cancel(run.run_id)
        worker.wait()
    ended = fleet.cmdb.runs.get(run.run_id).status
    assert ended in (RunStatus.CANCELLED, RunStatus.SUCCEEDED)
    assert_rows_are_true(fleet, run.run_id)
    assert fleet.cmdb.locks.holders(fleet.stacks()) == {}
    if ended is RunStatus.CANCELLED:
        resume(fleet, run.run_id)
    assert_agree(fleet, run.run_id)


def test_cancel_when_the_worker_is_dead_then_the_run_ends_at_once_and_resume_finishes(
    make_fleet: MakeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORE_CLIENT", "acme")
    monkeypatch.setenv("CORE_CMDB__LOCK_LEASE_SECONDS", "2")
    fleet = make_fleet(1)
    run = fleet.register(fleet_spec(fleet.accounts[0].id))
    with Worker("acme", run.run_id) as worker:
        assert worker.until(lambda line: line.get("status") == "running", count=2)
        assert worker.kill()
    time.sleep(2.5)
    asked = CliRunner().invoke(app, ["runs", "cancel", run.run_id])
    assert (asked.exit_code, asked.output) == (0, f"{run.run_id}: cancelled\n")
    resume(fleet, run.run_id)
    assert_agree(fleet, run.run_id)
    assert_made_once(fleet)


def resume(fleet: Fleet, run_id: str) -> None:
    """Go on with the run; whatever is gated is let go as it comes."""
    with Worker("acme", run_id) as worker:
        while worker.alive:
            fleet.open_gates()
            time.sleep(0.1)
        assert worker.wait() == 0, (worker.lines[-5:], worker.errors, fleet.cmdb.ledger.load(run_id))


def assert_rows_are_true(fleet: Fleet, run_id: str) -> None:
    """Succeeded rows have their stacks; a stack that is there has a row which says so; nothing is left half done."""
    living = {key: each["StackStatus"] for key, each in fleet.stacks().items()}
    rows = fleet.cmdb.ledger.load(run_id)
    assert len(rows) == fleet.cmdb.runs.get(run_id).action_count
    for state in rows.values():
        name, _, target = state.action_id.partition("@")
        key = f"{target}/{name}"
        assert state.status.ended, state
        if state.status is ActionStatus.SUCCEEDED:
            assert living[key] in ENDED_WELL
        else:
            assert key not in living, f"{key} is {living[key]}, but its row says {state.status}: {state.message}"
    assert set(living.values()) <= set(ENDED_WELL)
