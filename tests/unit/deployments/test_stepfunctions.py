"""The state machine's definition and its template, without any interpreter: everything is reachable, retried, caught, allowed."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint

from core_lib.runner.stepfunctions.messages import Arrival, Journey, Leg
from deployments.stepfunctions import definition, permissions
from deployments.stepfunctions.definition import FILE, tasks
from deployments.stepfunctions.template import HANDLER, template, text

ACTIVITY = "arn:aws:states:eu-west-1:123456789012:activity:core-steps"
FUNCTION = "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:core-steps"
DOCUMENT: dict[str, Any] = json.loads(definition(ACTIVITY))
MAPS = ("FewBatches", "ManyBatches")


def machines() -> Iterator[tuple[str, dict[str, Any]]]:
    """The state machine, and those within its maps."""
    yield "top", DOCUMENT
    for name in MAPS:
        yield name, DOCUMENT["States"][name]["ItemProcessor"]


def follows(state: dict[str, Any]) -> Iterator[str]:
    """Names of the states that may come next."""
    yield from filter(None, (state.get("Next"), state.get("Default")))
    for branch in (*state.get("Choices", ()), *state.get("Catch", ())):
        yield branch["Next"]


@pytest.mark.parametrize(("name", "machine"), list(machines()))
def test_definition_when_walked_from_its_start_then_every_state_is_reached_and_exists(name: str, machine: Any) -> None:
    reached, waiting = set(), [machine["StartAt"]]
    while waiting:
        current = waiting.pop()
        if current not in reached:
            reached.add(current)
            waiting += follows(machine["States"][current])
    assert reached == set(machine["States"])


@pytest.mark.parametrize(("name", "machine"), list(machines()))
def test_definition_when_a_state_ends_it_then_it_says_so(name: str, machine: Any) -> None:
    for state_name, state in machine["States"].items():
        ends = state.get("End") or state["Type"] in ("Succeed", "Fail")
        assert ends or list(follows(state)), state_name
        assert not (ends and state.get("Next")), state_name


def test_definition_when_a_task_fails_then_it_is_retried_with_backoff_and_caught() -> None:
    found = list(tasks(DOCUMENT))
    assert len(found) == 7
    for task in found:
        hopeless, rest = task["Retry"]
        assert hopeless["MaxAttempts"] == 0
        assert "FencedError" in hopeless["ErrorEquals"]
        assert rest["ErrorEquals"] == ["States.ALL"]
        assert rest["BackoffRate"] > 1
        assert rest["MaxAttempts"] >= 5
        assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"]
        assert task["HeartbeatSeconds"] < task["TimeoutSeconds"] <= 900


def test_definition_when_errors_are_named_then_they_exist() -> None:
    errors = importlib.import_module("core_lib.framework.errors")
    for task in tasks(DOCUMENT):
        for name in task["Retry"][0]["ErrorEquals"]:
            assert issubclass(getattr(errors, name), errors.CoreError)


def test_definition_when_a_map_fails_then_it_is_caught() -> None:
    for name in MAPS:
        assert DOCUMENT["States"][name]["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


def test_definition_when_a_batch_cannot_go_on_then_the_map_goes_on_without_it() -> None:
    for name in MAPS:
        states = DOCUMENT["States"][name]["ItemProcessor"]["States"]
        (catch,) = states["Advance"]["Catch"]
        assert states[catch["Next"]]["Type"] == "Pass"
        assert not [state for state in states.values() if state["Type"] == "Fail"]


def test_definition_when_both_maps_are_compared_then_they_do_the_same() -> None:
    few, many = (DOCUMENT["States"][name] for name in MAPS)
    assert few["ItemSelector"] == many["ItemSelector"]
    assert few["ItemProcessor"]["States"] == many["ItemProcessor"]["States"]
    assert many["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


def test_definition_when_paths_are_compared_with_the_messages_then_every_field_is_there() -> None:
    selected = DOCUMENT["States"]["FewBatches"]["ItemSelector"]
    wanted = {field.alias for field in Leg.model_fields.values() if field.is_required()}
    assert {name.removesuffix(".$") for name in selected} == wanted
    journey = {field.alias for field in Journey.model_fields.values()}
    assert {path.removeprefix("$.") for path in selected.values() if not path.startswith("$$")} <= journey
    states = DOCUMENT["States"]
    assert {choice["Variable"] for choice in states["Way"]["Choices"]} == {"$.Way"}
    assert {choice["StringEquals"] for choice in states["Way"]["Choices"]} == {"inline", "distributed", "relay"}
    assert states["Outcome"]["Choices"][0]["Variable"].removeprefix("$.") in {f.alias for f in Arrival.model_fields.values()}


def test_definition_when_it_is_for_a_function_then_no_heartbeat_is_expected_and_no_blank_is_left() -> None:
    made = definition(FUNCTION, partition="aws-us-gov")
    assert "${" not in made
    assert "HeartbeatSeconds" not in made
    assert '"arn:aws-us-gov:states:::s3:getObject"' in made
    assert "${" not in definition(ACTIVITY)


def test_definition_when_read_by_every_service_then_it_uses_jsonpath_only() -> None:
    assert not [word for word in ("QueryLanguage", "Assign", "Arguments", 'Output"') if word in FILE.read_text()]


def test_template_when_printed_then_the_file_in_the_repository_is_the_same() -> None:
    stored = Path(FILE.with_name("template.json")).read_text()
    assert stored == text(), "python -m deployments.stepfunctions > deployments/stepfunctions/template.json"


def test_template_when_linted_then_there_is_nothing_to_say() -> None:
    assert lint(text(), regions=["eu-west-1", "us-east-1"]) == []


def test_template_when_it_names_the_handler_then_that_is_a_function() -> None:
    module, _, name = HANDLER.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))


def test_template_when_statements_reach_everything_then_only_log_delivery_does() -> None:
    every = [*permissions.steps(), *permissions.worker(), *permissions.starter(), *permissions.state_machine()]
    assert [statement["Sid"] for statement in every if "*" in statement["Resource"]] == ["Log"]
    assert not [action for statement in every for action in statement["Action"] if "*" in action]


def test_template_when_executions_fail_then_alarms_and_the_dead_letter_queue_tell() -> None:
    resources = template()["Resources"]
    metrics = {each["Properties"]["MetricName"] for each in resources.values() if each["Type"] == "AWS::CloudWatch::Alarm"}
    assert metrics == {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "Errors", "Throttles"}
    pattern = resources["FailedRule"]["Properties"]["EventPattern"]
    assert pattern["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    logs = [each for each in resources.values() if each["Type"] == "AWS::Logs::LogGroup"]
    assert len(logs) == 2
    assert all("RetentionInDays" in log["Properties"] for log in logs)
