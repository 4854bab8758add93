"""AWS::DeleteStack and AWS::GetStackOutputs against the embedded cloud."""

from __future__ import annotations

import json
from typing import Any

from core_lib.framework.models import ActionStatus, Options, PlanAction
from tests.builders.plans import action
from tests.integration.execute.conftest import Rehearsal, parameter


def delete(rehearsal: Rehearsal, name: str = "app", **spec: Any) -> PlanAction:
    return action(name, "AWS::DeleteStack", target=rehearsal.target, spec={"StackName": name, **spec})


def made(rehearsal: Rehearsal, name: str = "app", template: dict[str, Any] | None = None, **more: Any) -> None:
    rehearsal.cloudformation.create_stack(StackName=name, TemplateBody=json.dumps(template or parameter()), **more)


def names(rehearsal: Rehearsal) -> list[str]:
    return [stack["StackName"] for stack in rehearsal.cloudformation.describe_stacks()["Stacks"]]


async def test_stack_when_deleted_then_it_is_gone_and_a_second_time_is_fine(rehearsal: Rehearsal) -> None:
    made(rehearsal)
    first = await rehearsal.run(delete(rehearsal))
    assert (first["app"].message, first["app"].changed) == ("deleted", True)
    assert names(rehearsal) == []
    second = await rehearsal.run(delete(rehearsal))
    assert (second["app"].message, second["app"].changed) == ("there is no such stack", False)


async def test_stack_when_protected_then_the_deletion_is_refused_with_a_hint(rehearsal: Rehearsal) -> None:
    made(rehearsal, EnableTerminationProtection=True)
    outcome = await rehearsal.run(delete(rehearsal))
    error = outcome["app"].error
    assert error is not None
    assert (error.message, "Force" in (error.hint or "")) == ("the stack has termination protection", True)
    assert names(rehearsal) == ["app"]


async def test_stack_when_protected_and_forced_then_it_is_deleted(rehearsal: Rehearsal) -> None:
    made(rehearsal, EnableTerminationProtection=True)
    made(rehearsal, "net", parameter("/demo/net"), EnableTerminationProtection=True)
    assert (await rehearsal.run(delete(rehearsal, Force=True)))["app"].status is ActionStatus.SUCCEEDED
    assert (await rehearsal.run(delete(rehearsal, "net"), options=Options(force=True)))["net"].status is ActionStatus.SUCCEEDED
    assert names(rehearsal) == []


async def test_stack_when_its_export_is_in_use_then_the_failure_says_so(rehearsal: Rehearsal) -> None:
    exporting = parameter()
    exporting["Outputs"]["Name"]["Export"] = {"Name": "shared-name"}
    importing = parameter("/demo/other")
    importing["Resources"]["Item"]["Properties"]["Value"] = {"Fn::ImportValue": "shared-name"}
    made(rehearsal, "app", exporting)
    made(rehearsal, "user", importing)
    outcome = await rehearsal.run(delete(rehearsal))
    assert outcome["app"].error is not None
    assert "shared-name" in outcome["app"].error.message
    assert sorted(names(rehearsal)) == ["app", "user"]


async def test_outputs_when_the_stack_exists_then_they_are_read_and_when_not_then_optional_decides(rehearsal: Rehearsal) -> None:
    made(rehearsal)
    spec = {"StackName": "app"}
    missing = {"StackName": "nowhere"}
    outcome = await rehearsal.run(
        action("read", "AWS::GetStackOutputs", target=rehearsal.target, spec=spec),
        action("maybe", "AWS::GetStackOutputs", target=rehearsal.target, spec={**missing, "Optional": True}),
        action("must", "AWS::GetStackOutputs", target=rehearsal.target, spec=missing, on_failure="continue"),
        options=Options(tolerance=1),
    )
    assert outcome["read"].outputs == {"Name": "/demo/value", "Value": "one"}
    assert (outcome["maybe"].status, outcome["maybe"].outputs) == (ActionStatus.SUCCEEDED, {})
    assert outcome["must"].status is ActionStatus.FAILED


async def test_stack_when_created_and_deleted_by_the_same_unit_then_the_deletion_finds_it(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    spec = {"StackName": "app", "Template": "app.json", "TerminationProtection": True}
    create = action("make", "AWS::CreateStack", target=rehearsal.target, spec=spec)
    refused = await rehearsal.run(create, delete(rehearsal).but(depends_on=(create.id,)))
    assert refused["app"].status is ActionStatus.FAILED
    outcome = await rehearsal.run(create, delete(rehearsal, Force=True).but(depends_on=(create.id,)))
    assert outcome["app"].message == "deleted"
    assert names(rehearsal) == []
