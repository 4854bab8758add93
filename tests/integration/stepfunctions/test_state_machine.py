"""The state machine on the embedded cloud: what its parts call, how large its state gets, and how a long run is relayed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from core_lib.framework.models import Decision, RunStatus, Verdict
from deployments.stepfunctions import permissions
from tests.builders.plans import action, plan_of
from tests.integration.stepfunctions.conftest import Plant

_FREE = {"sts:GetCallerIdentity", "dynamodb:TransactWriteItems"}  # the latter is allowed by what it writes and checks
_BY_ANOTHER_NAME = {"s3:HeadObject": "s3:GetObject", "s3:ListObjectsV2": "s3:ListBucket", "s3:HeadBucket": "s3:ListBucket"}
_SERVICES = ("dynamodb", "s3", "states", "sts")


def history(plant: Plant, arn: str) -> list[dict[str, Any]]:
    client = plant.sessions.client("stepfunctions")
    pages = client.get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]


def states_of(events: list[dict[str, Any]]) -> list[str]:
    return [event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event]


def test_policies_when_a_run_is_executed_then_they_name_every_call_of_the_platform_itself(plant: Plant) -> None:
    targets = [f"{account.id}/eu-west-1" for account in plant.cmdb.accounts.all()]
    variable = {"Variables": {"Name": "one"}}
    plan = plan_of([
        *(action("set", "SYSTEM::SetVariables", target=target, spec=variable) for target in targets),
        *(
            action("stack", "AWS::DeleteStack", target=target, after=("set",), spec={"StackName": "not-there"})
            for target in targets
        ),
    ])  # fmt: skip
    assert plant.carried_out(plan).status is RunStatus.SUCCEEDED
    called = {
        f"{call.service}:{call.operation}"
        for call in plant.cloud.calls()
        if call.account == plant.account and call.service in _SERVICES
    }
    named = {_BY_ANOTHER_NAME.get(each, each) for each in called - _FREE}
    statements = [*permissions.steps(), *permissions.worker(), *permissions.starter()]
    allowed = {name for statement in statements for name in statement["Action"]}
    assert named <= allowed, named - allowed
    assert {"sts:AssumeRole", "dynamodb:Query", "s3:PutObject", "states:GetActivityTask"} <= named


@pytest.fixture
def short_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Maps that live for a second only."""
    monkeypatch.setenv("CORE_STEPFUNCTIONS__ROUND_SECONDS", "1")
    monkeypatch.setenv("CORE_STEPFUNCTIONS__PARKED_SECONDS", "1")


def test_execution_when_its_map_runs_out_of_time_then_a_fresh_one_goes_on(short_rounds: None, plant: Plant) -> None:
    """People take longer to answer than a map lives."""
    target = f"{next(iter(plant.cmdb.accounts.all())).id}/eu-west-1"
    question = action("ask", "SYSTEM::Approval", target=target, spec={"Approvers": ["bob"]})
    run = plant.registered(plan_of([question, action("after", target=target, after=("ask",))]))
    first = plant.executions.start(run)
    until(lambda: plant.cmdb.runs.get(run.run_id).execution != first)
    until(lambda: "-e1-r1-" in str(plant.cmdb.runs.get(run.run_id).execution))
    (asked,) = plant.cmdb.approvals.of_run(run.run_id)
    yes = Decision(by="bob", verdict=Verdict.APPROVED, at=datetime.now(UTC))
    plant.cmdb.approvals.decide(run.run_id, asked.action_id, asked.attempt, yes)
    until(lambda: plant.cmdb.runs.get(run.run_id).status.ended)
    ended = plant.cmdb.runs.get(run.run_id)
    assert (ended.status, ended.epoch, ended.counts["succeeded"]) == (RunStatus.SUCCEEDED, 1, 2)
    assert states_of(history(plant, first))[-2:] == ["Relay", "HandedOver"]


@pytest.mark.slow
def test_execution_when_tasks_keep_failing_then_the_run_record_says_why(plant: Plant) -> None:
    run = plant.registered(plan_of([action("app")]))
    plant.store.delete(run.plan_key)
    arn = plant.executions.start(run)
    until(lambda: plant.cmdb.runs.get(run.run_id).status.ended, 100)
    ended = plant.cmdb.runs.get(run.run_id)
    assert (ended.status, ended.error and ended.error.code) == (RunStatus.FAILED, "CORE-4002")
    until(lambda: not getattr(plant.executions.look(arn), "running", True))
    found = plant.executions.look(arn)
    assert found is not None
    assert (found.status, found.error) == ("FAILED", "ExecutionBroken")
    assert "CORE-4002" in str(found.cause)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_execution_when_the_plan_has_ten_thousand_actions_then_no_state_is_larger_than_a_kilobyte(plant: Plant) -> None:
    targets = [f"{800_000_000_000 + number}/eu-west-1" for number in range(1_000)]
    plan = plan_of(
        action(f"step-{step}", target=target, after=(f"step-{step - 1}",) if step else ())
        for target in targets
        for step in range(10)
    )
    run = plant.carried_out(plan, 380)
    assert run.status is RunStatus.SUCCEEDED
    assert run.counts == {"succeeded": 10_000}
    events = history(plant, str(run.execution))
    assert "ManyBatches" in states_of(events)
    sizes = [len(text) for event in events for text in payloads(event)]
    assert len(sizes) > 5
    results = len(json.dumps([{"Batch": 99, "Ended": True}])) * 64
    assert max(sizes) < 1_000 + results


def payloads(event: dict[str, Any]) -> list[str]:
    """Inputs and outputs that an event of the history carries."""
    details = [value for value in event.values() if isinstance(value, dict)]
    return [detail[key] for detail in details for key in ("input", "output") if key in detail]


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)
