"""Looking for drift, continuing rollbacks and importing resources against the embedded cloud."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core_lib.framework.models import ActionStatus, PlanAction, StackDrift, StackReview
from tests.builders.plans import action, example
from tests.integration.execute import stuck
from tests.integration.execute.conftest import Rehearsal, parameter


def act(rehearsal: Rehearsal, kind: str, **spec: Any) -> PlanAction:
    return action("it", kind, target=rehearsal.target, spec={"StackName": "app", **spec})


def made(rehearsal: Rehearsal, resources: dict[str, Any], name: str = "app") -> None:
    rehearsal.cloudformation.create_stack(StackName=name, TemplateBody=stuck.template(resources))
    stuck.until(rehearsal.cloudformation, name, "CREATE_COMPLETE")


def item(name: str, value: str = "1") -> dict[str, Any]:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Name": name, "Type": "String", "Value": value}}


def overwrite(rehearsal: Rehearsal, name: str, value: str) -> None:
    rehearsal.direct("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


async def test_drift_when_nothing_differs_then_in_sync(rehearsal: Rehearsal) -> None:
    made(rehearsal, {"Item": item("/app")})
    outcome = await rehearsal.run(act(rehearsal, "AWS::DetectDrift"))
    assert (outcome["it"].outputs["DriftStatus"], outcome["it"].outputs["DriftedResourceCount"]) == ("IN_SYNC", 0)
    assert outcome["it"].changed is False


async def test_drift_when_resources_were_changed_and_deleted_then_each_difference_is_told(rehearsal: Rehearsal) -> None:
    made(rehearsal, {"Item": item("/app"), "Other": item("/other"), "Third": item("/third")})
    overwrite(rehearsal, "/app", "changed")
    rehearsal.direct("ssm").delete_parameter(Name="/other")
    outcome = await rehearsal.run(act(rehearsal, "AWS::DetectDrift"))
    drift = StackDrift.model_validate(outcome["it"].outputs["Drift"])
    assert (drift.status, drift.checked_stacks) == ("DRIFTED", 1)
    found = {each.logical_id: each for each in drift.resources}
    assert {name: each.status for name, each in found.items()} == {"Item": "MODIFIED", "Other": "DELETED"}
    assert [each.as_dict() for each in found["Item"].properties] == [
        {"Path": "/Value", "Kind": "NOT_EQUAL", "Expected": "1", "Actual": "changed"}
    ]


async def test_drift_when_it_is_in_a_nested_stack_then_it_is_found_with_its_path(rehearsal: Rehearsal) -> None:
    s3 = rehearsal.direct("s3")
    bucket = f"templates-{rehearsal.account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=bucket, Key="child.json", Body=stuck.template({"Item": item("/nested")}).encode())
    url = f"{rehearsal.cloud.endpoint}/{bucket}/child.json"
    made(rehearsal, {"Child": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}})
    overwrite(rehearsal, "/nested", "changed")
    whole = await rehearsal.run(act(rehearsal, "AWS::DetectDrift"))
    drift = StackDrift.model_validate(whole["it"].outputs["Drift"])
    assert (drift.checked_stacks, [(each.stack, each.logical_id) for each in drift.resources]) == (2, [("Child", "Item")])
    alone = await rehearsal.run(act(rehearsal, "AWS::DetectDrift", Nested=False))
    assert alone["it"].outputs["DriftStatus"] == "IN_SYNC"


async def test_drift_when_the_stack_cannot_be_looked_at_or_is_gone_then_that_is_the_result(rehearsal: Rehearsal) -> None:
    gone = await rehearsal.run(act(rehearsal, "AWS::DetectDrift"))
    assert gone["it"].outputs["DriftStatus"] == "DELETED"
    stuck.rollback_complete(rehearsal.direct, "app")
    failed = await rehearsal.run(act(rehearsal, "AWS::DetectDrift"))
    assert failed["it"].outputs["DriftStatus"] == "NOT_CHECKED"
    assert "ROLLBACK_COMPLETE" in failed["it"].outputs["Drift"]["Reason"]
    assert failed["it"].status is ActionStatus.SUCCEEDED


async def test_rollback_when_the_cause_was_repaired_then_nothing_is_skipped(rehearsal: Rehearsal) -> None:
    stuck.update_rollback_failed(rehearsal.direct, "app")
    rehearsal.direct("logs").create_log_group(logGroupName="/app")
    outcome = await rehearsal.run(act(rehearsal, "AWS::ContinueUpdateRollback", AllowSkip=True))
    assert outcome["it"].outputs == {"StackStatus": "UPDATE_ROLLBACK_COMPLETE", "SkippedResources": []}


async def test_rollback_when_it_fails_again_then_nothing_is_skipped_without_leave(rehearsal: Rehearsal) -> None:
    stuck.update_rollback_failed(rehearsal.direct, "app", filters=2)
    outcome = await rehearsal.run(act(rehearsal, "AWS::ContinueUpdateRollback"))
    error = outcome["it"].error
    assert error is not None
    assert "Filter0 (AWS::Logs::MetricFilter)" in error.message
    assert "AllowSkip: true, which would skip Filter0, Filter1" in str(error.hint)
    assert stuck.until(rehearsal.cloudformation, "app") == "UPDATE_ROLLBACK_FAILED"


async def test_rollback_when_skipping_is_allowed_then_only_what_blocks_is_skipped(rehearsal: Rehearsal) -> None:
    stuck.update_rollback_failed(rehearsal.direct, "app", filters=2)
    outcome = await rehearsal.run(act(rehearsal, "AWS::ContinueUpdateRollback", AllowSkip=True))
    assert outcome["it"].outputs == {"StackStatus": "UPDATE_ROLLBACK_COMPLETE", "SkippedResources": ["Filter0", "Filter1"]}
    again = await rehearsal.run(act(rehearsal, "AWS::ContinueUpdateRollback"))
    assert (again["it"].status, again["it"].changed) == (ActionStatus.SUCCEEDED, False)


def importable(policy: dict[str, str]) -> dict[str, Any]:
    content = parameter("/existing")
    content["Resources"]["Item"] |= policy
    content["Parameters"]["Value"]["Default"] = "kept"
    del content["Outputs"]  # neither CloudFormation nor MiniStack lets an import add outputs
    return content


IMPORT = {
    "ResourcesToImport": [
        {"ResourceType": "AWS::SSM::Parameter", "LogicalResourceId": "Item", "ResourceIdentifier": {"Name": "/existing"}}
    ]
}


async def test_import_when_the_resource_exists_then_the_stack_takes_it_over_once(rehearsal: Rehearsal) -> None:
    overwrite(rehearsal, "/existing", "kept")
    rehearsal.put("app.json", importable({"DeletionPolicy": "Retain"}))
    task = act(rehearsal, "AWS::ImportResources", Template="app.json", **IMPORT)
    first = await rehearsal.run(task)
    assert (first["it"].status, first["it"].changed) == (ActionStatus.SUCCEEDED, True)
    assert stuck.until(rehearsal.cloudformation, "app") == "IMPORT_COMPLETE"
    second = await rehearsal.run(task)
    assert (second["it"].status, second["it"].changed) == (ActionStatus.SUCCEEDED, False)
    deployed = await rehearsal.run(
        action("it", "AWS::CreateStack", target=rehearsal.target, spec={"StackName": "app", "Template": "app.json"})
    )
    assert (deployed["it"].status, deployed["it"].changed) == (ActionStatus.SUCCEEDED, False)


async def test_import_when_the_template_has_no_deletion_policy_then_it_is_refused_before_any_call(rehearsal: Rehearsal) -> None:
    overwrite(rehearsal, "/existing", "kept")
    rehearsal.put("app.json", importable({}))
    rehearsal.cloud.reset_calls()
    outcome = await rehearsal.run(act(rehearsal, "AWS::ImportResources", Template="app.json", **IMPORT))
    assert outcome["it"].error is not None
    assert "Item has no DeletionPolicy" in outcome["it"].error.message
    assert rehearsal.cloud.count("cloudformation", "CreateChangeSet") == 0


async def test_import_when_cloudformation_finds_them_by_name_then_they_are_adopted(rehearsal: Rehearsal) -> None:
    overwrite(rehearsal, "/existing", "kept")
    rehearsal.put("app.json", importable({"DeletionPolicy": "RetainExceptOnCreate"}))
    spec = {"Template": "app.json", "ImportExistingResources": True}
    outcome = await rehearsal.run(act(rehearsal, "AWS::ImportResources", **spec))
    assert (outcome["it"].status, outcome["it"].message) == (ActionStatus.SUCCEEDED, "created")
    listed = rehearsal.cloudformation.list_stack_resources(StackName="app")["StackResourceSummaries"]
    assert [(each["LogicalResourceId"], each["PhysicalResourceId"]) for each in listed] == [("Item", "/existing")]


@pytest.mark.example("AWS::DetectDrift", "AWS::GetStackReferences", "AWS::ReviewDeletion")
async def test_looking_at_a_stack_when_the_examples_run_then_they_tell_what_is_so(rehearsal: Rehearsal) -> None:
    exporting = {"Resources": {"Item": item("/network")}, "Outputs": {"DefaultExport": {"Value": "v", "Export": {"Name": "net"}}}}
    rehearsal.cloudformation.create_stack(StackName="network", TemplateBody=json.dumps(exporting))
    stuck.until(rehearsal.cloudformation, "network", "CREATE_COMPLETE")
    importing = item("/shop")
    importing["Properties"]["Value"] = {"Fn::ImportValue": "net"}
    made(rehearsal, {"Item": importing}, "shop")
    kinds = {"drift": "AWS::DetectDrift", "references": "AWS::GetStackReferences", "review": "AWS::ReviewDeletion"}
    outcome = await rehearsal.run(*(example(name, kind, target=rehearsal.target) for name, kind in kinds.items()))
    assert outcome["drift"].outputs["DriftStatus"] == "IN_SYNC"
    assert outcome["references"].outputs["References"] == ["shop"]
    review = StackReview.model_validate(outcome["review"].outputs["Review"])
    assert [(change.action, change.physical_id) for change in review.changes] == [("Remove", "/network")]


@pytest.mark.example("AWS::ContinueUpdateRollback")
async def test_rollback_when_the_example_runs_then_what_blocks_is_skipped(rehearsal: Rehearsal) -> None:
    stuck.update_rollback_failed(rehearsal.direct, "network")
    outcome = await rehearsal.run(example("it", "AWS::ContinueUpdateRollback", target=rehearsal.target))
    assert outcome["it"].outputs == {"StackStatus": "UPDATE_ROLLBACK_COMPLETE", "SkippedResources": ["Filter0"]}


@pytest.mark.example("AWS::ImportResources")
async def test_import_when_the_example_runs_then_the_bucket_is_in_the_stack(rehearsal: Rehearsal) -> None:
    where = {"LocationConstraint": "eu-west-1"}
    rehearsal.direct("s3").create_bucket(Bucket="acme-archive", CreateBucketConfiguration=where)
    bucket = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "Properties": {"BucketName": "acme-archive"}}
    rehearsal.put("storage.yaml", {"Resources": {"Archive": bucket}})
    outcome = await rehearsal.run(example("it", "AWS::ImportResources", target=rehearsal.target))
    assert outcome["it"].error is None
    (found,) = rehearsal.cloudformation.list_stack_resources(StackName="storage")["StackResourceSummaries"]
    assert (found["LogicalResourceId"], found["PhysicalResourceId"]) == ("Archive", "acme-archive")
