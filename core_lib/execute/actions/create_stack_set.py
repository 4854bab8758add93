"""AWS::CreateStackSet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from botocore.exceptions import ClientError
from pydantic import Field, field_validator

from core_lib.execute.action import ActionContext
from core_lib.execute.stacks.live import error_text
from core_lib.execute.stacks.parameters import Capability, template_source, text
from core_lib.execute.stacks.stack_set_operations import OUTPUTS, Results, StackSetAction, planned
from core_lib.execute.stacks.stack_sets import StackSetOperationParams, find_stack_set, stack_set_scope
from core_lib.execute.steps import Done, Failed, Step
from core_lib.framework.models import Message, Target

HIDDEN = "****"
"""What CloudFormation shows of a NoEcho parameter."""


class AutoDeployment(Message):
    """What a service-managed set does when accounts join or leave its organizational units."""

    enabled: bool = True
    retain_stacks_on_account_removal: bool = False


class CreateStackSetParams(StackSetOperationParams):
    """A stack set as it should be."""

    template: str = Field(min_length=1, description="Template, as a path in the package")
    description: str | None = Field(default=None, description="Description of the set")
    parameters: dict[str, Any] = Field(default_factory=dict, description="Template parameters; lists are joined with commas")
    tags: dict[str, str] = Field(default_factory=dict, description="Tags of the set and of all its stacks")
    capabilities: tuple[Capability, ...] = Field(
        default=("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"), description="Acknowledged capabilities"
    )
    permission_model: Literal["SELF_MANAGED", "SERVICE_MANAGED"] = Field(
        default="SELF_MANAGED", description="Roles of your own, or those of AWS Organizations; cannot be changed later"
    )
    auto_deployment: AutoDeployment | None = Field(default=None, description="For service-managed sets")
    administration_role_arn: str | None = Field(default=None, description="For self-managed sets")
    execution_role_name: str | None = Field(default=None, description="For self-managed sets")
    managed_execution: bool | None = Field(default=None, description="Let operations that do not conflict run side by side")

    @field_validator("parameters", "tags", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        return {key: text(item) for key, item in value.items()} if isinstance(value, dict) else value


Context = ActionContext[CreateStackSetParams]


class CreateStackSet(StackSetAction[CreateStackSetParams]):
    """Creates a stack set, or brings it to what is wanted."""

    kind = "AWS::CreateStackSet"
    purpose = "Creates a stack set, or updates it (and all of its instances) when something about it has changed."
    permissions = (
        "cloudformation:DescribeStackSet", "cloudformation:CreateStackSet", "cloudformation:UpdateStackSet",
        "cloudformation:DescribeStackSetOperation", "cloudformation:ListStackSetOperationResults",
        "cloudformation:StopStackSetOperation", "cloudformation:DeleteStackSet", "cloudformation:TagResource", "iam:PassRole",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStackSet.html"
    Params = CreateStackSetParams
    outputs: ClassVar[Mapping[str, str] | None] = {"StackSetId": "id of the set", "Created": "whether it is new", **OUTPUTS}
    example: ClassVar[Mapping[str, Any]] = {
        "StackSetName": "baseline",
        "Template": "baseline.yaml",
        "Parameters": {"LogRetentionDays": 90},
        "Tags": {"Owner": "platform"},
    }

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """This stack set, and the administration role if one is named."""
        role = params.get("AdministrationRoleArn")
        roles = {"iam:PassRole": (str(role),)} if role and "{{" not in str(role) else {}
        return stack_set_scope(cls.permissions, params, target, partition) | roles

    def start(self, ctx: Context) -> Step:
        """Create it, or find out what has to change."""
        client, params = ctx.client("cloudformation"), ctx.params
        found = find_stack_set(client, params)
        if found is None:
            return self._create(ctx)
        if found.get("PermissionModel", params.permission_model) != params.permission_model:
            return Failed(
                f"the stack set is {found['PermissionModel']}, which cannot be changed to {params.permission_model}",
                hint="delete it, or give it another name",
            )
        if not _differences(ctx, found):
            outputs = {"StackSetId": found["StackSetId"], "Created": False, **Results({}, {}, ()).as_outputs()}
            return Done(outputs=outputs, changed=False, message="no changes")
        arguments = _wanted(ctx) | {"OperationPreferences": params.operation_preferences.as_arguments()}
        call = {"call": "update_stack_set", "arguments": arguments}
        return self.proceed(ctx, planned([call], "update", stack_set_id=found["StackSetId"]))

    def finish(self, ctx: Context, results: Results) -> Step:
        """The set is as wanted; are its instances?"""
        step = super().finish(ctx, results)
        if not isinstance(step, Done):
            return step
        return Done(outputs={"StackSetId": ctx.scratch["stack_set_id"], "Created": False, **step.outputs}, message="updated")

    def undo(self, ctx: Context) -> Step:
        """Delete the set if this action created it. An update stays."""
        client = ctx.client("cloudformation")
        if "stack_set_id" in ctx.scratch:
            return Done(changed=False, message="an update of a stack set is not undone")
        if find_stack_set(client, ctx.params) is None:
            return Done(changed=False, message="it is gone already")
        client.delete_stack_set(**ctx.params.named)
        return Done()

    def _create(self, ctx: Context) -> Step:
        client, params = ctx.client("cloudformation"), ctx.params
        arguments = _wanted(ctx) | {"PermissionModel": params.permission_model, "ClientRequestToken": ctx.token("create")}
        try:
            identity = client.create_stack_set(**params.named, **arguments)["StackSetId"]
        except ClientError as error:
            made = find_stack_set(client, params) if error_text(error)[0] == "NameAlreadyExistsException" else None
            if made is None:
                raise
            identity = made["StackSetId"]
        outputs = {"StackSetId": identity, "Created": True, **Results({}, {}, ()).as_outputs()}
        return Done(outputs=outputs, message="created")


def _wanted(ctx: Context) -> dict[str, Any]:
    """The arguments that creating and updating have in common."""
    params = ctx.params
    arguments: dict[str, Any] = {
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in sorted(params.parameters.items())],
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(params.tags.items())],
        "Capabilities": list(params.capabilities),
        **template_source(ctx, params.template),
    }
    optional = {
        "Description": params.description,
        "AdministrationRoleARN": params.administration_role_arn,
        "ExecutionRoleName": params.execution_role_name,
        "AutoDeployment": params.auto_deployment.as_dict() if params.auto_deployment else None,
        "ManagedExecution": {"Active": params.managed_execution} if params.managed_execution is not None else None,
    }
    return arguments | {key: value for key, value in optional.items() if value is not None}


def _differences(ctx: Context, found: Mapping[str, Any]) -> list[str]:
    """Names of what is not as wanted. Hidden parameter values cannot be compared and count as unchanged."""
    wanted = _wanted(ctx)
    wanted["TemplateBody"] = ctx.files(ctx.params.template).decode("utf-8")
    wanted.pop("TemplateURL", None)
    there: dict[str, Any] = {
        **found,
        "Tags": sorted(found.get("Tags", ()), key=lambda tag: str(tag["Key"])),
        "Parameters": _compared(found.get("Parameters", ()), ctx.params.parameters),
    }
    if "Capabilities" not in found:
        wanted.pop("Capabilities")
    return [key for key, value in wanted.items() if there.get(key) != value]


def _compared(found: Any, wanted: Mapping[str, str]) -> list[dict[str, str]]:
    values = {each["ParameterKey"]: each.get("ParameterValue", "") for each in found}
    shown = {key: wanted[key] if value == HIDDEN and key in wanted else value for key, value in values.items()}
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in sorted(shown.items())]
