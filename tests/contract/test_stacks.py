"""CloudFormation, as the stack actions rely on it: change sets, events, rollback, protection."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.backends import Backend, name

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"]


def template(value: str = "1", *, resources: dict[str, Any] | None = None, **more: Any) -> str:
    named = {"Fn::Sub": "/contract/${AWS::StackName}"}
    parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": named, "Type": "String", "Value": value}}
    return json.dumps({"Resources": {"Parameter": parameter} | (resources or {}), **more})


class Stack:
    """A stack driven as the platform drives it: through change sets only."""

    def __init__(self, backend: Backend, account: str | None = None) -> None:
        self.cfn = backend.client("cloudformation", account) if account else backend.client("cloudformation")
        self.name = name("stack")

    def change(self, body: str, kind: str = "UPDATE", **more: Any) -> dict[str, Any]:
        """Create a change set and wait for it."""
        change_set = name("change")
        self.cfn.create_change_set(
            StackName=self.name,
            ChangeSetName=change_set,
            ChangeSetType=kind,
            TemplateBody=body,
            Capabilities=CAPABILITIES,
            **more,
        )
        for _ in range(200):
            found: dict[str, Any] = self.cfn.describe_change_set(StackName=self.name, ChangeSetName=change_set)
            if found["Status"] in ("CREATE_COMPLETE", "FAILED"):
                return found
            time.sleep(0.1)
        raise AssertionError(found["Status"])

    def deploy(self, body: str, kind: str = "UPDATE", **more: Any) -> str:
        """Execute a change set and wait; the end status."""
        change_set = self.change(body, kind, **more)
        self.cfn.execute_change_set(StackName=self.name, ChangeSetName=change_set["ChangeSetName"])
        return self.wait()

    def wait(self) -> str:
        for _ in range(300):
            status = str(self.describe()["StackStatus"])
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.1)
        raise AssertionError(status)

    def describe(self) -> dict[str, Any]:
        described: dict[str, Any] = self.cfn.describe_stacks(StackName=self.name)["Stacks"][0]
        return described

    def value(self, ssm: Any) -> str:
        resource = self.cfn.describe_stack_resource(StackName=self.name, LogicalResourceId="Parameter")
        physical = resource["StackResourceDetail"]["PhysicalResourceId"]
        return str(ssm.get_parameter(Name=physical)["Parameter"]["Value"])


@pytest.fixture
def stack(backend: Backend) -> Stack:
    return Stack(backend)


@pytest.fixture
def taken(backend: Backend) -> dict[str, Any]:
    """Resources that cannot be created: a role whose name is taken, and a wait that nobody answers."""
    role = {"RoleName": name("role"), "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}
    policy = json.dumps(role["AssumeRolePolicyDocument"])
    backend.client("iam").create_role(RoleName=role["RoleName"], AssumeRolePolicyDocument=policy)
    return {
        "Broken": {"Type": "AWS::IAM::Role", "DependsOn": "Parameter", "Properties": role},
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Silence": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "DependsOn": "Broken",
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "1", "Count": 1},
        },
    }


def test_stack_of_another_account_lies_in_that_account(backend: Backend) -> None:
    account = backend.member_account()
    stack = Stack(backend, account)
    assert stack.deploy(template(), "CREATE") == "CREATE_COMPLETE"
    assert f":{account}:" in stack.describe()["StackId"]


def test_new_stack_waits_in_review_until_its_change_set_is_executed(stack: Stack) -> None:
    change_set = stack.change(template(), "CREATE")
    assert (change_set["Status"], stack.describe()["StackStatus"]) == ("CREATE_COMPLETE", "REVIEW_IN_PROGRESS")
    assert [change["ResourceChange"]["Action"] for change in change_set["Changes"]] == ["Add"]


def test_outputs_parameters_and_tags_are_described(stack: Stack) -> None:
    body = template(Parameters={"P": {"Type": "String"}}, Outputs={"O": {"Value": {"Ref": "P"}}})
    stack.deploy(body, "CREATE", Parameters=[{"ParameterKey": "P", "ParameterValue": "x"}], Tags=[{"Key": "t", "Value": "v"}])
    described = stack.describe()
    assert [(o["OutputKey"], o["OutputValue"]) for o in described["Outputs"]] == [("O", "x")]
    assert [(p["ParameterKey"], p["ParameterValue"]) for p in described["Parameters"]] == [("P", "x")]
    assert described["Tags"] == [{"Key": "t", "Value": "v"}]


def test_update_through_a_change_set_changes_the_resource(backend: Backend, stack: Stack) -> None:
    stack.deploy(template("1"), "CREATE")
    assert stack.deploy(template("2")) == "UPDATE_COMPLETE"
    assert stack.value(backend.client("ssm")) == "2"


def test_parameter_that_flows_through_sub_changes_the_resource(backend: Backend, stack: Stack) -> None:
    body = template({"Fn::Sub": "is ${P}"}, Parameters={"P": {"Type": "String"}})  # type: ignore[arg-type]
    stack.deploy(body, "CREATE", Parameters=[{"ParameterKey": "P", "ParameterValue": "1"}])
    stack.deploy(body, Parameters=[{"ParameterKey": "P", "ParameterValue": "2"}])
    assert stack.value(backend.client("ssm")) == "is 2"


def test_change_set_without_changes_fails_with_that_reason(stack: Stack) -> None:
    stack.deploy(template(), "CREATE")
    change_set = stack.change(template())
    assert change_set["Status"] == "FAILED"
    assert "didn't contain changes" in change_set["StatusReason"] or "No updates" in change_set["StatusReason"]


def test_change_set_tells_a_replacement(stack: Stack) -> None:
    def queue(fifo: str) -> str:
        return template(resources={"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": fifo}}})

    stack.deploy(queue(name()), "CREATE")
    changes = [change["ResourceChange"] for change in stack.change(queue(name()))["Changes"]]
    assert [(c["LogicalResourceId"], c["Action"], c["Replacement"]) for c in changes] == [("Q", "Modify", "True")]


def test_removed_resource_is_a_removal_in_the_change_set(stack: Stack) -> None:
    stack.deploy(template(resources={"Topic": {"Type": "AWS::SNS::Topic"}}), "CREATE")
    changes = [change["ResourceChange"] for change in stack.change(template())["Changes"]]
    assert [(c["LogicalResourceId"], c["Action"]) for c in changes] == [("Topic", "Remove")]


def test_failed_creation_rolls_back_and_leaves_nothing(stack: Stack, taken: dict[str, Any]) -> None:
    assert stack.deploy(template(resources=taken), "CREATE") == "ROLLBACK_COMPLETE"
    resources = stack.cfn.describe_stack_resources(StackName=stack.name)["StackResources"]
    assert {resource["ResourceStatus"] for resource in resources} <= {"DELETE_COMPLETE", "CREATE_FAILED"}


def test_failed_creation_has_the_reason_in_its_events(stack: Stack, taken: dict[str, Any]) -> None:
    stack.deploy(template(resources=taken), "CREATE")
    events = stack.cfn.describe_stack_events(StackName=stack.name)["StackEvents"]
    failed = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED" and event["LogicalResourceId"] in taken]
    assert failed
    assert failed[0]["ResourceStatusReason"]


def test_failed_update_restores_the_old_value(backend: Backend, stack: Stack, taken: dict[str, Any]) -> None:
    stack.deploy(template("1"), "CREATE")
    assert stack.deploy(template("2", resources=taken)) == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.value(backend.client("ssm")) == "1"


def test_missing_parameter_is_refused(stack: Stack) -> None:
    with pytest.raises(ClientError) as refused:
        stack.change(template(Parameters={"P": {"Type": "String"}}), "CREATE")
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_unknown_resource_type_is_refused(stack: Stack) -> None:
    try:
        status = stack.deploy(template(resources={"X": {"Type": "AWS::SQS::Quue"}}), "CREATE")
    except ClientError as refused:
        status = refused.response["Error"]["Code"]
    assert status in ("ValidationError", "ROLLBACK_COMPLETE", "InvalidChangeSetStatus")


def test_protected_stack_is_not_deleted(stack: Stack) -> None:
    stack.deploy(template(), "CREATE")
    stack.cfn.update_termination_protection(EnableTerminationProtection=True, StackName=stack.name)
    with pytest.raises(ClientError) as refused:
        stack.cfn.delete_stack(StackName=stack.name)
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_stack_policy_is_stored(stack: Stack) -> None:
    stack.deploy(template(), "CREATE")
    policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"}]}
    stack.cfn.set_stack_policy(StackName=stack.name, StackPolicyBody=json.dumps(policy))
    assert json.loads(stack.cfn.get_stack_policy(StackName=stack.name)["StackPolicyBody"]) == policy


def test_deleting_a_stack_that_is_gone_changes_nothing(stack: Stack) -> None:
    stack.deploy(template(), "CREATE")
    stack_id = stack.describe()["StackId"]
    for _ in range(2):
        stack.cfn.delete_stack(StackName=stack.name)
        time.sleep(0.5)
    assert stack.cfn.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"
    with pytest.raises(ClientError) as missing:
        stack.describe()
    assert missing.value.response["Error"]["Code"] == "ValidationError"


def test_export_in_use_keeps_its_stack(backend: Backend) -> None:
    exporter, importer, export = Stack(backend), Stack(backend), name("export")
    exporter.deploy(template(Outputs={"O": {"Value": "1", "Export": {"Name": export}}}), "CREATE")
    assert importer.deploy(template({"Fn::ImportValue": export}), "CREATE") == "CREATE_COMPLETE"  # type: ignore[arg-type]
    try:
        exporter.cfn.delete_stack(StackName=exporter.name)
        status = exporter.wait()
    except ClientError as refused:
        status = "DELETE_FAILED" if "in use" in str(refused) or export in str(refused) else str(refused)
    assert status in ("DELETE_FAILED", "CREATE_COMPLETE")


def test_stack_listing_shows_every_stack_of_the_account(backend: Backend) -> None:
    account = backend.member_account()
    cfn = backend.client("cloudformation", account)
    wanted = {name("many") for _ in range(12)}
    for each in wanted:
        cfn.create_stack(StackName=each, TemplateBody=template())
    pages = cfn.get_paginator("describe_stacks").paginate()
    assert {found["StackName"] for page in pages for found in page["Stacks"]} == wanted


def test_executed_change_set_cannot_be_executed_again(stack: Stack) -> None:
    change_set = stack.change(template(), "CREATE")
    stack.cfn.execute_change_set(StackName=stack.name, ChangeSetName=change_set["ChangeSetName"])
    stack.wait()
    with pytest.raises(ClientError) as refused:
        stack.cfn.execute_change_set(StackName=stack.name, ChangeSetName=change_set["ChangeSetName"])
    assert refused.value.response["Error"]["Code"] in ("InvalidChangeSetStatus", "ChangeSetNotFound")
