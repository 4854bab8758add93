"""AWS::DeleteStackInstances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from core_lib.execute.action import ActionContext
from core_lib.execute.stacks.stack_set_listing import InstancesAction
from core_lib.execute.stacks.stack_set_operations import OUTPUTS, Results
from core_lib.execute.stacks.stack_sets import (
    ACCOUNT,
    Instance,
    StackSetOperationParams,
    find_stack_set,
    rectangles,
    stack_set_scope,
)
from core_lib.execute.steps import Done, Step
from core_lib.framework.models import Target


class DeleteStackInstancesParams(StackSetOperationParams):
    """Which instances; those that fit everything that is given. Nothing given means all."""

    accounts: tuple[Annotated[str, Field(pattern=ACCOUNT)], ...] = Field(default=(), description="Only in these accounts")
    organizational_units: tuple[str, ...] = Field(default=(), description="Only in these units (ids)")
    regions: tuple[str, ...] = Field(default=(), description="Only in these regions")
    retain_stacks: bool = Field(default=False, description="Let go of the stacks instead of deleting them")

    def fits(self, instance: Instance) -> bool:
        """Whether the instance is one of those to delete."""
        wanted = ((self.accounts, instance.account), (self.organizational_units, instance.unit), (self.regions, instance.region))
        return all(not chosen or value in chosen for chosen, value in wanted)


Context = ActionContext[DeleteStackInstancesParams]


class DeleteStackInstances(InstancesAction[DeleteStackInstancesParams]):
    """Deletes instances of a stack set."""

    kind = "AWS::DeleteStackInstances"
    purpose = "Deletes instances of a stack set, with their stacks or without, and waits for every one."
    permissions = (
        "cloudformation:DescribeStackSet", "cloudformation:ListStackInstances", "cloudformation:DeleteStackInstances",
        "cloudformation:DescribeStackSetOperation", "cloudformation:ListStackSetOperationResults",
        "cloudformation:StopStackSetOperation",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStackInstances.html"
    Params = DeleteStackInstancesParams
    outputs: ClassVar[Mapping[str, str] | None] = OUTPUTS
    example: ClassVar[Mapping[str, Any]] = {"StackSetName": "baseline", "Regions": ["us-east-1"]}

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """This stack set."""
        return stack_set_scope(cls.permissions, params, target, partition)

    def start(self, ctx: Context) -> Step:
        """Look at the instances that are there; without a set there are none."""
        if find_stack_set(ctx.client("cloudformation"), ctx.params) is None:
            return Done(outputs=Results({}, {}, ()).as_outputs(), changed=False, message="there is no such stack set")
        return self.look(ctx, {})

    def operations(self, ctx: Context, instances: Sequence[Instance]) -> list[dict[str, Any]]:
        """One deletion for each set of accounts that share their regions; instances of units are addressed through these."""
        params = ctx.params
        chosen = [each for each in instances if params.fits(each)]
        units = {each.account: each.unit for each in chosen if each.unit}
        calls = []
        for managed in (False, True):
            pairs = [(each.account, each.region) for each in chosen if bool(each.unit) is managed]
            for accounts, regions in rectangles(pairs):
                arguments: dict[str, Any] = {
                    "Regions": regions,
                    "RetainStacks": params.retain_stacks,
                    "OperationPreferences": params.operation_preferences.as_arguments(),
                }
                if managed:
                    holders = sorted({str(units[account]) for account in accounts})
                    targets = {"OrganizationalUnitIds": holders, "Accounts": accounts, "AccountFilterType": "INTERSECTION"}
                    arguments["DeploymentTargets"] = targets
                else:
                    arguments["Accounts"] = accounts
                calls.append({"call": "delete_stack_instances", "arguments": arguments})
        return calls

    def undo(self, ctx: Context) -> Step:
        """There is no way back to stacks that were deleted."""
        return Done(changed=False, message=f"instances of {ctx.params.stack_set_name} were deleted, which is not undone")
