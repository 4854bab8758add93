"""What the stack actions are made of: statuses, reasons, change sets, fingerprints, files."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from core_lib.db import StackRecord
from core_lib.execute import ActionContext
from core_lib.execute.files import PlanFiles
from core_lib.execute.stacks.changesets import find_change_set
from core_lib.execute.stacks.live import LiveStack, read_stack
from core_lib.execute.stacks.parameters import StackParams, change_set_request, text, wanted
from core_lib.execute.stacks.reasons import DELETE, explain, failure_reasons
from core_lib.execute.stacks.states import Condition, condition
from core_lib.execute.stacks.unchanged import is_unchanged
from core_lib.execute.stacks.view import StackView
from core_lib.framework.errors import ArtefactError, AwsError
from core_lib.framework.models import FileRef, Target
from core_lib.framework.settings import Settings
from tests.builders.contexts import MemoryOfRun
from tests.builders.memory_cmdb import MemoryStacks
from tests.builders.plans import HERE, action, plan_of

ID = "arn:aws:cloudformation:eu-west-1:111111111111:stack/app/1"
WHEN = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def client() -> Iterator[Any]:
    made = boto3.client("cloudformation", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y")
    yield made
    made.close()


def context(
    client: Any = None, body: bytes = b"{}", records: MemoryStacks | None = None, **params: Any
) -> ActionContext[StackParams]:
    files = {"app.yaml": body}
    view = StackView(HERE, lambda: client, records or MemoryStacks())
    return ActionContext(
        params=StackParams.model_validate({"StackName": "app", "Template": "app.yaml", **params}),
        target=Target(account="111111111111", region="eu-west-1"), run_id="run-1", action_id=f"app@{HERE}", attempt=1, scratch={},
        client=lambda service, **place: client, files=files.__getitem__, file_url=lambda path: f"https://bucket/{path}",
        file_sha256=lambda path: hashlib.sha256(files[path]).hexdigest(), stacks=view,
        file_ref=lambda path: FileRef(path=path, key=path, sha256="0" * 64, size=len(files[path])),
        run=MemoryOfRun(), log=logging.getLogger("test"), settings=Settings.model_construct(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("REVIEW_IN_PROGRESS", Condition.ABSENT), ("CREATE_COMPLETE", Condition.UPDATABLE),
        ("UPDATE_COMPLETE", Condition.UPDATABLE), ("UPDATE_ROLLBACK_COMPLETE", Condition.UPDATABLE),
        ("IMPORT_COMPLETE", Condition.UPDATABLE),
        ("ROLLBACK_COMPLETE", Condition.NEVER_LIVED), ("ROLLBACK_FAILED", Condition.STUCK), ("DELETE_FAILED", Condition.STUCK),
        ("UPDATE_ROLLBACK_FAILED", Condition.STUCK), ("CREATE_FAILED", Condition.STUCK), ("CREATE_IN_PROGRESS", Condition.BUSY),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Condition.BUSY), ("ROLLBACK_IN_PROGRESS", Condition.BUSY),
        ("SOMETHING_NEW", Condition.STUCK),
    ],
)  # fmt: skip
def test_condition_when_the_stack_has_a_status_then_it_says_what_can_be_done(status: str, expected: Condition) -> None:
    assert condition(LiveStack("app", ID, status)) is expected


def test_condition_when_there_is_no_stack_then_it_is_absent() -> None:
    assert condition(None) is Condition.ABSENT


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (False, "false"),
        (3, "3"),
        ("x", "x"),
        (["a", 1, True], "a,1,true"),
        ({"b": 1, "a": 2}, '{"a": 2, "b": 1}'),
    ],
)
def test_parameter_value_when_not_text_then_it_is_written_as_cloudformation_takes_it(value: Any, expected: str) -> None:
    assert text(value) == expected


def event(
    logical: str, status: str, reason: str = "", kind: str = "AWS::S3::Bucket", physical: str = "x", stack: str = ID
) -> dict[str, Any]:
    return {
        "StackId": stack, "EventId": f"{logical}{status}", "StackName": "app", "LogicalResourceId": logical, "Timestamp": WHEN,
        "PhysicalResourceId": physical, "ResourceType": kind, "ResourceStatus": status, "ResourceStatusReason": reason,
    }  # fmt: skip


NEST = "AWS::CloudFormation::Stack"
CHILD = ID.replace("/app/1", "/child/2")


def test_reasons_when_a_stack_failed_then_first_causes_come_first_without_noise_or_older_operations(client: Any) -> None:
    newest_first = [
        event("app", "ROLLBACK_COMPLETE", kind=NEST, physical=ID),
        event("Other", "CREATE_FAILED", "Resource creation cancelled"),
        event("Bucket", "CREATE_FAILED", "name is taken"),
        event("Nest", "CREATE_FAILED", "Embedded stack was not created", kind=NEST, physical=CHILD),
        event("app", "CREATE_IN_PROGRESS", "User Initiated", kind=NEST, physical=ID),
        event("Old", "CREATE_FAILED", "long ago"),
    ]
    inside = [
        event("Key", "CREATE_FAILED", "no permission", stack=CHILD),
        event("c", "CREATE_IN_PROGRESS", kind=NEST, physical=CHILD, stack=CHILD),
    ]
    with Stubber(client) as stub:
        stub.add_response("describe_stack_events", {"StackEvents": newest_first[:3], "NextToken": "n"}, {"StackName": ID})
        stub.add_response("describe_stack_events", {"StackEvents": newest_first[3:]}, {"StackName": ID, "NextToken": "n"})
        stub.add_response("describe_stack_events", {"StackEvents": inside}, {"StackName": CHILD})
        reasons = failure_reasons(client, ID)
    assert [str(reason) for reason in reasons] == [
        "Nest.Key (AWS::S3::Bucket) CREATE_FAILED: no permission",
        "Bucket (AWS::S3::Bucket) CREATE_FAILED: name is taken",
    ]


def test_reasons_when_a_deletion_failed_then_only_the_deletion_counts(client: Any) -> None:
    events = [
        event("Bucket", "DELETE_FAILED", "not empty"), event("app", "DELETE_IN_PROGRESS", kind=NEST, physical=ID),
        event("Bucket", "CREATE_FAILED", "another story"),
    ]  # fmt: skip
    with Stubber(client) as stub:
        stub.add_response("describe_stack_events", {"StackEvents": events}, {"StackName": ID})
        assert [reason.reason for reason in failure_reasons(client, ID, DELETE)] == ["not empty"]


def test_explanation_when_there_are_many_reasons_then_it_is_cut_and_counted(client: Any) -> None:
    with Stubber(client) as stub:
        events = [event(f"B{number}", "CREATE_FAILED", "no") for number in range(8)]
        stub.add_response("describe_stack_events", {"StackEvents": events}, {"StackName": ID})
        assert explain(failure_reasons(client, ID), None).endswith("; and 3 more")
    assert explain([], "the status said this") == "the status said this"
    assert explain([], None) == "CloudFormation gave no reason"


def test_change_set_when_it_has_pages_and_many_reasons_per_property_then_each_property_is_told_once(client: Any) -> None:
    def change(name: str, *recreations: str) -> Mapping[str, Any]:
        details = [{"Target": {"Attribute": "Properties", "Name": "Size", "RequiresRecreation": each}} for each in recreations]
        resource = {
            "Action": "Modify",
            "LogicalResourceId": name,
            "ResourceType": "AWS::X::Y",
            "Replacement": "True",
            "Details": details,
        }
        return {"Type": "Resource", "ResourceChange": resource}

    page = {
        "ChangeSetName": "c",
        "ChangeSetId": "arn",
        "StackId": ID,
        "Status": "CREATE_COMPLETE",
        "ExecutionStatus": "AVAILABLE",
    }
    with Stubber(client) as stub:
        asked = {"StackName": "app", "ChangeSetName": "c", "IncludePropertyValues": True}
        stub.add_response("describe_change_set", {**page, "Changes": [change("A", "Never", "Always")], "NextToken": "2"}, asked)
        stub.add_response(
            "describe_change_set", {**page, "Changes": [change("B", "Conditionally", "Never")]}, {**asked, "NextToken": "2"}
        )
        found = find_change_set(client, "app", "c", values=True)
    assert found is not None
    assert [(each.logical_id, [(p.path, p.recreation) for p in each.properties]) for each in found.changes] == [
        ("A", [("Properties.Size", "Always")]), ("B", [("Properties.Size", "Conditionally")]),
    ]  # fmt: skip


def test_request_when_the_template_fits_then_its_body_is_sent_and_when_not_then_its_url() -> None:
    small = change_set_request(context(body=b"{}"), wanted(context(body=b"{}")), "c", "UPDATE")
    assert (small["TemplateBody"], "TemplateURL" in small) == ("{}", False)
    big = context(body=b"#" * 51_201)
    request = change_set_request(big, wanted(big), "c", "UPDATE")
    assert (request["TemplateURL"], "TemplateBody" in request) == ("https://bucket/app.yaml", False)


def test_request_when_the_template_is_too_large_for_a_folder_store_then_the_error_says_what_to_do() -> None:
    big = replace(context(body=b"#" * 51_201), file_url=lambda path: f"file:///{path}")
    with pytest.raises(AwsError, match="51201 bytes") as caught:
        change_set_request(big, wanted(big), "c", "UPDATE")
    assert "S3" in (caught.value.hint or "")


def test_request_when_options_are_given_then_they_reach_cloudformation() -> None:
    ctx = context(
        Parameters={"B": True, "A": [1, 2], "C": None}, Tags={"n": 1}, RoleArn="arn:r", OnFailure="DELETE", Capabilities="IAM"
    )
    request = change_set_request(ctx, wanted(ctx), "c", "CREATE")
    assert request["Parameters"] == [
        {"ParameterKey": "A", "ParameterValue": "1,2"}, {"ParameterKey": "B", "ParameterValue": "true"},
    ]  # fmt: skip
    assert (request["RoleARN"], request["OnStackFailure"], request["Capabilities"]) == ("arn:r", "DELETE", ["CAPABILITY_IAM"])
    assert "OnStackFailure" not in change_set_request(ctx, wanted(ctx), "c", "UPDATE")


def test_fingerprint_when_anything_that_is_asked_for_differs_then_it_differs() -> None:
    variants: list[dict[str, Any]] = [
        {}, {"Parameters": {"A": 1}}, {"Parameters": {"A": 2}}, {"Tags": {"A": "1"}}, {"StackPolicy": {"Statement": []}},
        {"TerminationProtection": True}, {"TerminationProtection": False}, {"RoleArn": "arn:r"}, {"body": b"other"},
    ]  # fmt: skip
    assert len({wanted(context(**variant)).fingerprint for variant in variants}) == len(variants)
    assert wanted(context(Tags={"a": "1", "b": "2"})).fingerprint == wanted(context(Tags={"b": "2", "a": "1"})).fingerprint


LIVE = LiveStack("app", ID, "CREATE_COMPLETE", updated="t1", parameters={"A": "1"}, tags={"T": "x"})


def remembered(want_from: ActionContext[StackParams], **changes: Any) -> MemoryStacks:
    records = MemoryStacks()
    values: dict[str, Any] = {
        "target": HERE, "stack_name": "app", "fingerprint": wanted(want_from).fingerprint, "stack_id": ID, "last_updated": "t1",
        "parameters": {"A": "1"}, "tags": {"T": "x"},
    }  # fmt: skip
    records.put(StackRecord(**(values | changes)))
    return records


@pytest.mark.parametrize(
    ("record", "live", "params", "expected"),
    [
        ({}, {}, {}, True),
        ({"fingerprint": "other"}, {}, {}, False),
        ({}, {"id": "made again"}, {}, False),
        ({}, {"updated": "t2"}, {}, False),
        ({}, {"status": "UPDATE_ROLLBACK_COMPLETE"}, {}, False),
        ({}, {"parameters": {"A": "2"}}, {}, False),
        ({}, {"tags": {}}, {}, False),
        ({}, {"follows_ssm": True}, {}, False),
        ({}, {"protected": False}, {"TerminationProtection": True}, False),
        ({}, {"protected": True}, {"TerminationProtection": True}, True),
        ({}, {}, {"body": b"Fn::Transform: AWS::Include"}, False),
    ],
)
def test_unchanged_when_wanted_recorded_and_live_agree_then_and_only_then(
    record: dict[str, Any], live: dict[str, Any], params: dict[str, Any], expected: bool
) -> None:
    ctx = context(records=remembered(context(**params), **record), **params)
    assert is_unchanged(ctx, replace(LIVE, **live), wanted(ctx)) is expected


def test_unchanged_when_nothing_is_recorded_or_live_then_it_is_not() -> None:
    ctx = context()
    assert is_unchanged(ctx, LIVE, wanted(ctx)) is False
    ctx = context(records=remembered(ctx))
    assert is_unchanged(ctx, None, wanted(ctx)) is False


def test_view_when_many_ask_then_the_listing_is_made_once_with_all_pages(client: Any) -> None:
    def page(name: str, status: str = "CREATE_COMPLETE", **more: Any) -> dict[str, Any]:
        return {"Stacks": [{"StackName": name, "StackId": name, "StackStatus": status, "CreationTime": WHEN}], **more}

    view = StackView(HERE, lambda: client, MemoryStacks())
    with Stubber(client) as stub:
        stub.add_response("describe_stacks", page("a", NextToken="2"), {})
        stub.add_response("describe_stacks", page("gone", "DELETE_COMPLETE", NextToken="3"), {"NextToken": "2"})
        stub.add_response("describe_stacks", page("b"), {"NextToken": "3"})
        found = [view.live(name) for name in ("a", "b", "gone", "a")]
        stub.assert_no_pending_responses()
    assert [stack.name if stack else None for stack in found] == ["a", "b", None, "a"]
    assert found[0] is not None
    assert found[0].updated == WHEN.isoformat()


def test_stack_when_a_parameter_follows_ssm_then_that_is_seen() -> None:
    answer = {
        "StackName": "a",
        "StackStatus": "CREATE_COMPLETE",
        "Parameters": [{"ParameterKey": "P", "ParameterValue": "/x", "ResolvedValue": "1"}],
    }
    assert read_stack(answer).follows_ssm is True


class Folder:
    def __init__(self, content: bytes) -> None:
        self.content = content
        self.reads = 0

    def get(self, key: str) -> bytes:
        self.reads += 1
        return self.content

    def exists(self, key: str) -> bool:
        return False

    def url(self, key: str, *, seconds: int = 3600) -> str:
        return f"https://{key}"


def files(content: bytes, claimed: bytes) -> tuple[PlanFiles, Folder]:
    reference = FileRef(path="a.yaml", key="files/1", sha256=hashlib.sha256(claimed).hexdigest(), size=len(claimed))
    store = Folder(content)
    return PlanFiles(plan_of([action("a")], files={"a.yaml": reference}), store), store


def test_file_when_read_twice_then_it_is_fetched_once() -> None:
    found, store = files(b"body", b"body")
    assert found.read("a.yaml") == found.read("a.yaml") == b"body"
    assert (store.reads, found.url("a.yaml")) == (1, "https://files/1")


def test_file_when_its_content_is_not_that_of_the_plan_then_it_is_refused() -> None:
    found, _ = files(b"tampered", b"body")
    with pytest.raises(ArtefactError, match="not what the plan was made with"):
        found.read("a.yaml")


def test_file_when_the_plan_does_not_know_it_then_the_error_names_it() -> None:
    found, _ = files(b"", b"")
    with pytest.raises(ArtefactError, match=r"b\.yaml"):
        found.read("b.yaml")
