"""AWS::DeleteChangeSet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.stacks.changesets import delete_change_set, delete_shell
from core_lib.execute.stacks.parameters import STACK_NAME
from core_lib.execute.steps import Done, Step
from core_lib.framework.models import Message


class DeleteChangeSetParams(Message):
    """Which change set."""

    stack_name: str = Field(pattern=STACK_NAME, description="Name of the stack")
    change_set_name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,127}$", description="Name of the change set")


class DeleteChangeSet(Action[DeleteChangeSetParams]):
    """Deletes a change set, and the empty stack around it when it was to create one."""

    kind = "AWS::DeleteChangeSet"
    purpose = "Deletes a change set that nobody will apply, and the empty stack that was made to hold it."
    permissions = (
        "cloudformation:DeleteChangeSet", "cloudformation:DescribeStacks", "cloudformation:ListChangeSets",
        "cloudformation:DeleteStack",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteChangeSet.html"
    Params = DeleteChangeSetParams
    stack_fields = ("StackName",)
    example: ClassVar[Mapping[str, Any]] = {"StackName": "network", "ChangeSetName": "review-20261123"}

    def start(self, ctx: ActionContext[DeleteChangeSetParams]) -> Step:
        """Over at once; a change set that is not there is fine."""
        client = ctx.client("cloudformation")
        name = ctx.params.stack_name
        deleted = delete_change_set(client, name, ctx.params.change_set_name)
        delete_shell(client, name)
        return Done(changed=deleted, message=None if deleted else "there is no such change set")
