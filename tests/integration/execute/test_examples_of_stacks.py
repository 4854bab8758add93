"""The examples of the kinds around stacks, one after the other as a deployment would have them."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.framework.models import ActionStatus, PlanAction
from tests.builders.plans import action, example
from tests.integration.execute.conftest import Rehearsal, parameter

MARK = {"Cidr": {"Type": "String"}, "TopicArn": {"Type": "String", "Default": "none"}}


def vpc(rehearsal: Rehearsal) -> None:
    template = parameter("/demo/vpc")
    template["Parameters"] |= MARK
    template["Outputs"] |= {"Subnets": {"Value": "a,b"}}
    rehearsal.put("net/vpc.yaml", template)


def hub(rehearsal: Rehearsal) -> PlanAction:
    template = parameter("/demo/hub")
    template["Outputs"] = {"TopicArn": {"Value": {"Ref": "Item"}}}
    rehearsal.put("hub.json", template)
    return action("hub", "AWS::CreateStack", target=rehearsal.target, spec={"StackName": "hub", "Template": "hub.json"})


def of(rehearsal: Rehearsal, name: str, kind: str, after: list[str], *upstream: str, **changes: Any) -> PlanAction:
    made = example(name, kind, target=rehearsal.target, after=after, **changes)
    return made.but(references={label: f"{label}@{rehearsal.target}" for label in upstream})


@pytest.mark.example("AWS::CreateStack", "SYSTEM::SetVariables", "SYSTEM::NoOp", "AWS::GetStackOutputs")
async def test_stack_and_variables_when_their_examples_run_then_values_travel(rehearsal: Rehearsal) -> None:
    vpc(rehearsal)
    outcome = await rehearsal.run(
        hub(rehearsal),
        of(rehearsal, "network", "AWS::CreateStack", ["hub"], "hub"),
        of(rehearsal, "values", "SYSTEM::SetVariables", ["network"], "network"),
        of(rehearsal, "meet", "SYSTEM::NoOp", ["values"]),
        of(rehearsal, "maybe", "AWS::GetStackOutputs", ["meet"]),
    )
    assert {row.status for row in outcome.rows.values()} == {ActionStatus.SUCCEEDED}
    assert outcome["values"].variables == {"Subnets": "a,b", "Zones": 3}


@pytest.mark.example("AWS::CreateChangeSet", "AWS::ApplyChangeSet", "AWS::DeleteChangeSet", "AWS::DeleteStack")
async def test_change_sets_when_their_examples_run_then_stacks_come_and_go(rehearsal: Rehearsal) -> None:
    vpc(rehearsal)
    reviewed = await rehearsal.run(of(rehearsal, "review", "AWS::CreateChangeSet", []))
    assert reviewed["review"].outputs["Review"]["Outcome"] == "create"
    applied = await rehearsal.run(of(rehearsal, "apply", "AWS::ApplyChangeSet", []), reviews=reviewed.reviews)
    assert applied["apply"].status is ActionStatus.SUCCEEDED
    outcome = await rehearsal.run(
        of(rehearsal, "forget", "AWS::DeleteChangeSet", []), of(rehearsal, "delete", "AWS::DeleteStack", ["forget"])
    )
    assert outcome["delete"].message == "deleted"
