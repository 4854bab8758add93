"""AWS::ReviewDeletion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.stacks.live import LiveStack
from core_lib.execute.stacks.parameters import STACK_NAME
from core_lib.execute.stacks.states import exists
from core_lib.execute.steps import Done, Step
from core_lib.framework.models import Message, ResourceChange, StackReview

_GONE = ("DELETE_COMPLETE", "DELETE_SKIPPED")


class ReviewDeletionParams(Message):
    """Which stack."""

    stack_name: str = Field(pattern=STACK_NAME, description="Name of the stack")


class ReviewDeletion(Action[ReviewDeletionParams]):
    """Lists what would go with a stack."""

    kind = "AWS::ReviewDeletion"
    purpose = "Lists the resources that the deletion of a stack would remove, for review; nothing is deleted."
    permissions = ("cloudformation:DescribeStacks", "cloudformation:ListStackResources")
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html"
    Params = ReviewDeletionParams
    outputs: ClassVar[Mapping[str, str]] = {"Review": "What would be removed, as the review of a plan shows it"}
    reads_only = True
    example: ClassVar[Mapping[str, Any]] = {"StackName": "network"}

    def start(self, ctx: ActionContext[ReviewDeletionParams]) -> Step:
        """All resources of the stack, as removals."""
        name = ctx.params.stack_name
        stack = ctx.stacks.live(name)
        if stack is None or not exists(stack):
            review = StackReview(stack_name=name, outcome="unchanged", reason="there is no such stack")
        else:
            changes = _removals(ctx.client("cloudformation"), stack)
            review = StackReview(
                stack_name=name, outcome="delete", changes=changes, stack_id=stack.id, stack_status=stack.status,
                last_updated=stack.updated,
            )  # fmt: skip
        return Done(outputs={"Review": review.as_dict()}, changed=False, message=review.reason or "would be deleted")


def _removals(client: Any, stack: LiveStack) -> tuple[ResourceChange, ...]:
    pages = client.get_paginator("list_stack_resources").paginate(StackName=stack.id)
    return tuple(
        ResourceChange(
            action="Remove", logical_id=resource["LogicalResourceId"], resource_type=resource["ResourceType"],
            physical_id=resource.get("PhysicalResourceId"),
        )
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceStatus"] not in _GONE
    )  # fmt: skip
