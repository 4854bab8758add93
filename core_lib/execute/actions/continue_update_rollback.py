"""AWS::ContinueUpdateRollback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from botocore.exceptions import ClientError
from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.stacks.blocking import Blocker, blockers
from core_lib.execute.stacks.live import LiveStack, describe_stack, error_text
from core_lib.execute.stacks.parameters import ROLE_ARN, STACK_NAME
from core_lib.execute.stacks.resources import operation_began
from core_lib.execute.stacks.scope import stack_scope
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import Message, Target

MOST_ROUNDS = 6
MOST_CALM_LOOKS = 5


class ContinueUpdateRollbackParams(Message):
    """Which stack, and whether resources may be given up."""

    stack_name: str = Field(pattern=STACK_NAME, description="Name of the (root) stack")
    allow_skip: bool = Field(
        default=False,
        description="When the rollback fails again: skip exactly the resources that block it. They are then no longer what the "
        "template says",
    )
    role_arn: str | None = Field(default=None, pattern=ROLE_ARN, description="Service role that CloudFormation works with")


Context = ActionContext[ContinueUpdateRollbackParams]


class ContinueUpdateRollback(Action[ContinueUpdateRollbackParams]):
    """Brings a stack out of UPDATE_ROLLBACK_FAILED, giving up as little as possible."""

    kind = "AWS::ContinueUpdateRollback"
    purpose = "Continues a failed rollback: first without skipping anything, then (if allowed) skipping only what blocks it."
    permissions = (
        "cloudformation:DescribeStacks", "cloudformation:ContinueUpdateRollback", "cloudformation:DescribeStackEvents",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html"
    Params = ContinueUpdateRollbackParams
    stack_fields = ("StackName",)
    outputs: ClassVar[Mapping[str, str] | None] = {
        "StackStatus": "status of the stack at the end",
        "SkippedResources": "resources that were skipped, as CloudFormation names them",
    }
    example: ClassVar[Mapping[str, Any]] = {"StackName": "network", "AllowSkip": True}

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """This stack, and those nested in it."""
        return stack_scope(cls.permissions, params, target, partition, nested=True)

    def start(self, ctx: Context) -> Step:
        """Continue without skipping anything."""
        stack = ctx.stacks.fresh(ctx.params.stack_name)
        if stack is None:
            return Failed(f"there is no stack {ctx.params.stack_name}")
        if stack.status == "UPDATE_ROLLBACK_FAILED":
            return self._continue(ctx, stack, 0, ())
        if stack.status.startswith("UPDATE_ROLLBACK_") and stack.status.endswith("_IN_PROGRESS"):
            return Again(scratch={"stack_id": stack.id, "round": 0, "skip": []})
        if stack.status.endswith(("_IN_PROGRESS", "_FAILED")):
            return Failed(f"the stack is {stack.status}", hint="this is for stacks in UPDATE_ROLLBACK_FAILED")
        outputs = {"StackStatus": stack.status, "SkippedResources": []}
        return Done(outputs=outputs, changed=False, message=f"the stack is {stack.status}: there is no rollback to continue")

    def check(self, ctx: Context) -> Step:
        """Has the rollback come to its end?"""
        stack = describe_stack(ctx.client("cloudformation"), ctx.scratch["stack_id"])
        if stack is None:
            return Failed("the stack has vanished", hint="see who deletes it")
        if stack.status.endswith("_IN_PROGRESS"):
            return Again()
        if stack.status == "UPDATE_ROLLBACK_FAILED":
            return self._failed_again(ctx, stack)
        ctx.stacks.fresh(ctx.params.stack_name)
        skipped = list(ctx.scratch["skip"])
        if stack.status != "UPDATE_ROLLBACK_COMPLETE":
            return Failed(
                f"the stack is {stack.status}: {stack.reason or 'no reason given'}", hint="see who else changes this stack"
            )
        message = f"rolled back; skipped, so look for drift: {', '.join(skipped)}" if skipped else "rolled back"
        return Done(outputs={"StackStatus": stack.status, "SkippedResources": skipped}, message=message)

    def undo(self, ctx: Context) -> Step:
        """A rollback is itself the way back."""
        return Done(changed=False, message=f"the rollback of {ctx.params.stack_name} is not undone")

    def _continue(self, ctx: Context, stack: LiveStack, number: int, skip: Sequence[str]) -> Step:
        token = ctx.token(f"continue-{number}")
        arguments: dict[str, Any] = {"StackName": stack.id, "ClientRequestToken": token}
        if skip:
            arguments["ResourcesToSkip"] = list(skip)
        if ctx.params.role_arn:
            arguments["RoleARN"] = ctx.params.role_arn
        try:
            ctx.client("cloudformation").continue_update_rollback(**arguments)
        except ClientError as error:
            if error_text(error)[0] != "TokenAlreadyExistsException":
                raise
        scratch = {"stack_id": stack.id, "round": number, "skip": list(skip), "token": token}
        return Again(scratch=scratch, message=f"skipping {', '.join(skip)}" if skip else "continuing, nothing is skipped")

    def _failed_again(self, ctx: Context, stack: LiveStack) -> Step:
        client, scratch = ctx.client("cloudformation"), ctx.scratch
        token, calm = scratch.get("token"), int(scratch.get("calm", 0)) + 1
        if token and calm <= MOST_CALM_LOOKS and not operation_began(client, stack.id, str(token)):
            return Again(scratch={**scratch, "calm": calm})
        if token is None:
            return self._continue(ctx, stack, 0, ())
        found = blockers(client, stack.id)
        skip = sorted({*scratch["skip"], *(each.name for each in found)})
        number = int(scratch["round"]) + 1
        if not ctx.params.allow_skip or skip == sorted(scratch["skip"]) or number >= MOST_ROUNDS:
            return _refusal(stack, found, allowed=ctx.params.allow_skip)
        return self._continue(ctx, stack, number, skip)


def _refusal(stack: LiveStack, found: Sequence[Blocker], *, allowed: bool) -> Step:
    text = "; ".join(str(each) for each in found) or stack.reason or "no reason given"
    names = ", ".join(each.name for each in found)
    hint = "repair these resources, then continue again"
    if names and not allowed:
        hint = f"{hint}; or AllowSkip: true, which would skip {names}"
    return Failed(f"the rollback fails again: {text}", hint=hint)
