"""AWS::RevertDrift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError
from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.stacks.changesets import already_exists, delete_change_set, find_change_set
from core_lib.execute.stacks.live import LiveStack, describe_stack, error_text
from core_lib.execute.stacks.parameters import STACK_NAME
from core_lib.execute.stacks.reasons import explain, failure_reasons
from core_lib.execute.stacks.scope import stack_scope
from core_lib.execute.stacks.states import GOOD, Condition, condition
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import Message, Target


class RevertDriftParams(Message):
    """Which stack."""

    stack_name: str = Field(pattern=STACK_NAME, description="Name of the stack")


Context = ActionContext[RevertDriftParams]


class RevertDrift(Action[RevertDriftParams]):
    """Makes the resources of a stack what its template says again."""

    kind = "AWS::RevertDrift"
    purpose = "Brings drifted resources back to what the deployed template says, through a drift-aware change set."
    permissions = (
        "cloudformation:DescribeStacks", "cloudformation:CreateChangeSet", "cloudformation:DescribeChangeSet",
        "cloudformation:ExecuteChangeSet", "cloudformation:DeleteChangeSet", "cloudformation:DescribeStackEvents",
        "cloudformation:CancelUpdateStack",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/drift-aware-change-sets.html"
    Params = RevertDriftParams
    stack_fields = ("StackName",)
    outputs: ClassVar[Mapping[str, str] | None] = {"Reverted": "logical ids of the resources that were changed back"}
    example: ClassVar[Mapping[str, Any]] = {"StackName": "network"}

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """This stack. CloudFormation changes its resources with the caller's permissions beside these."""
        return stack_scope(cls.permissions, params, target, partition)

    def start(self, ctx: Context) -> Step:
        """Have CloudFormation compare the deployed template, with the deployed parameters, to the world."""
        client, stack = ctx.client("cloudformation"), ctx.stacks.fresh(ctx.params.stack_name)
        if stack is None or condition(stack) is not Condition.UPDATABLE:
            return Failed(f"the stack is {stack.status if stack else 'not there'}", hint="only a healthy stack can be reverted")
        name = ctx.token("revert")
        try:
            client.create_change_set(**_request(stack, name, ctx.run_id))
        except ClientError as error:
            if not already_exists(error):
                raise
        return Again(scratch={"phase": "reviewing", "change_set": name, "stack_id": stack.id})

    def check(self, ctx: Context) -> Step:
        """First the change set, then its execution."""
        return self._reviewing(ctx) if ctx.scratch["phase"] == "reviewing" else self._executing(ctx)

    def cancel(self, ctx: Context) -> Step:
        """Before the execution the change set is deleted; an execution is cancelled."""
        client = ctx.client("cloudformation")
        if ctx.scratch.get("phase", "reviewing") == "reviewing":
            if "change_set" in ctx.scratch:
                delete_change_set(client, ctx.params.stack_name, ctx.scratch["change_set"])
            return Done(changed=False, message="nothing was executed")
        try:
            client.cancel_update_stack(StackName=ctx.scratch["stack_id"], ClientRequestToken=ctx.token("cancel"))
        except ClientError as error:
            if error_text(error)[0] != "ValidationError":
                raise
        return Again(message="waiting for CloudFormation to come to an end")

    def undo(self, ctx: Context) -> Step:
        """There is no way back to drift."""
        return Done(changed=False, message=f"the drift of {ctx.params.stack_name} does not come back")

    def _reviewing(self, ctx: Context) -> Step:
        client, name = ctx.client("cloudformation"), ctx.params.stack_name
        found = find_change_set(client, name, ctx.scratch["change_set"])
        if found is None:
            return Failed("the change set has vanished", hint="see who else changes this stack")
        if found.pending:
            return Again()
        if found.empty:
            delete_change_set(client, name, found.name)
            message = "CloudFormation finds nothing that it could revert: see the drift of this stack for what differs"
            return Done(outputs={"Reverted": []}, changed=False, message=message)
        if found.status == "FAILED":
            delete_change_set(client, name, found.name)
            return Failed(f"CloudFormation refuses to revert: {found.reason or 'no reason given'}")
        reverted = sorted(change.logical_id for change in found.changes)
        if not found.executed:
            try:
                client.execute_change_set(StackName=name, ChangeSetName=found.name, ClientRequestToken=ctx.token("execute"))
            except ClientError as error:
                if not error_text(error)[0].startswith("InvalidChangeSetStatus"):
                    raise
                return Again()
        return Again(scratch={**ctx.scratch, "phase": "executing", "reverted": reverted})

    def _executing(self, ctx: Context) -> Step:
        client = ctx.client("cloudformation")
        stack = describe_stack(client, ctx.scratch["stack_id"])
        found = find_change_set(client, ctx.params.stack_name, ctx.scratch["change_set"])
        running = found is not None and found.execution_status == "EXECUTE_IN_PROGRESS"
        if running or (stack is not None and stack.status.endswith("_IN_PROGRESS")):
            return Again()
        ctx.stacks.fresh(ctx.params.stack_name)
        if stack is None or stack.status not in GOOD:
            text = explain(failure_reasons(client, ctx.scratch["stack_id"]), stack.reason if stack else None)
            return Failed(f"the stack ended {stack.status if stack else 'DELETE_COMPLETE'}: {text}")
        reverted = list(ctx.scratch["reverted"])
        return Done(outputs={"Reverted": reverted}, message=f"{len(reverted)} resources changed back")


def _request(stack: LiveStack, name: str, run_id: str) -> dict[str, Any]:
    return {
        "StackName": stack.name,
        "ChangeSetName": name,
        "ChangeSetType": "UPDATE",
        "Description": f"run {run_id}"[:1024],
        "UsePreviousTemplate": True,
        "DeploymentMode": "REVERT_DRIFT",
        "Parameters": [{"ParameterKey": key, "UsePreviousValue": True} for key in sorted(stack.parameters)],
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(stack.tags.items())],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
