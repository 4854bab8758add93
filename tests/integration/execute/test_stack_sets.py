"""Stack sets on the embedded cloud, which has moto answer for them: real sets and instances, but operations that end at once and
no instance that fails. What that cannot show is in `tests/unit/execute/actions/test_stack_set_kinds.py`."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.framework.models import ActionStatus, PlanAction
from tests.builders.plans import action, example
from tests.integration.execute.conftest import Outcome, Rehearsal, parameter


def neighbour(rehearsal: Rehearsal) -> str:
    """Another account, of this test alone: instances make real resources there."""
    return str(int(rehearsal.account) + 1)


def act(rehearsal: Rehearsal, kind: str, **spec: Any) -> PlanAction:
    return action("it", kind, target=rehearsal.target, spec={"StackSetName": "base", **spec})


async def create(rehearsal: Rehearsal, **spec: Any) -> Outcome:
    rehearsal.put("base.json", parameter("/base"))
    return await rehearsal.run(act(rehearsal, "AWS::CreateStackSet", Template="base.json", **spec))


async def deploy(rehearsal: Rehearsal, *regions: str) -> Outcome:
    accounts = [rehearsal.account, neighbour(rehearsal)]
    return await rehearsal.run(act(rehearsal, "AWS::DeployStackInstances", Accounts=accounts, Regions=list(regions)))


def instances(rehearsal: Rehearsal) -> set[tuple[str, str]]:
    listed = rehearsal.cloudformation.list_stack_instances(StackSetName="base")["Summaries"]
    return {(each["Account"], each["Region"]) for each in listed}


async def test_set_when_created_twice_then_the_second_time_nothing_changes_and_an_update_is_one(rehearsal: Rehearsal) -> None:
    first = await create(rehearsal, Parameters={"Value": "one"}, Tags={"Owner": "it"})
    assert (first["it"].message, first["it"].outputs["Created"]) == ("created", True)
    again = await create(rehearsal, Parameters={"Value": "one"}, Tags={"Owner": "it"})
    assert (again["it"].message, again["it"].changed) == ("no changes", False)
    other = await create(rehearsal, Parameters={"Value": "two"}, Tags={"Owner": "it"})
    assert (other["it"].message, other["it"].changed) == ("updated", True)
    found = rehearsal.cloudformation.describe_stack_set(StackSetName="base")["StackSet"]
    assert found["Parameters"] == [{"ParameterKey": "Value", "ParameterValue": "two"}]


async def test_instances_when_deployed_then_only_missing_ones_are_created(rehearsal: Rehearsal) -> None:
    await create(rehearsal)
    first = await deploy(rehearsal, "eu-west-1")
    here = {(rehearsal.account, "eu-west-1"), (neighbour(rehearsal), "eu-west-1")}
    assert instances(rehearsal) == here
    assert sorted(first["it"].outputs["Instances"]["SUCCEEDED"]) == sorted(f"{account}/eu-west-1" for account, _ in here)
    assert (await deploy(rehearsal, "eu-west-1"))["it"].changed is False
    second = await deploy(rehearsal, "eu-west-1", "us-east-1")
    assert sorted(second["it"].outputs["Instances"]["SUCCEEDED"]) == sorted(f"{account}/us-east-1" for account, _ in here)
    assert len(instances(rehearsal)) == 4


async def test_instances_when_deleted_then_the_rest_stays_and_the_set_goes_last(rehearsal: Rehearsal) -> None:
    await create(rehearsal)
    await deploy(rehearsal, "eu-west-1", "us-east-1")
    refused = await rehearsal.run(act(rehearsal, "AWS::DeleteStackSet"))
    assert refused["it"].error is not None
    assert "still has instances" in refused["it"].error.message
    some = await rehearsal.run(
        act(rehearsal, "AWS::DeleteStackInstances", Regions=["us-east-1"], Accounts=[neighbour(rehearsal)])
    )
    assert some["it"].outputs["Instances"] == {"SUCCEEDED": [f"{neighbour(rehearsal)}/us-east-1"]}
    assert len(instances(rehearsal)) == 3
    await rehearsal.run(act(rehearsal, "AWS::DeleteStackInstances"))
    assert instances(rehearsal) == set()
    gone = await rehearsal.run(act(rehearsal, "AWS::DeleteStackSet"))
    assert (gone["it"].status, gone["it"].message) == (ActionStatus.SUCCEEDED, "deleted")
    again = await rehearsal.run(act(rehearsal, "AWS::DeleteStackSet"))
    assert again["it"].changed is False
    assert (await rehearsal.run(act(rehearsal, "AWS::DeleteStackInstances")))["it"].changed is False


@pytest.mark.undo("AWS::CreateStackSet")
async def test_chain_when_it_fails_and_is_undone_then_instances_and_set_are_gone(rehearsal: Rehearsal) -> None:
    rehearsal.put("base.json", parameter("/base"))
    made = act(rehearsal, "AWS::CreateStackSet", Template="base.json")
    spec = {"StackSetName": "base", "Accounts": [neighbour(rehearsal)], "Regions": ["eu-west-1"]}
    placed = action("place", "AWS::DeployStackInstances", target=rehearsal.target, after=["it"], spec=spec)
    missing = {"StackName": "nowhere"}
    failing = action("fail", "AWS::GetStackOutputs", target=rehearsal.target, after=["place"], spec=missing, on_failure="undo")
    outcome = await rehearsal.run(made, placed, failing)
    assert (outcome["it"].status, outcome["place"].status) == (ActionStatus.CANCELLED, ActionStatus.CANCELLED)
    assert "undone" in str(outcome["place"].message)
    listed = rehearsal.cloudformation.list_stack_sets()["Summaries"]
    assert [each["Status"] for each in listed if each["StackSetName"] == "base"] == ["DELETED"]


@pytest.mark.example("AWS::CreateStackSet", "AWS::DeployStackInstances", "AWS::DeleteStackInstances", "AWS::DeleteStackSet")
async def test_sets_when_the_examples_run_then_instances_come_and_go_and_the_set_with_them(rehearsal: Rehearsal) -> None:
    def of(name: str, kind: str, *after: str, **changes: Any) -> PlanAction:
        return example(name, kind, target=rehearsal.target, after=after, **changes)

    template = parameter("/baseline")
    template["Parameters"]["LogRetentionDays"] = {"Type": "Number"}
    rehearsal.put("baseline.yaml", template)
    outcome = await rehearsal.run(
        of("create", "AWS::CreateStackSet"),
        of("deploy", "AWS::DeployStackInstances", "create"),
        of("leave", "AWS::DeleteStackInstances", "deploy"),
        of("empty", "AWS::DeleteStackInstances", "leave", Regions=["eu-west-1"]),
        of("delete", "AWS::DeleteStackSet", "empty"),
    )
    assert {row.status for row in outcome.rows.values()} == {ActionStatus.SUCCEEDED}
    assert len(outcome["deploy"].outputs["Instances"]["SUCCEEDED"]) == 4
    left = outcome["leave"].outputs["Instances"]["SUCCEEDED"]
    assert sorted(left) == ["111111111111/us-east-1", "222222222222/us-east-1"]
    assert outcome["delete"].message == "deleted"
