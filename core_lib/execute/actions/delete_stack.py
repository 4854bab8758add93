"""AWS::DeleteStack."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from botocore.exceptions import ClientError
from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.stacks.deployment import LONGEST_WAIT
from core_lib.execute.stacks.live import LiveStack, describe_stack, error_text
from core_lib.execute.stacks.parameters import STACK_NAME
from core_lib.execute.stacks.reasons import DELETE, explain, failure_reasons
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import Cause, Message

MOST_CALM_LOOKS = 5
"""How often a stack may look untouched after its deletion was asked for, before that is taken for a refusal."""


class DeleteStackParams(Message):
    """Which stack, and how insistently."""

    stack_name: str = Field(pattern=STACK_NAME, description="Name of the stack")
    force: bool = Field(default=False, description="Switch termination protection off first")
    retain_resources: tuple[str, ...] = Field(
        default=(), description="Logical ids to leave behind when they cannot be deleted (only after DELETE_FAILED)"
    )
    role_arn: str | None = Field(default=None, description="Service role that CloudFormation works with")


Context = ActionContext[DeleteStackParams]


class DeleteStack(Action[DeleteStackParams]):
    """Deletes a stack and waits until it is gone."""

    kind = "AWS::DeleteStack"
    purpose = "Deletes a stack and waits until it is gone; a stack that is not there is fine."
    permissions = (
        "cloudformation:DescribeStacks", "cloudformation:DeleteStack", "cloudformation:DescribeStackEvents",
        "cloudformation:UpdateTerminationProtection",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html"
    Params = DeleteStackParams
    stack_fields = ("StackName",)
    example: ClassVar[Mapping[str, Any]] = {"StackName": "network", "RetainResources": ["Logs"]}

    def start(self, ctx: Context) -> Step:
        """Ask for the deletion."""
        return self._begin(ctx, ctx.stacks.live(ctx.params.stack_name))

    def check(self, ctx: Context) -> Step:
        """Is it gone?"""
        client = ctx.client("cloudformation")
        if ctx.scratch["phase"] == "waiting":
            return self._begin(ctx, ctx.stacks.fresh(ctx.params.stack_name))
        stack = describe_stack(client, ctx.scratch["stack_id"])
        if stack is None:
            ctx.stacks.forget(ctx.params.stack_name)
            return Done(message="deleted")
        if stack.status == "DELETE_IN_PROGRESS":
            return Again()
        if stack.status == "DELETE_FAILED":
            return self._failed(ctx, stack)
        calm = int(ctx.scratch.get("calm", 0)) + 1
        if calm > MOST_CALM_LOOKS:
            return Failed(f"the stack is not being deleted, it stays {stack.status}: {stack.reason or 'no reason given'}")
        return Again(scratch={**ctx.scratch, "calm": calm})

    def _begin(self, ctx: Context, stack: LiveStack | None) -> Step:
        if stack is None:
            ctx.stacks.forget(ctx.params.stack_name)
            return Done(changed=False, message="there is no such stack")
        if stack.status == "DELETE_IN_PROGRESS":
            return Again(scratch={"phase": "deleting", "stack_id": stack.id})
        if stack.status.endswith("_IN_PROGRESS") and stack.status != "REVIEW_IN_PROGRESS":
            since = ctx.scratch.get("since") or datetime.now(UTC).isoformat()
            if datetime.now(UTC) - datetime.fromisoformat(since) > LONGEST_WAIT:
                return Failed(f"the stack is still {stack.status} after {LONGEST_WAIT}", cause=Cause.TIMEOUT)
            return Again(scratch={"phase": "waiting", "since": since}, message=f"waiting: the stack is {stack.status}")
        if stack.protected:
            if not (ctx.force or ctx.params.force):
                return Failed(
                    "the stack has termination protection",
                    hint="switch it off (TerminationProtection: false), or delete with Force: true",
                )
            ctx.client("cloudformation").update_termination_protection(StackName=stack.name, EnableTerminationProtection=False)
        return self._delete(ctx, stack, retain=stack.status == "DELETE_FAILED")

    def _delete(self, ctx: Context, stack: LiveStack, *, retain: bool) -> Step:
        arguments: dict[str, Any] = {"StackName": stack.id, "ClientRequestToken": ctx.token("retain" if retain else "delete")}
        if ctx.params.role_arn:
            arguments["RoleARN"] = ctx.params.role_arn
        if retain and ctx.params.retain_resources:
            arguments["RetainResources"] = list(ctx.params.retain_resources)
        try:
            ctx.client("cloudformation").delete_stack(**arguments)
        except ClientError as error:
            message = error_text(error)[1]
            if "in use" in message or "imported by" in message.lower():
                return Failed(f"the stack is still needed: {message}", hint="delete the stacks that import its exports first")
            raise
        return Again(scratch={"phase": "deleting", "stack_id": stack.id, "retained": retain})

    def _failed(self, ctx: Context, stack: LiveStack) -> Step:
        if ctx.params.retain_resources and not ctx.scratch.get("retained"):
            return self._delete(ctx, stack, retain=True)
        text = explain(failure_reasons(ctx.client("cloudformation"), stack.id, DELETE), stack.reason)
        in_use = "in use" in text
        return Failed(
            f"the stack cannot be deleted: {text}",
            hint="delete what uses it first" if in_use else "repair the cause, or name the resources in RetainResources",
        )
