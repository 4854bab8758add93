"""Kinds that delete, repair and look at stacks, step by step. The client is a script with answers as botocore shapes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from core_lib.execute import Again, Done, Failed, build_params, catalogue, find_kind
from core_lib.execute.stacks.blocking import blockers
from core_lib.execute.stacks.scope import stack_scope
from core_lib.framework.errors import SchemaError
from core_lib.framework.models import Target
from tests.builders.contexts import context_of
from tests.builders.scripted import names, scripted

ARN = "arn:aws:cloudformation:eu-west-1:111111111111:stack"
APP = f"{ARN}/app/1"
CHILD = f"{ARN}/app-Child-XYZ/2"


def refusal(message: str, operation: str, code: str = "ValidationError") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def event(logical: str, status: str, *, of: str = APP, physical: str = "p", reason: str = "", **more: Any) -> dict[str, Any]:
    kind = "AWS::CloudFormation::Stack" if physical.startswith("arn:") else "AWS::SNS::Topic"
    return {
        "StackId": of, "LogicalResourceId": logical, "PhysicalResourceId": physical, "ResourceType": kind,
        "ResourceStatus": status, "ResourceStatusReason": reason, **more,
    }  # fmt: skip


class CloudFormation:
    """Stacks by id or name, events (newest first) and resources by stack id, and a list of all that was asked to change."""

    def __init__(self, status: str = "CREATE_COMPLETE", **more: Any) -> None:
        self.stack: dict[str, Any] = {"StackName": "app", "StackId": APP, "StackStatus": status, **more}
        self.events: dict[str, list[dict[str, Any]]] = {APP: []}
        self.resources: dict[str, str] = {}
        self.asked: list[dict[str, Any]] = []
        self.pages: dict[str | None, dict[str, Any]] = {}
        self.refuses: ClientError | None = None

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803
        return {"Stacks": [self.stack]}

    def get_template(self, StackName: str, TemplateStage: str) -> dict[str, Any]:  # noqa: N803
        return {"TemplateBody": {"Resources": {}}}

    def describe_stack_events(self, StackName: str, NextToken: str | None = None) -> dict[str, Any]:  # noqa: N803
        return {"StackEvents": self.events[StackName]}

    def get_paginator(self, operation: str) -> CloudFormation:
        self.operation = operation
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        if self.operation == "describe_stacks":
            return [{"Stacks": [self.stack]}]
        listed = [
            {"LogicalResourceId": name, "ResourceType": "AWS::SNS::Topic", "ResourceStatus": status}
            for name, status in self.resources.items()
        ]
        return [{"StackResourceSummaries": listed[:1]}, {"StackResourceSummaries": listed[1:]}]

    def _change(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(arguments)
        if self.refuses:
            raise self.refuses
        return {"StackDriftDetectionId": "d-1"}

    delete_stack = continue_update_rollback = detect_stack_drift = _change

    def list_imports(self, ExportName: str, NextToken: str | None = None) -> dict[str, Any]:  # noqa: N803
        if ExportName not in self.pages and NextToken is None:
            raise refusal(f"Export '{ExportName}' is not imported by any stack.", "ListImports")
        return self.pages[NextToken or ExportName]

    describe_stack_drift_detection_status = describe_stack_resource_drifts = None


def run(kind: str, method: str, client: CloudFormation, scratch: Mapping[str, Any] | None = None, **params: Any) -> Any:
    context = context_of(kind, {"cloudformation": client}, scratch=scratch, stack_name="app", **params)
    return getattr(find_kind(kind)(), method)(context)


def test_delete_when_an_earlier_failure_is_still_shown_then_it_is_not_taken_for_this_ones_end() -> None:
    client = CloudFormation("DELETE_FAILED")
    client.resources = {"Topic": "DELETE_FAILED"}
    client.events[APP] = [event("app", "DELETE_FAILED", physical=APP, ClientRequestToken="somebody-elses")]
    begun = run("AWS::DeleteStack", "start", client)
    assert isinstance(begun, Again)
    assert begun.scratch is not None
    waiting = run("AWS::DeleteStack", "check", client, begun.scratch, on_delete_failed="retain")
    assert isinstance(waiting, Again)
    assert waiting.scratch is not None
    assert waiting.scratch["calm"] == 1
    assert len(client.asked) == 1
    client.events[APP].insert(0, event("app", "DELETE_FAILED", physical=APP, ClientRequestToken=begun.scratch["token"]))
    run("AWS::DeleteStack", "check", client, waiting.scratch, on_delete_failed="retain")
    assert client.asked[1]["RetainResources"] == ["Topic"]


def test_delete_when_each_round_fails_on_something_else_then_what_is_left_grows_and_ends() -> None:
    client = CloudFormation("DELETE_FAILED")
    client.resources = {"A": "DELETE_FAILED", "B": "CREATE_COMPLETE", "Gone": "DELETE_COMPLETE"}
    scratch: Mapping[str, Any] = {"phase": "deleting", "stack_id": APP, "calm": 9}
    first = run("AWS::DeleteStack", "check", client, scratch, on_delete_failed="retain")
    client.resources["B"] = "DELETE_FAILED"
    second = run("AWS::DeleteStack", "check", client, {**first.scratch, "calm": 9}, on_delete_failed="retain")
    assert [asked["RetainResources"] for asked in client.asked] == [["A"], ["A", "B"]]
    assert client.asked[0]["ClientRequestToken"] != client.asked[1]["ClientRequestToken"]
    third = run("AWS::DeleteStack", "check", client, {**second.scratch, "calm": 9}, on_delete_failed="retain")
    assert isinstance(third, Failed)


@pytest.mark.cancel("AWS::DeleteStack")
def test_delete_when_it_is_cancelled_then_only_what_was_not_begun_is_stopped() -> None:
    client = CloudFormation()
    assert isinstance(run("AWS::DeleteStack", "cancel", client, {"phase": "waiting", "since": "x"}), Done)
    assert isinstance(run("AWS::DeleteStack", "cancel", client, {"phase": "deleting", "stack_id": APP}), Again)
    assert client.asked == []


@pytest.mark.undo("AWS::DeleteStack")
def test_delete_when_undone_then_it_says_that_there_is_no_way_back() -> None:
    step = run("AWS::DeleteStack", "undo", CloudFormation())
    assert (step.changed, "deploy it again" in step.message) == (False, True)


def test_delete_when_the_stack_just_stays_then_it_is_never_called_deleted() -> None:
    client = CloudFormation("UPDATE_COMPLETE", StackStatusReason="Delete canceled. Cannot delete export x")
    scratch = {"phase": "deleting", "stack_id": APP, "calm": 9}
    assert isinstance(run("AWS::DeleteStack", "check", client, scratch), Failed)
    tolerated = run("AWS::DeleteStack", "check", client, scratch, success_statuses=["UPDATE_COMPLETE"])
    assert (tolerated.outputs["Deleted"], tolerated.outputs["StackStatus"]) == (False, "UPDATE_COMPLETE")


def test_blockers_when_resources_failed_for_different_reasons_then_only_failed_rollbacks_count_in_their_own_stacks_name() -> None:
    client = CloudFormation()
    client.events = {
        APP: [
            event("app", "UPDATE_ROLLBACK_FAILED", physical=APP),
            event("Nest", "UPDATE_FAILED", physical=CHILD, reason="Embedded stack was not rolled back"),
            event("Topic", "UPDATE_FAILED", reason="the topic does not exist"),
            event("Cured", "UPDATE_COMPLETE"),
            event("Cured", "UPDATE_FAILED", reason="throttled"),
            event("Other", "UPDATE_FAILED", reason="Resource update cancelled"),
            event("app", "UPDATE_ROLLBACK_IN_PROGRESS", physical=APP),
            event("Cause", "UPDATE_FAILED", reason="this is what the update itself failed of"),
            event("app", "UPDATE_IN_PROGRESS", physical=APP),
        ],
        CHILD: [
            event("Inner", "UPDATE_FAILED", of=CHILD, reason="no such key"),
            event("app-Child-XYZ", "UPDATE_ROLLBACK_IN_PROGRESS", of=CHILD, physical=CHILD),
        ],
    }
    assert [each.name for each in blockers(client, APP)] == ["Topic", "app-Child-XYZ.Inner"]


def test_rollback_when_started_twice_then_the_same_token_is_used_and_nothing_is_skipped() -> None:
    client = CloudFormation("UPDATE_ROLLBACK_FAILED")
    run("AWS::ContinueUpdateRollback", "start", client, allow_skip=True)
    client.refuses = refusal("token", "ContinueUpdateRollback", "TokenAlreadyExistsException")
    again = run("AWS::ContinueUpdateRollback", "start", client, allow_skip=True)
    assert isinstance(again, Again)
    assert client.asked[0] == client.asked[1]
    assert "ResourcesToSkip" not in client.asked[0]


@pytest.mark.undo("AWS::ContinueUpdateRollback")
def test_rollback_when_skipping_did_not_help_then_it_does_not_skip_the_same_again() -> None:
    client = CloudFormation("UPDATE_ROLLBACK_FAILED")
    rolled_back = event("app", "UPDATE_ROLLBACK_IN_PROGRESS", physical=APP)
    client.events[APP] = [event("Topic", "UPDATE_FAILED", reason="gone"), rolled_back]
    scratch = {"stack_id": APP, "round": 1, "skip": ["Topic"], "token": "t", "calm": 9}
    assert isinstance(run("AWS::ContinueUpdateRollback", "check", client, scratch, allow_skip=True), Failed)
    scratch["skip"] = []
    assert isinstance(run("AWS::ContinueUpdateRollback", "check", client, scratch, allow_skip=True), Again)
    assert client.asked[-1]["ResourcesToSkip"] == ["Topic"]
    assert isinstance(run("AWS::ContinueUpdateRollback", "cancel", client, scratch), Again)
    assert run("AWS::ContinueUpdateRollback", "undo", client, scratch).changed is False


@pytest.mark.parametrize(
    ("status", "step"), [("CREATE_COMPLETE", Done), ("DELETE_FAILED", Failed), ("UPDATE_IN_PROGRESS", Failed)]
)
def test_rollback_when_there_is_none_then_nothing_is_asked(status: str, step: type) -> None:
    client = CloudFormation(status)
    assert isinstance(run("AWS::ContinueUpdateRollback", "start", client), step)
    assert client.asked == []


def test_references_when_there_are_pages_then_all_are_read_and_every_importer_counts_once() -> None:
    exports = [{"OutputKey": "Vpc", "OutputValue": "v", "ExportName": "vpc"}, {"OutputKey": "Plain", "OutputValue": "v"}]
    exports.append({"OutputKey": "DefaultExport", "OutputValue": "v", "ExportName": "app:DefaultExport"})
    client = CloudFormation(Outputs=exports)
    client.pages = {
        "vpc": {"Imports": ["a", "b"], "NextToken": "2"},
        "2": {"Imports": ["c"]},
        "app:DefaultExport": {"Imports": ["a"]},
    }
    step = run("AWS::GetStackReferences", "start", client)
    assert (step.outputs["References"], step.outputs["NumReferences"]) == (["a", "b", "c"], 3)
    assert step.message == "3 stacks import from it: a, b, c"
    one = run("AWS::GetStackReferences", "start", client, output_name="DefaultExport")
    assert one.outputs["Exports"] == {"app:DefaultExport": ["a"]}


class Drifting(CloudFormation):
    """A stack whose one topic differs; its answers about drift come in two pages."""

    status = "DETECTION_COMPLETE"

    def describe_stack_drift_detection_status(self, StackDriftDetectionId: str) -> dict[str, Any]:  # noqa: N803
        return {"DetectionStatus": self.status, "StackDriftStatus": "DRIFTED", "DetectionStatusReason": "Queue: denied"}

    def describe_stack_resource_drifts(self, NextToken: str | None = None, **_: Any) -> dict[str, Any]:  # noqa: N803
        difference = {
            "PropertyPath": "/Password",
            "ExpectedValue": "old",
            "ActualValue": "hunter2",
            "DifferenceType": "NOT_EQUAL",
        }
        nested = {
            "PropertyPath": "/Environment", "ExpectedValue": "null", "ActualValue": '{"API_TOKEN": "hunter2", "A": "b"}',
            "DifferenceType": "ADD",
        }  # fmt: skip
        name = "Second" if NextToken else "First"
        found = {
            "LogicalResourceId": name, "ResourceType": "AWS::SNS::Topic", "StackResourceDriftStatus": "MODIFIED",
            "PropertyDifferences": [difference, nested],
        }  # fmt: skip
        return {"StackResourceDrifts": [found]} | ({} if NextToken else {"NextToken": "2"})


def test_drift_when_read_in_pages_then_all_is_there_and_no_secret_is() -> None:
    client = Drifting()
    begun = run("AWS::DetectDrift", "start", client)
    step = run("AWS::DetectDrift", "check", client, begun.scratch)
    assert isinstance(step, Done)
    assert [each["LogicalId"] for each in step.outputs["Drift"]["Resources"]] == ["First", "Second"]
    assert "hunter2" not in str(step)
    assert step.outputs["Drift"]["Resources"][0]["Properties"][1] == {
        "Path": "/Environment", "Kind": "ADD", "Actual": '{"API_TOKEN": "********", "A": "b"}',
    }  # fmt: skip


def test_drift_when_another_detection_is_running_then_it_is_waited_for_and_a_refusal_is_a_reason() -> None:
    client = Drifting()
    client.refuses = refusal("Drift detection is already in progress for stack", "DetectStackDrift")
    step = run("AWS::DetectDrift", "start", client)
    assert isinstance(step, Again)
    client.refuses = refusal("Drift detection is not allowed on stack in IMPORT state", "DetectStackDrift")
    done = run("AWS::DetectDrift", "check", client, step.scratch)
    assert (done.outputs["DriftStatus"], "not allowed" in done.outputs["Drift"]["Reason"]) == ("NOT_CHECKED", True)


def test_drift_when_the_detection_failed_then_what_it_found_counts_and_the_reason_is_kept() -> None:
    client = Drifting()
    client.status = "DETECTION_FAILED"
    step = run("AWS::DetectDrift", "check", client, run("AWS::DetectDrift", "start", client).scratch)
    assert (step.outputs["DriftStatus"], step.outputs["Drift"]["Reason"]) == ("DRIFTED", "Queue: denied")


def test_import_when_both_ways_or_none_are_given_then_the_parameters_are_refused() -> None:
    kind = find_kind("AWS::ImportResources")
    resource = {"ResourceType": "AWS::S3::Bucket", "LogicalResourceId": "A", "ResourceIdentifier": {"BucketName": "a"}}
    for more in ({}, {"ResourcesToImport": [resource], "ImportExistingResources": True}):
        with pytest.raises(SchemaError, match="one of them"):
            build_params(kind, {"StackName": "app", "Template": "a.yaml", **more})


IMPORTED = {"ResourceType": "AWS::S3::Bucket", "LogicalResourceId": "Archive", "ResourceIdentifier": {"BucketName": "a"}}


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("Resources: {}", "Archive is not in it"),
        ("Resources: {Archive: {Type: 'AWS::SNS::Topic', DeletionPolicy: Retain}}", "is of type AWS::SNS::Topic"),
        ("Resources: {Archive: {Type: 'AWS::S3::Bucket'}}", "has no DeletionPolicy"),
        ("Resources: [", "cannot be read"),
    ],
)
def test_import_when_the_template_does_not_fit_then_the_failure_says_why(template: str, words: str) -> None:
    files = {"a.yaml": template.encode()}
    step = run("AWS::ImportResources", "start", CloudFormation(), files=files, template="a.yaml", resources_to_import=[IMPORTED])
    assert isinstance(step, Failed)
    assert words in step.message


@pytest.mark.undo("AWS::ImportResources")
def test_import_when_undone_then_it_says_what_stays() -> None:
    params = {"template": "a.yaml", "resources_to_import": [IMPORTED]}
    step = run("AWS::ImportResources", "undo", CloudFormation(), **params)
    assert (step.changed, "Archive" in step.message) == (False, True)


def test_scope_when_the_name_is_known_then_only_that_stack_and_what_is_nested_in_it() -> None:
    target = Target(account="111111111111", region="eu-west-1")
    kind = catalogue()["AWS::ContinueUpdateRollback"]
    scope = kind.scope({"StackName": "app"}, target, "aws")
    assert scope["cloudformation:ContinueUpdateRollback"] == (f"{ARN}/app/*", f"{ARN}/app-*/*")
    assert "cloudformation:DescribeStacks" not in scope
    unknown = stack_scope(("cloudformation:DeleteStack",), {"StackName": "{{ vars.Name }}"}, target, "aws-cn")
    assert unknown == {"cloudformation:DeleteStack": ("arn:aws-cn:cloudformation:eu-west-1:111111111111:stack/*/*",)}


@pytest.mark.cancel("AWS::DetectDrift", "AWS::GetStackReferences")
def test_looking_when_cancelled_then_it_ends_and_nothing_was_asked_to_change() -> None:
    client = Drifting()
    begun = run("AWS::DetectDrift", "start", client)
    assert run("AWS::DetectDrift", "cancel", client, begun.scratch).changed is False
    scratch = {"todo": ["vpc"], "token": None, "found": {}}
    assert run("AWS::GetStackReferences", "cancel", client, scratch).changed is False
    assert len(client.asked) == 1


@pytest.mark.cancel("AWS::ApplyChangeSet", "AWS::CreateChangeSet", "AWS::ImportResources")
@pytest.mark.parametrize("shell", [True, False])
def test_change_sets_when_cancelled_before_their_execution_then_they_go_with_the_shell_made_for_them(shell: bool) -> None:
    stack = {"StackName": "app", "StackId": APP, "StackStatus": "REVIEW_IN_PROGRESS", "CreationTime": 0}
    available = {"Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE", "ChangeSetName": "c", "ChangeSetId": "c"}
    scratch = {"phase": "reviewing", "change_set": "c", "type": "CREATE", "shell": shell}
    importing = {"resources_to_import": [IMPORTED]}
    for kind, more in (("AWS::ApplyChangeSet", {}), ("AWS::CreateChangeSet", {}), ("AWS::ImportResources", importing)):
        client = scripted(
            "cloudformation", describe_change_set=available, delete_change_set={}, describe_stacks={"Stacks": [stack]},
            list_change_sets={"Summaries": []}, delete_stack={},
        )  # fmt: skip
        step = run(kind, "cancel", client, scratch, template="a.yaml", **more)
        assert isinstance(step, Done)
        assert not step.changed
        assert ("delete_change_set" in names(client), "delete_stack" in names(client)) == (True, shell)
