"""AWS::DeployStackInstances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from core_lib.execute.action import ActionContext
from core_lib.execute.stacks.parameters import text
from core_lib.execute.stacks.stack_set_listing import InstancesAction
from core_lib.execute.stacks.stack_set_operations import OUTPUTS, Results, planned
from core_lib.execute.stacks.stack_sets import (
    ACCOUNT,
    Instance,
    StackSetOperationParams,
    find_stack_set,
    rectangles,
    stack_set_scope,
)
from core_lib.execute.steps import Done, Failed, Step
from core_lib.framework.models import Target


class DeployStackInstancesParams(StackSetOperationParams):
    """Which instances a stack set should have."""

    accounts: tuple[Annotated[str, Field(pattern=ACCOUNT)], ...] = Field(default=(), description="Account ids")
    organizational_units: tuple[str, ...] = Field(default=(), description="Ids of units, for service-managed sets")
    account_filter: Literal["NONE", "INTERSECTION", "DIFFERENCE", "UNION"] = Field(
        default="NONE", description="What Accounts means beside OrganizationalUnits"
    )
    regions: tuple[str, ...] = Field(min_length=1, description="Regions")
    parameter_overrides: dict[str, Any] = Field(default_factory=dict, description="Parameter values for these instances")

    @field_validator("parameter_overrides", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        return {key: text(item) for key, item in value.items()} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not (self.accounts or self.organizational_units):
            raise ValueError("give Accounts or OrganizationalUnits")
        if self.accounts and self.organizational_units and self.account_filter == "NONE":
            raise ValueError("with Accounts and OrganizationalUnits, AccountFilter says what they mean together")
        return self


Context = ActionContext[DeployStackInstancesParams]


class DeployStackInstances(InstancesAction[DeployStackInstancesParams]):
    """Brings the stack of a set into accounts and regions."""

    kind = "AWS::DeployStackInstances"
    purpose = "Creates the instances of a stack set that are missing, brings outdated ones up to date, and waits for every one."
    permissions = (
        "cloudformation:DescribeStackSet", "cloudformation:ListStackInstances", "cloudformation:CreateStackInstances",
        "cloudformation:UpdateStackInstances", "cloudformation:DeleteStackInstances", "cloudformation:DescribeStackSetOperation",
        "cloudformation:ListStackSetOperationResults", "cloudformation:StopStackSetOperation",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackInstances.html"
    Params = DeployStackInstancesParams
    outputs: ClassVar[Mapping[str, str] | None] = OUTPUTS
    example: ClassVar[Mapping[str, Any]] = {
        "StackSetName": "baseline",
        "Accounts": ["111111111111", "222222222222"],
        "Regions": ["eu-west-1", "us-east-1"],
        "OperationPreferences": {"FailureTolerancePercentage": 5},
    }

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """This stack set."""
        return stack_set_scope(cls.permissions, params, target, partition)

    def start(self, ctx: Context) -> Step:
        """Look at the instances that are there."""
        if find_stack_set(ctx.client("cloudformation"), ctx.params) is None:
            return Failed(f"there is no stack set {ctx.params.stack_set_name}", hint="create it first: AWS::CreateStackSet")
        return self.look(ctx, {})

    def operations(self, ctx: Context, instances: Sequence[Instance]) -> list[dict[str, Any]]:
        """Create what is missing, update what is outdated (with overrides: all that is there); units are resolved by AWS."""
        params = ctx.params
        common: dict[str, Any] = {"OperationPreferences": params.operation_preferences.as_arguments()}
        if params.parameter_overrides:
            pairs = sorted(params.parameter_overrides.items())
            common["ParameterOverrides"] = [{"ParameterKey": key, "ParameterValue": value} for key, value in pairs]
        if params.organizational_units:
            arguments = {"DeploymentTargets": _units(params), "Regions": list(params.regions), **common}
            return [{"call": "create_stack_instances", "arguments": arguments}]
        there = {(each.account, each.region): each.status for each in instances}
        wanted = [(account, region) for account in params.accounts for region in params.regions]
        missing = [pair for pair in wanted if pair not in there]
        stale = [pair for pair in wanted if pair in there and (params.parameter_overrides or there[pair] != "CURRENT")]
        return [*_calls("create_stack_instances", missing, common), *_calls("update_stack_instances", stale, common)]

    def undo(self, ctx: Context) -> Step:
        """Delete the instances that this action created. What it updated stays."""
        if ctx.scratch.get("purpose") == "undo":
            return self.proceed(ctx, dict(ctx.scratch))
        created = [call["arguments"] for call in ctx.scratch.get("calls", ()) if call["call"] == "create_stack_instances"]
        known = [arguments for arguments in created if "Accounts" in arguments]
        if not known:
            return Done(changed=False, message="only instances that were created by account are undone")
        preferences = ctx.params.operation_preferences.as_arguments()
        calls = [
            {
                "call": "delete_stack_instances",
                "arguments": {
                    "Accounts": arguments["Accounts"],
                    "Regions": arguments["Regions"],
                    "RetainStacks": False,
                    "OperationPreferences": preferences,
                },
            }
            for arguments in known
        ]
        return self.proceed(ctx, planned(calls, "undo"))

    def finish(self, ctx: Context, results: Results) -> Step:
        """As every operation; undoing has no outputs."""
        step = super().finish(ctx, results)
        return Done() if isinstance(step, Done) and ctx.scratch.get("purpose") == "undo" else step


def _units(params: DeployStackInstancesParams) -> dict[str, Any]:
    targets: dict[str, Any] = {"OrganizationalUnitIds": list(params.organizational_units)}
    if params.accounts:
        targets |= {"Accounts": list(params.accounts), "AccountFilterType": params.account_filter}
    return targets


def _calls(call: str, pairs: Sequence[tuple[str, str]], common: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for accounts, regions in rectangles(pairs):
        yield {"call": call, "arguments": {"Accounts": accounts, "Regions": regions, **common}}
