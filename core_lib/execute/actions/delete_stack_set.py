"""AWS::DeleteStackSet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.stacks.deployment import LONGEST_WAIT
from core_lib.execute.stacks.live import error_text
from core_lib.execute.stacks.stack_set_operations import BUSY_SECONDS
from core_lib.execute.stacks.stack_sets import StackSetParams, find_stack_set, stack_set_scope
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import Cause, Target

Context = ActionContext[StackSetParams]


class DeleteStackSet(Action[StackSetParams]):
    """Deletes a stack set that has no instances any more."""

    kind = "AWS::DeleteStackSet"
    purpose = "Deletes a stack set that has no instances any more; a set that is not there is fine."
    permissions = ("cloudformation:DescribeStackSet", "cloudformation:DeleteStackSet")
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStackSet.html"
    Params = StackSetParams
    example: ClassVar[Mapping[str, Any]] = {"StackSetName": "baseline"}

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """This stack set."""
        return stack_set_scope(cls.permissions, params, target, partition)

    def start(self, ctx: Context) -> Step:
        """Delete it, when no operation is working on it."""
        client = ctx.client("cloudformation")
        if find_stack_set(client, ctx.params) is None:
            asked = bool(ctx.scratch)
            return Done(changed=asked, message="deleted" if asked else "there is no such stack set")
        try:
            client.delete_stack_set(**ctx.params.named)
        except ClientError as error:
            code = error_text(error)[0]
            if code == "StackSetNotEmptyException":
                return Failed("the stack set still has instances", hint="delete them first: AWS::DeleteStackInstances")
            if code != "OperationInProgressException":
                raise
            return _wait(ctx)
        return Done(message="deleted")

    def cancel(self, ctx: Context) -> Step:
        """It is over at once, or has not begun."""
        _ = ctx
        return Done(changed=False, message="nothing was begun")

    def undo(self, ctx: Context) -> Step:
        """There is no way back."""
        return Done(changed=False, message=f"{ctx.params.stack_set_name} was deleted, which is not undone: create it again")


def _wait(ctx: Context) -> Step:
    since = ctx.scratch.get("since") or datetime.now(UTC).isoformat()
    if datetime.now(UTC) - datetime.fromisoformat(since) > LONGEST_WAIT:
        return Failed(f"operations have kept the stack set busy for {LONGEST_WAIT}", cause=Cause.TIMEOUT)
    return Again(after=BUSY_SECONDS, scratch={"since": since}, message="waiting: an operation works on the stack set")
