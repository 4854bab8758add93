"""AWS::ImportResources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from core_lib.execute.action import ActionContext
from core_lib.execute.stacks.deployment import StackDeployment
from core_lib.execute.stacks.imports import ImportRefusedError, ResourceToImport, check_template, still_missing
from core_lib.execute.stacks.parameters import StackParams, Wanted, change_set_request, wanted
from core_lib.execute.stacks.scope import stack_scope
from core_lib.execute.steps import Done, Failed, Step
from core_lib.framework.models import Target


class ImportResourcesParams(StackParams):
    """A stack as it should be, and the existing resources that become part of it."""

    resources_to_import: tuple[ResourceToImport, ...] = Field(default=(), description="Resources by their identifiers")
    import_existing_resources: bool = Field(
        default=False,
        description="Let CloudFormation find existing resources by the names in the template; it may also create others",
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.resources_to_import) == self.import_existing_resources:
            raise ValueError("give ResourcesToImport, or set ImportExistingResources: true; one of them")
        return self


class ImportResources(StackDeployment):
    """Takes existing resources into a stack."""

    kind = "AWS::ImportResources"
    purpose = "Takes existing resources into a new or existing stack, through an import change set."
    permissions = (
        "cloudformation:DescribeStacks", "cloudformation:CreateChangeSet", "cloudformation:DescribeChangeSet",
        "cloudformation:ExecuteChangeSet", "cloudformation:DeleteChangeSet", "cloudformation:ListChangeSets",
        "cloudformation:DescribeStackEvents", "cloudformation:ListStackResources", "cloudformation:DeleteStack",
        "cloudformation:GetStackPolicy", "cloudformation:SetStackPolicy", "cloudformation:UpdateTerminationProtection",
        "cloudformation:CancelUpdateStack",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html"
    Params = ImportResourcesParams
    example: ClassVar[Mapping[str, Any]] = {
        "StackName": "storage",
        "Template": "storage.yaml",
        "ResourcesToImport": [
            {
                "ResourceType": "AWS::S3::Bucket",
                "LogicalResourceId": "Archive",
                "ResourceIdentifier": {"BucketName": "acme-archive"},
            }
        ],
    }

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """This stack. CloudFormation reads the resources with the caller's permissions beside these."""
        return stack_scope(cls.permissions, params, target, partition)

    def start(self, ctx: ActionContext[StackParams]) -> Step:
        """Check the template, and import what is not in the stack yet."""
        params = _params(ctx)
        try:
            check_template(ctx.files(params.template), params.resources_to_import, params.template)
        except ImportRefusedError as refusal:
            return Failed(refusal.message, hint=refusal.hint)
        live = ctx.stacks.fresh(params.stack_name)
        if live is not None and params.resources_to_import and not self._missing(ctx):
            return Done(outputs=live.outputs, changed=False, message="all of these resources are in the stack already")
        return self.begin(ctx, wanted(ctx), live)

    def undo(self, ctx: ActionContext[StackParams]) -> Step:
        """Not undone: a stack cannot be made to let go of a resource without a template that says so."""
        names = ", ".join(each.logical_resource_id for each in _params(ctx).resources_to_import) or "what was imported"
        return Done(changed=False, message=f"an import is not undone: {names} stays in the stack")

    def request(
        self, ctx: ActionContext[StackParams], want: Wanted, name: str, kind: Literal["CREATE", "UPDATE"]
    ) -> dict[str, Any]:
        """An import change set for named resources, else an ordinary one that adopts what it finds."""
        request = change_set_request(ctx, want, name, kind)
        if _params(ctx).import_existing_resources:
            return {**request, "ImportExistingResources": True}
        request.pop("OnStackFailure", None)
        resources = [each.as_dict() for each in self._missing(ctx)]
        return {**request, "ChangeSetType": "IMPORT", "ResourcesToImport": resources}

    def _missing(self, ctx: ActionContext[StackParams]) -> list[ResourceToImport]:
        params = _params(ctx)
        return still_missing(ctx.client("cloudformation"), params.stack_name, params.resources_to_import)


def _params(ctx: ActionContext[StackParams]) -> ImportResourcesParams:
    if not isinstance(ctx.params, ImportResourcesParams):
        raise TypeError(f"parameters of another kind: {type(ctx.params).__name__}")
    return ctx.params
