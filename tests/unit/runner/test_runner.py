"""Registering runs, finding them again, and refusing what was not reviewed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core_lib.framework.errors import ConflictError, MovedError, NotFoundError, RunStateError
from core_lib.framework.models import ActionState, ErrorInfo, Options, Plan, RunState, RunStatus, Task, TaskPayload
from core_lib.helper import FolderStore
from core_lib.runner import Runner
from tests.unit.report.builders import make_plan, reviewed


class Runs:
    """The run register, as far as the runner uses it."""

    def __init__(self) -> None:
        self.rows: dict[str, RunState] = {}

    def create(self, run: RunState) -> RunState:
        if run.run_id in self.rows:
            raise ConflictError(f"a run named {run.run_id} is already there")
        self.rows[run.run_id] = run
        return run

    def get(self, run_id: str) -> RunState:
        if run_id not in self.rows:
            raise NotFoundError(f"there is no run {run_id}")
        return self.rows[run_id]

    def change(self, run_id: str, **fields: Any) -> None:
        self.rows[run_id] = self.rows[run_id].but(**fields)


@dataclass
class Ledger:
    rows: dict[str, Mapping[str, ActionState]] = field(default_factory=dict)

    def load(self, run_id: str) -> Mapping[str, ActionState]:
        return self.rows.get(run_id, {})


@dataclass
class Cmdb:
    runs: Runs = field(default_factory=Runs)
    ledger: Ledger = field(default_factory=Ledger)


@pytest.fixture
def cmdb() -> Cmdb:
    return Cmdb()


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


@pytest.fixture
def runner(cmdb: Cmdb, store: FolderStore) -> Runner:
    return Runner(cmdb, store)  # type: ignore[arg-type]


def payload(plan: Plan, **fields: Any) -> TaskPayload:
    return TaskPayload(client="acme", task=plan.task, deployment_details=plan.deployment, **fields)


def test_register_when_done_then_the_run_is_pending_and_load_gives_the_same_plan(runner: Runner) -> None:
    plan = make_plan(targets=2)
    run = runner.register(payload(plan, correlation_id="release-1"), plan, requested_by="ann")
    assert (run.run_id, run.status, run.target_count, run.action_count) == ("release-1", RunStatus.PENDING, 2, 4)
    assert run.requested_by == "ann"
    found, loaded = runner.load("release-1")
    assert found == run
    assert loaded.to_json() == plan.to_json()


def test_register_when_no_name_is_given_then_the_run_gets_one(runner: Runner) -> None:
    plan = make_plan()
    assert runner.register(payload(plan), plan).run_id != runner.register(payload(plan), plan).run_id


def test_register_when_the_name_is_taken_then_refused(runner: Runner) -> None:
    plan = make_plan()
    runner.register(payload(plan, correlation_id="release-1"), plan)
    with pytest.raises(ConflictError):
        runner.register(payload(plan, correlation_id="release-1"), plan)


def test_load_when_the_stored_plan_was_changed_then_refused(runner: Runner, store: FolderStore) -> None:
    plan = make_plan()
    run = runner.register(payload(plan), plan)
    store.put(run.plan_key, store.get(run.plan_key).replace(b'"net"', b'"not"'))
    with pytest.raises(RunStateError, match="changed after it was sealed"):
        runner.load(run.run_id)


def test_load_when_the_stored_plan_is_not_a_plan_then_it_says_so(runner: Runner, store: FolderStore) -> None:
    plan = make_plan()
    run = runner.register(payload(plan), plan)
    store.put(run.plan_key, b"{")
    with pytest.raises(RunStateError, match="cannot be read"):
        runner.load(run.run_id)


def test_load_when_the_request_never_became_a_plan_then_the_hint_is_its_error(runner: Runner) -> None:
    plan = make_plan()
    runner.refused(payload(plan), "broken-1", RunStatus.FAILED, ErrorInfo(code="CORE-2001", message="no targets"))
    with pytest.raises(RunStateError, match="never got a plan") as caught:
        runner.load("broken-1")
    assert caught.value.hint == "no targets"


def plan_run(runner: Runner, cmdb: Cmdb, status: RunStatus = RunStatus.SUCCEEDED) -> Plan:
    """A plan run named plan-1 which reviewed its only stack."""
    plan = make_plan(1, ("net",), kind="AWS::CreateChangeSet", task=Task.PLAN)
    runner.register(payload(plan, correlation_id="plan-1"), plan)
    cmdb.runs.change("plan-1", status=status)
    action = plan.actions[0]
    cmdb.ledger.rows["plan-1"] = {action.id: reviewed(action.id, stack_name="team-0-net", outcome="create")}
    return plan


def test_reviewed_when_the_plan_is_still_the_same_then_its_reviews_by_stack(runner: Runner, cmdb: Cmdb) -> None:
    plan = plan_run(runner, cmdb)
    options = Options(reviewed_run="plan-1", plan_hash=plan.hash)
    found = runner.reviewed(options, str(plan.deployment.prn), plan.hash)
    assert list(found) == [f"{plan.targets[0].key}/team-0-net"]


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.RUNNING, RunStatus.CANCELLED])
def test_reviewed_when_the_plan_run_is_not_complete_then_refused(runner: Runner, cmdb: Cmdb, status: RunStatus) -> None:
    plan = plan_run(runner, cmdb, status)
    with pytest.raises(RunStateError, match=f"the plan run is {status}"):
        runner.reviewed(Options(reviewed_run="plan-1"), str(plan.deployment.prn), plan.hash)


def test_reviewed_when_another_hash_was_approved_then_moved(runner: Runner, cmdb: Cmdb) -> None:
    plan = plan_run(runner, cmdb)
    with pytest.raises(MovedError, match="was approved"):
        runner.reviewed(Options(reviewed_run="plan-1", plan_hash="f" * 64), str(plan.deployment.prn), plan.hash)


def test_reviewed_when_todays_compile_differs_then_moved(runner: Runner, cmdb: Cmdb) -> None:
    plan = plan_run(runner, cmdb)
    with pytest.raises(MovedError, match="changed since the review"):
        runner.reviewed(Options(reviewed_run="plan-1"), str(plan.deployment.prn), "f" * 64)


def test_reviewed_when_it_is_a_plan_of_something_else_then_refused(runner: Runner, cmdb: Cmdb) -> None:
    plan_run(runner, cmdb)
    with pytest.raises(RunStateError, match="not a plan of"):
        runner.reviewed(Options(reviewed_run="plan-1"), "prn:other:app:main:1", None)


def test_export_when_done_then_the_end_state_lies_beside_the_plan(runner: Runner, store: FolderStore) -> None:
    plan = make_plan(1)
    run = runner.register(payload(plan, correlation_id="release-1"), plan)
    key = runner.export(run, plan, {})
    assert key == "artefacts/payments/ledger/main/7/runs/release-1.state"
    assert store.get("artefacts/payments/ledger/main/7/deploy.state") == store.get(key)
