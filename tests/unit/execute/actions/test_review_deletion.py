"""AWS::ReviewDeletion: what would go with a stack."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from core_lib.execute import Done
from core_lib.execute.actions.review_deletion import ReviewDeletion
from core_lib.framework.models import StackReview
from tests.builders.contexts import context_of

STACK = {"StackName": "app", "StackId": "arn:app", "StackStatus": "CREATE_COMPLETE", "CreationTime": "2026-11-25T00:00:00Z"}


@pytest.fixture
def cloudformation() -> Any:
    return boto3.client("cloudformation", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")


def resource(name: str, status: str = "CREATE_COMPLETE") -> dict[str, Any]:
    return {
        "LogicalResourceId": name, "PhysicalResourceId": f"id-{name}", "ResourceType": "AWS::S3::Bucket",
        "LastUpdatedTimestamp": "2026-11-25T00:00:00Z", "ResourceStatus": status,
    }  # fmt: skip


def test_review_when_the_stack_has_resources_then_each_is_a_removal_over_all_pages(cloudformation: Any) -> None:
    with Stubber(cloudformation) as stub:
        stub.add_response("describe_stacks", {"Stacks": [STACK]})
        first = {"StackResourceSummaries": [resource("A"), resource("Gone", "DELETE_COMPLETE")], "NextToken": "2"}
        stub.add_response("list_stack_resources", first, {"StackName": "arn:app"})
        rest = {"StackResourceSummaries": [resource("B")]}
        stub.add_response("list_stack_resources", rest, {"StackName": "arn:app", "NextToken": "2"})
        step = ReviewDeletion().start(context_of("AWS::ReviewDeletion", {"cloudformation": cloudformation}, StackName="app"))
    assert isinstance(step, Done)
    review = StackReview.model_validate(step.outputs["Review"])
    assert (review.outcome, step.changed) == ("delete", False)
    assert [(change.action, change.logical_id) for change in review.changes] == [("Remove", "A"), ("Remove", "B")]


@pytest.mark.parametrize("stacks", [[], [STACK | {"StackStatus": "REVIEW_IN_PROGRESS"}]])
def test_review_when_there_is_no_stack_or_only_a_shell_then_nothing_would_change(cloudformation: Any, stacks: Any) -> None:
    with Stubber(cloudformation) as stub:
        stub.add_response("describe_stacks", {"Stacks": stacks})
        step = ReviewDeletion().start(context_of("AWS::ReviewDeletion", {"cloudformation": cloudformation}, StackName="app"))
    assert isinstance(step, Done)
    assert StackReview.model_validate(step.outputs["Review"]).outcome == "unchanged"
