"""AWS::DeleteStack."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from botocore.exceptions import ClientError
from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.stacks.before import keep_before
from core_lib.execute.stacks.deletion import Deletion, request_deletion, what_to_retain
from core_lib.execute.stacks.deployment import LONGEST_WAIT, MOVED
from core_lib.execute.stacks.live import LiveStack, describe_stack, error_text
from core_lib.execute.stacks.parameters import STACK_NAME
from core_lib.execute.stacks.reasons import DELETE, explain, failure_reasons
from core_lib.execute.stacks.resources import operation_began
from core_lib.execute.stacks.scope import stack_scope
from core_lib.execute.stacks.states import exists
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import Cause, Message, Target

MOST_CALM_LOOKS = 5
"""How often a stack may look untouched after its deletion was asked for, before that is taken for a refusal."""

MOST_ROUNDS = 6
"""How often a deletion that failed is asked for again, each time leaving more resources behind."""


class DeleteStackParams(Message):
    """Which stack, how insistently, and what counts as success."""

    stack_name: str = Field(pattern=STACK_NAME, description="Name of the stack")
    force: bool = Field(default=False, description="Switch termination protection off first")
    success_statuses: tuple[str, ...] = Field(
        default=(),
        description="Statuses that are fine although the stack is still there after its deletion was tried, e.g. DELETE_FAILED "
        "when its exports are in use. A refused deletion counts as DELETE_FAILED too",
    )
    retain_resources: tuple[str, ...] = Field(
        default=(), description="Logical ids to leave behind if the deletion fails and they are still there"
    )
    on_delete_failed: Literal["fail", "retain", "force"] = Field(
        default="fail",
        description="After DELETE_FAILED: `retain` deletes again and leaves behind exactly what could not be deleted, "
        "`force` has CloudFormation force the deletion (FORCE_DELETE_STACK)",
    )
    only_in: tuple[str, ...] = Field(
        default=(), description="Delete only a stack in one of these statuses: one that has recovered meanwhile is left alone"
    )
    role_arn: str | None = Field(default=None, description="Service role that CloudFormation works with")


Context = ActionContext[DeleteStackParams]


class DeleteStack(Action[DeleteStackParams]):
    """Deletes a stack and waits until it is gone."""

    kind = "AWS::DeleteStack"
    purpose = "Deletes a stack and waits until it is gone; a stack that is not there is fine."
    permissions = (
        "cloudformation:DescribeStacks", "cloudformation:DeleteStack", "cloudformation:DescribeStackEvents",
        "cloudformation:ListStackResources", "cloudformation:UpdateTerminationProtection", "cloudformation:GetTemplate",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html"
    Params = DeleteStackParams
    stack_fields = ("StackName",)
    outputs: ClassVar[Mapping[str, str] | None] = {
        "Deleted": "whether the stack is gone",
        "StackStatus": "status of the stack when it is still there",
        "RetainedResources": "resources that were left behind, as texts",
    }
    example: ClassVar[Mapping[str, Any]] = {"StackName": "network", "OnDeleteFailed": "retain"}

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """This stack."""
        return stack_scope(cls.permissions, params, target, partition)

    def start(self, ctx: Context) -> Step:
        """Ask for the deletion."""
        name = ctx.params.stack_name
        return self._begin(ctx, ctx.stacks.fresh(name) if ctx.params.only_in else ctx.stacks.live(name))

    def check(self, ctx: Context) -> Step:
        """Is it gone?"""
        if ctx.scratch["phase"] == "waiting":
            return self._begin(ctx, ctx.stacks.fresh(ctx.params.stack_name))
        stack = describe_stack(ctx.client("cloudformation"), ctx.scratch["stack_id"])
        if stack is None:
            ctx.stacks.forget(ctx.params.stack_name)
            left = list(ctx.scratch.get("left", ()))
            message = f"deleted; left behind: {', '.join(left)}" if left else "deleted"
            return Done(outputs={"Deleted": True, "RetainedResources": left}, message=message)
        if stack.status == "DELETE_IN_PROGRESS":
            return Again()
        calm = int(ctx.scratch.get("calm", 0)) + 1
        if calm <= MOST_CALM_LOOKS and not self._has_ended(ctx, stack):
            return Again(scratch={**ctx.scratch, "calm": calm})
        if stack.status == "DELETE_FAILED":
            return self._failed(ctx, stack)
        reason = stack.reason or "no reason given"
        return self._stays(ctx, stack, f"the stack is not being deleted, it stays {stack.status}: {reason}", None)

    def cancel(self, ctx: Context) -> Step:
        """CloudFormation cannot stop a deletion; before it was asked for there is nothing to stop."""
        if ctx.scratch.get("phase", "waiting") == "waiting":
            return Done(changed=False, message="nothing was begun")
        return Again(message="a deletion cannot be stopped, waiting for its end")

    def undo(self, ctx: Context) -> Step:
        """There is no way back."""
        return Done(changed=False, message=f"{ctx.params.stack_name} was deleted, which is not undone: deploy it again")

    def _begin(self, ctx: Context, stack: LiveStack | None) -> Step:
        if stack is None:
            ctx.stacks.forget(ctx.params.stack_name)
            return Done(outputs={"Deleted": True, "RetainedResources": []}, changed=False, message="there is no such stack")
        if stack.status == "DELETE_IN_PROGRESS":
            return Again(scratch={"phase": "deleting", "stack_id": stack.id})
        if ctx.params.only_in and stack.status not in ctx.params.only_in:
            message = f"the stack is {stack.status} by now, not {', '.join(ctx.params.only_in)}: it is left alone"
            return Failed(message, code=MOVED, hint="look again")
        if stack.status.endswith("_IN_PROGRESS") and stack.status != "REVIEW_IN_PROGRESS":
            return _wait_for_others(ctx, stack)
        if stack.protected and not (ctx.force or ctx.params.force):
            return Failed(
                "the stack has termination protection",
                hint="switch it off (TerminationProtection: false), or delete with Force: true",
            )
        if exists(stack):
            keep_before(ctx, stack)
        if stack.protected:
            ctx.client("cloudformation").update_termination_protection(StackName=stack.name, EnableTerminationProtection=False)
        return self._delete(ctx, stack, Deletion())

    def _delete(self, ctx: Context, stack: LiveStack, deletion: Deletion) -> Step:
        token = ctx.token(f"delete-{deletion.number}")
        try:
            request_deletion(ctx.client("cloudformation"), stack.id, deletion, token, ctx.params.role_arn)
        except ClientError as error:
            message = error_text(error)[1]
            if "in use" in message or "imported by" in message.lower():
                hint = "delete the stacks that import its exports first, or tolerate it: SuccessStatuses: [DELETE_FAILED]"
                return self._stays(ctx, stack, f"the stack is still needed: {message}", hint)
            raise
        return Again(scratch={"phase": "deleting", "stack_id": stack.id, "token": token, **deletion.as_scratch()})

    def _has_ended(self, ctx: Context, stack: LiveStack) -> bool:
        """Whether DELETE_FAILED is how the asked-for deletion ended, not how an earlier one did."""
        token = ctx.scratch.get("token")
        if stack.status != "DELETE_FAILED":
            return False
        return token is None or operation_began(ctx.client("cloudformation"), stack.id, str(token))

    def _failed(self, ctx: Context, stack: LiveStack) -> Step:
        client = ctx.client("cloudformation")
        last = Deletion.of(ctx.scratch)
        following = what_to_retain(client, stack.id, last, ctx.params.retain_resources, ctx.params.on_delete_failed)
        if following is not None and following.number < MOST_ROUNDS:
            return self._delete(ctx, stack, following)
        text = explain(failure_reasons(client, stack.id, DELETE), stack.reason)
        hint = "repair the cause, name resources in RetainResources, or leave what cannot be deleted: OnDeleteFailed: retain"
        return self._stays(
            ctx, stack, f"the stack cannot be deleted: {text}", "delete what uses it first" if "in use" in text else hint
        )

    def _stays(self, ctx: Context, stack: LiveStack, message: str, hint: str | None) -> Step:
        """The deletion was tried and the stack is still there: fine if that was expected, and never told as a deletion."""
        if not {stack.status, "DELETE_FAILED"} & set(ctx.params.success_statuses):
            return Failed(message, hint=hint)
        ctx.stacks.fresh(stack.name)
        outputs = {"Deleted": False, "StackStatus": stack.status, "RetainedResources": []}
        return Done(
            outputs=outputs, changed=stack.status == "DELETE_FAILED", message=f"not deleted, which is tolerated: {message}"
        )


def _wait_for_others(ctx: Context, stack: LiveStack) -> Step:
    since = ctx.scratch.get("since") or datetime.now(UTC).isoformat()
    if datetime.now(UTC) - datetime.fromisoformat(since) > LONGEST_WAIT:
        return Failed(f"the stack is still {stack.status} after {LONGEST_WAIT}", cause=Cause.TIMEOUT)
    return Again(scratch={"phase": "waiting", "since": since}, message=f"waiting: the stack is {stack.status}")
