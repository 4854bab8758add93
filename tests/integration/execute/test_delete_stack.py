"""AWS::DeleteStack and AWS::GetStackOutputs against the embedded cloud."""

from __future__ import annotations

import json
from typing import Any

from core_lib.framework.models import ActionStatus, Options, PlanAction
from tests.builders.plans import action
from tests.integration.execute import stuck
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


def exporting_and_importing(rehearsal: Rehearsal) -> None:
    exporting = parameter()
    exporting["Outputs"]["Name"]["Export"] = {"Name": "shared-name"}
    importing = parameter("/demo/other")
    importing["Resources"]["Item"]["Properties"]["Value"] = {"Fn::ImportValue": "shared-name"}
    made(rehearsal, "app", exporting)
    made(rehearsal, "user", importing)


async def test_stack_when_in_use_and_that_is_tolerated_then_it_stays_and_is_not_called_deleted(rehearsal: Rehearsal) -> None:
    exporting_and_importing(rehearsal)
    outcome = await rehearsal.run(delete(rehearsal, SuccessStatuses=["DELETE_FAILED"]))
    assert (outcome["app"].status, outcome["app"].changed) == (ActionStatus.SUCCEEDED, False)
    assert outcome["app"].outputs == {"Deleted": False, "StackStatus": "CREATE_COMPLETE", "RetainedResources": []}
    assert "shared-name" in str(outcome["app"].message)
    assert sorted(names(rehearsal)) == ["app", "user"]


async def test_stack_when_healthy_and_its_status_is_tolerated_then_it_is_deleted_all_the_same(rehearsal: Rehearsal) -> None:
    made(rehearsal)
    outcome = await rehearsal.run(delete(rehearsal, SuccessStatuses=["CREATE_COMPLETE", "UPDATE_COMPLETE"]))
    assert outcome["app"].outputs["Deleted"] is True
    assert names(rehearsal) == []


async def test_stack_when_a_resource_cannot_be_deleted_then_the_failure_names_it_and_the_way_out(rehearsal: Rehearsal) -> None:
    stuck.full_repositories(rehearsal.direct, "app", "images")
    error = (await rehearsal.run(delete(rehearsal)))["app"].error
    assert error is not None
    assert "Images (AWS::ECR::Repository) DELETE_FAILED" in error.message
    assert "OnDeleteFailed: retain" in str(error.hint)


async def test_stack_when_what_fails_is_retained_then_exactly_that_is_left_behind(rehearsal: Rehearsal) -> None:
    stuck.full_repositories(rehearsal.direct, "app", "images", "charts")
    outcome = await rehearsal.run(delete(rehearsal, OnDeleteFailed="retain"))
    assert outcome["app"].outputs == {
        "Deleted": True,
        "RetainedResources": ["Charts (AWS::ECR::Repository app-charts)", "Images (AWS::ECR::Repository app-images)"],
    }
    assert names(rehearsal) == []
    left = rehearsal.direct("ecr").describe_repositories()["repositories"]
    assert sorted(each["repositoryName"] for each in left) == ["app-charts", "app-images"]
    assert rehearsal.direct("ssm").get_parameters(Names=["/app"])["Parameters"] == []


async def test_stack_when_only_one_may_be_retained_then_the_other_still_fails(rehearsal: Rehearsal) -> None:
    stuck.full_repositories(rehearsal.direct, "app", "images", "charts")
    outcome = await rehearsal.run(delete(rehearsal, RetainResources=["Images", "Item"]))
    error = outcome["app"].error
    assert error is not None
    assert "Charts (AWS::ECR::Repository) DELETE_FAILED" in error.message
    assert "Images" not in error.message


async def test_stack_when_its_deletion_has_failed_before_then_forcing_it_works(rehearsal: Rehearsal) -> None:
    stuck.delete_failed(rehearsal.direct, "app")
    outcome = await rehearsal.run(delete(rehearsal, OnDeleteFailed="force"))
    assert outcome["app"].outputs["RetainedResources"] == ["Images (AWS::ECR::Repository app-images)"]
    assert names(rehearsal) == []


async def test_references_when_exports_are_imported_then_they_are_counted_and_conditions_can_tell(rehearsal: Rehearsal) -> None:
    exporting_and_importing(rehearsal)

    def look(name: str, **spec: Any) -> PlanAction:
        return action(name, "AWS::GetStackReferences", target=rehearsal.target, spec=spec)

    outcome = await rehearsal.run(
        look("used", StackName="app"),
        look("output", StackName="app", OutputName="Name"),
        look("unused", StackName="user"),
        look("absent", StackName="app", OutputName="DefaultExport", Optional=True),
        look("wrong", StackName="app", OutputName="DefaultExport").but(on_failure="continue"),
        options=Options(tolerance=1),
    )
    used = {"HasReferences": True, "NumReferences": 1, "References": ["user"], "Exports": {"shared-name": ["user"]}}
    assert outcome["used"].outputs == outcome["output"].outputs == used
    assert outcome["unused"].outputs == outcome["absent"].outputs
    assert (outcome["unused"].outputs["HasReferences"], outcome["unused"].outputs["NumReferences"]) == (False, 0)
    assert outcome["wrong"].status is ActionStatus.FAILED
