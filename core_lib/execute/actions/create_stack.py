"""AWS::CreateStack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from core_lib.execute.action import ActionContext
from core_lib.execute.stacks.deployment import StackDeployment
from core_lib.execute.stacks.parameters import StackParams, wanted
from core_lib.execute.stacks.unchanged import is_unchanged
from core_lib.execute.steps import Done, Step


class CreateStack(StackDeployment):
    """Creates or updates a stack, always through a change set; an unchanged stack costs no call of its own."""

    kind = "AWS::CreateStack"
    purpose = "Creates a stack, or updates it to what is asked for; does nothing when it already is."
    permissions = (
        "cloudformation:DescribeStacks", "cloudformation:CreateChangeSet", "cloudformation:DescribeChangeSet",
        "cloudformation:ExecuteChangeSet", "cloudformation:DeleteChangeSet", "cloudformation:ListChangeSets",
        "cloudformation:DescribeStackEvents", "cloudformation:ListStackResources", "cloudformation:DeleteStack",
        "cloudformation:GetStackPolicy", "cloudformation:SetStackPolicy", "cloudformation:UpdateTerminationProtection",
        "cloudformation:CancelUpdateStack", "cloudformation:GetTemplate", "cloudformation:UpdateStack",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html"
    example: ClassVar[Mapping[str, Any]] = {
        "StackName": "network",
        "Template": "net/vpc.yaml",
        "Parameters": {"Cidr": "10.0.0.0/16", "TopicArn": "{{ outputs.hub.TopicArn }}"},
        "Tags": {"Owner": "platform"},
        "TerminationProtection": True,
    }

    def start(self, ctx: ActionContext[StackParams]) -> Step:
        """Nothing to do, or the first phase of a deployment."""
        want = wanted(ctx)
        live = ctx.stacks.live(want.name) if ctx.attempt == 1 else ctx.stacks.fresh(want.name)
        if live is not None and not ctx.force and is_unchanged(ctx, live, want):
            return Done(outputs=live.outputs, changed=False, message="unchanged")
        return self.begin(ctx, want, live)
