"""AWS::RevertDrift, step by step. No emulator knows drift-aware change sets: the client is a script in botocore's shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from core_lib.execute import Again, Done, Failed, find_kind
from core_lib.execute.actions.revert_drift import RevertDrift
from tests.builders.contexts import context_of
from tests.builders.steps import drive

APP = "arn:aws:cloudformation:eu-west-1:111111111111:stack/app/1"


class CloudFormation:
    def __init__(self, status: str = "UPDATE_COMPLETE") -> None:
        self.stack = {
            "StackName": "app", "StackId": APP, "StackStatus": status,
            "Parameters": [{"ParameterKey": "Size", "ParameterValue": "1"}], "Tags": [{"Key": "Owner", "Value": "it"}],
        }  # fmt: skip
        self.change_set = {"Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE", "StatusReason": ""}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.exists = False

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        return {"Stacks": [self.stack]}

    def create_change_set(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(("create", arguments))
        if self.exists:
            raise ClientError({"Error": {"Code": "AlreadyExistsException", "Message": "it already exists"}}, "CreateChangeSet")
        return {}

    def describe_change_set(self, **arguments: Any) -> dict[str, Any]:
        change = {"Action": "Modify", "LogicalResourceId": "Topic", "ResourceType": "AWS::SNS::Topic", "Details": []}
        return {
            "ChangeSetId": "c",
            "ChangeSetName": arguments["ChangeSetName"],
            "Changes": [{"ResourceChange": change}],
            **self.change_set,
        }

    def execute_change_set(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(("execute", arguments))
        return {}

    def delete_change_set(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(("delete", arguments))
        return {}

    def cancel_update_stack(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(("cancel", arguments))
        return {}

    def describe_stack_events(self, **_: Any) -> dict[str, Any]:
        return {"StackEvents": []}


def run(method: str, client: CloudFormation, scratch: Mapping[str, Any] | None = None) -> Any:
    context = context_of("AWS::RevertDrift", {"cloudformation": client}, scratch=scratch, stack_name="app")
    return getattr(find_kind("AWS::RevertDrift")(), method)(context)


def test_revert_when_begun_twice_then_the_deployed_template_and_values_go_into_one_drift_aware_change_set() -> None:
    client = CloudFormation()
    first = run("start", client)
    client.exists = True
    assert run("start", client) == first
    (_, asked), (_, again) = client.asked
    assert asked == again
    assert (asked["DeploymentMode"], asked["UsePreviousTemplate"]) == ("REVERT_DRIFT", True)
    assert asked["Parameters"] == [{"ParameterKey": "Size", "UsePreviousValue": True}]
    assert asked["Tags"] == [{"Key": "Owner", "Value": "it"}]


def test_revert_when_the_change_set_is_ready_then_it_is_executed_and_the_resources_are_told() -> None:
    client = CloudFormation()
    executing = run("check", client, run("start", client).scratch)
    assert client.asked[-1][0] == "execute"
    client.change_set["ExecutionStatus"] = "EXECUTE_IN_PROGRESS"
    assert isinstance(run("check", client, executing.scratch), Again)
    client.change_set["ExecutionStatus"] = "EXECUTE_COMPLETE"
    done = run("check", client, executing.scratch)
    assert (done.outputs, done.changed) == ({"Reverted": ["Topic"]}, True)
    client.stack["StackStatus"] = "UPDATE_ROLLBACK_COMPLETE"
    assert isinstance(run("check", client, executing.scratch), Failed)


def test_revert_when_there_is_nothing_to_revert_then_it_says_so_and_leaves_no_change_set() -> None:
    client = CloudFormation()
    scratch = run("start", client).scratch
    client.change_set = {"Status": "FAILED", "StatusReason": "The submitted information didn't contain changes."}
    done = run("check", client, scratch)
    assert isinstance(done, Done)
    assert (done.changed, client.asked[-1][0]) == (False, "delete")
    client.change_set["StatusReason"] = "AWS::Old::Type does not support drift"
    assert isinstance(run("check", client, scratch), Failed)


@pytest.mark.parametrize("status", ["DELETE_FAILED", "UPDATE_ROLLBACK_FAILED", "ROLLBACK_COMPLETE"])
def test_revert_when_the_stack_is_not_healthy_then_nothing_is_asked(status: str) -> None:
    client = CloudFormation(status)
    assert isinstance(run("start", client), Failed)
    assert client.asked == []


@pytest.mark.cancel("AWS::RevertDrift")
@pytest.mark.undo("AWS::RevertDrift")
def test_revert_when_cancelled_then_a_change_set_is_withdrawn_and_an_execution_cancelled() -> None:
    client = CloudFormation()
    begun = run("start", client)
    assert run("cancel", client, begun.scratch).changed is False
    assert client.asked[-1][0] == "delete"
    assert isinstance(run("cancel", client, {**begun.scratch, "phase": "executing"}), Again)
    assert client.asked[-1][0] == "cancel"
    assert run("undo", client).changed is False


@pytest.mark.example("AWS::RevertDrift")
def test_revert_when_the_example_runs_then_it_ends_with_what_was_changed_back() -> None:
    client = CloudFormation()
    kind = RevertDrift

    def contexts(scratch: dict[str, Any]) -> Any:
        if scratch.get("phase") == "executing":
            client.change_set["ExecutionStatus"] = "EXECUTE_COMPLETE"
        return context_of(kind, {"cloudformation": client}, scratch=scratch, **kind.example)

    done, _ = drive(kind(), contexts)
    assert isinstance(done, Done)
    assert done.outputs == {"Reverted": ["Topic"]}
