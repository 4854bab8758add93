"""AWS::GetStackOutputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.stacks.parameters import STACK_NAME
from core_lib.execute.stacks.states import exists
from core_lib.execute.steps import Done, Failed, Step
from core_lib.framework.models import Message


class GetStackOutputsParams(Message):
    """Which stack."""

    stack_name: str = Field(pattern=STACK_NAME, description="Name of the stack")
    optional: bool = Field(default=False, description="A stack that is not there has no outputs, and that is fine")


class GetStackOutputs(Action[GetStackOutputsParams]):
    """Reads the outputs of a stack that this plan does not deploy."""

    kind = "AWS::GetStackOutputs"
    purpose = "Reads the outputs of a stack, so that later actions can use them as {{ outputs.<name>.<Output> }}."
    permissions = ("cloudformation:DescribeStacks",)
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html"
    Params = GetStackOutputsParams
    outputs = None
    reads_only = True
    example: ClassVar[Mapping[str, Any]] = {"StackName": "shared-network", "Optional": True}

    def start(self, ctx: ActionContext[GetStackOutputsParams]) -> Step:
        """Over at once, from the listing that all actions of the target share."""
        name = ctx.params.stack_name
        stack = ctx.stacks.live(name)
        if stack is not None and exists(stack):
            return Done(outputs=stack.outputs, changed=False)
        if ctx.params.optional:
            return Done(changed=False, message="there is no such stack")
        return Failed(f"there is no stack {name}", hint="deploy it first, or set Optional: true")
