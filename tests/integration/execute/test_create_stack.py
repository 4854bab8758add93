"""AWS::CreateStack against the embedded cloud."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core_lib.framework.models import ActionStatus, Options, PlanAction
from tests.builders.plans import action
from tests.integration.execute.conftest import Rehearsal, never_ready, parameter


def create(rehearsal: Rehearsal, name: str = "app", template: str = "app.json", **spec: Any) -> PlanAction:
    return action(name, "AWS::CreateStack", target=rehearsal.target, spec={"StackName": name, "Template": template, **spec})


def value(rehearsal: Rehearsal, name: str = "/demo/value") -> str:
    return str(rehearsal.direct("ssm").get_parameter(Name=name)["Parameter"]["Value"])


def calls(rehearsal: Rehearsal) -> list[str]:
    return [call["operation"] for call in rehearsal.cloud.log() if call["service"] == "cloudformation"]


async def test_stack_when_absent_then_it_is_created_with_tags_policy_and_protection(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"}]}
    outcome = await rehearsal.run(
        create(rehearsal, Tags={"Owner": "ops"}, StackPolicy=policy, TerminationProtection=True, Parameters={"Value": "two"})
    )
    row = outcome["app"]
    assert (row.status, row.changed, row.message) == (ActionStatus.SUCCEEDED, True, "created")
    assert row.outputs == {"Name": "/demo/value", "Value": "two"}
    stack = rehearsal.cloudformation.describe_stacks(StackName="app")["Stacks"][0]
    assert stack["Tags"] == [{"Key": "Owner", "Value": "ops"}]
    assert stack["EnableTerminationProtection"] is True
    assert json.loads(rehearsal.cloudformation.get_stack_policy(StackName="app")["StackPolicyBody"]) == policy
    assert value(rehearsal) == "two"


async def test_stack_when_nothing_changed_then_the_second_run_costs_one_call_for_all(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    rehearsal.put("net.json", parameter("/demo/net"))
    actions = [create(rehearsal), create(rehearsal, "net", "net.json", TerminationProtection=True)]
    await rehearsal.run(*actions)
    rehearsal.cloud.reset_calls()
    outcome = await rehearsal.run(*actions)
    assert calls(rehearsal) == ["DescribeStacks"]
    assert [outcome[name].message for name in ("app", "net")] == ["unchanged", "unchanged"]
    assert outcome["app"].outputs == {"Name": "/demo/value", "Value": "one"}
    assert outcome.results[0].changed == 0


async def test_stack_when_a_parameter_changed_then_it_is_updated(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    await rehearsal.run(create(rehearsal))
    outcome = await rehearsal.run(create(rehearsal, Parameters={"Value": "two"}))
    assert (outcome["app"].message, outcome["app"].changed) == ("updated", True)
    assert value(rehearsal) == "two"


async def test_stack_when_somebody_else_changed_it_then_it_is_brought_back(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    await rehearsal.run(create(rehearsal))
    rehearsal.cloudformation.update_stack(
        StackName="app", TemplateBody=json.dumps(parameter()), Parameters=[{"ParameterKey": "Value", "ParameterValue": "theirs"}]
    )
    outcome = await rehearsal.run(create(rehearsal, Parameters={"Value": "one"}))
    assert outcome["app"].changed is True
    assert value(rehearsal) == "one"


async def test_stack_when_forced_then_even_an_unchanged_one_goes_through_a_change_set(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    await rehearsal.run(create(rehearsal))
    rehearsal.cloud.reset_calls()
    outcome = await rehearsal.run(create(rehearsal), options=Options(force=True))
    assert (outcome["app"].message, outcome["app"].changed) == ("no changes", False)
    assert "CreateChangeSet" in calls(rehearsal)
    assert "ExecuteChangeSet" not in calls(rehearsal)


async def test_stack_when_the_platform_never_saw_it_and_nothing_differs_then_it_is_adopted(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    rehearsal.cloudformation.create_stack(StackName="app", TemplateBody=json.dumps(parameter()))
    first = await rehearsal.run(create(rehearsal))
    assert (first["app"].message, first["app"].changed) == ("no changes", False)
    rehearsal.cloud.reset_calls()
    await rehearsal.run(create(rehearsal))
    assert calls(rehearsal) == ["DescribeStacks"]


async def test_stack_when_only_protection_or_policy_differ_then_they_are_changed_without_an_update(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    await rehearsal.run(create(rehearsal))
    rehearsal.put("policy.json", {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "Update:*", "Resource": "*"}]})
    outcome = await rehearsal.run(create(rehearsal, TerminationProtection=True, StackPolicy="policy.json"))
    assert (outcome["app"].message, outcome["app"].changed) == ("only protection or policy changed", True)
    assert rehearsal.cloudformation.describe_stacks(StackName="app")["Stacks"][0]["EnableTerminationProtection"] is True
    again = await rehearsal.run(create(rehearsal, TerminationProtection=True, StackPolicy="policy.json"))
    assert again["app"].message == "unchanged"


async def test_creation_when_a_resource_fails_then_the_row_names_the_first_cause(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter(**never_ready()))
    outcome = await rehearsal.run(create(rehearsal))
    error = outcome["app"].error
    assert error is not None
    assert (outcome["app"].status, error.code) == (ActionStatus.FAILED, "CORE-4003")
    assert "ROLLBACK_COMPLETE" in error.message
    assert "Wait (AWS::CloudFormation::WaitCondition) CREATE_FAILED" in error.message
    assert "cancelled" not in error.message.lower()


async def test_failed_creation_when_run_again_then_its_remains_are_removed_first(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter(**never_ready()))
    await rehearsal.run(create(rehearsal))
    before = rehearsal.cloudformation.describe_stacks(StackName="app")["Stacks"][0]
    assert before["StackStatus"] == "ROLLBACK_COMPLETE"
    rehearsal.put("app.json", parameter())
    outcome = await rehearsal.run(create(rehearsal))
    after = rehearsal.cloudformation.describe_stacks(StackName="app")["Stacks"][0]
    assert outcome["app"].status is ActionStatus.SUCCEEDED
    assert (after["StackStatus"], after["StackId"] == before["StackId"]) == ("CREATE_COMPLETE", False)


async def test_update_when_it_rolls_back_then_it_is_a_failure_with_its_reason(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    await rehearsal.run(create(rehearsal))
    rehearsal.put("app.json", parameter(**never_ready()))
    outcome = await rehearsal.run(create(rehearsal, Parameters={"Value": "two"}))
    error = outcome["app"].error
    assert error is not None
    assert "UPDATE_ROLLBACK_COMPLETE" in error.message
    assert "Wait (AWS::CloudFormation::WaitCondition)" in error.message
    assert value(rehearsal) == "one"
    rehearsal.put("app.json", parameter())
    healed = await rehearsal.run(create(rehearsal, Parameters={"Value": "three"}))
    assert healed["app"].message == "updated"


async def test_template_when_cloudformation_refuses_it_then_the_error_says_why_and_no_shell_is_left(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", {"Resources": {"X": {"Type": "AWS::Nope::Thing"}}})
    outcome = await rehearsal.run(create(rehearsal))
    assert outcome["app"].error is not None
    assert "AWS::Nope::Thing" in outcome["app"].error.message
    assert rehearsal.cloudformation.describe_stacks()["Stacks"] == []


async def test_stack_when_only_a_review_shell_exists_then_it_is_created(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    rehearsal.cloudformation.create_change_set(
        StackName="app", ChangeSetName="left-over", ChangeSetType="CREATE", TemplateBody=json.dumps(parameter())
    )
    outcome = await rehearsal.run(create(rehearsal))
    assert outcome["app"].message == "created"


async def test_stack_when_somebody_elses_operation_is_running_then_it_is_waited_for(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    rehearsal.cloudformation.create_stack(
        StackName="app", TemplateBody=json.dumps(parameter(**never_ready(2))), OnFailure="ROLLBACK"
    )
    outcome = await rehearsal.run(create(rehearsal))
    assert outcome["app"].message == "created"


@pytest.mark.parametrize("code", ["Throttling", "InternalFailure"])
async def test_stack_when_aws_stumbles_then_it_is_created_all_the_same(rehearsal: Rehearsal, code: str) -> None:
    rehearsal.put("app.json", parameter())
    status = 400 if code == "Throttling" else 500
    rehearsal.cloud.faults(
        [{"match": {"service": "cloudformation"}, "error": {"code": code, "status": status, "message": "slow down"}, "every": 2}]
    )  # fmt: skip
    outcome = await rehearsal.run(create(rehearsal))
    assert outcome["app"].status is ActionStatus.SUCCEEDED


@pytest.mark.parametrize("operation", ["CreateChangeSet", "ExecuteChangeSet"])
async def test_stack_when_an_answer_is_lost_then_the_change_is_found_and_made_once(rehearsal: Rehearsal, operation: str) -> None:
    rehearsal.put("app.json", parameter())
    rehearsal.cloud.faults([{"match": {"service": "cloudformation", "operation": operation}, "drop_response": True, "times": 1}])
    outcome = await rehearsal.run(create(rehearsal))
    assert outcome["app"].status is ActionStatus.SUCCEEDED
    events = rehearsal.cloudformation.describe_stack_events(StackName="app")["StackEvents"]
    assert [event["ResourceStatus"] for event in events if event["LogicalResourceId"] == "Item"].count("CREATE_COMPLETE") == 1
