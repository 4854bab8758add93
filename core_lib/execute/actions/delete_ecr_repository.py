"""AWS::DeleteEcrRepository."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError
from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import name_in_arn
from core_lib.execute.refusals import code_of
from core_lib.execute.steps import Done, Failed, Step
from core_lib.framework.models import Message, Target


class DeleteEcrRepositoryParams(Message):
    """Which repository."""

    repository_name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9._/-]{1,255}$", description="Name of the repository, with its namespace"
    )
    force: bool = Field(default=True, description="Delete it together with the images in it; false: only when it is empty")


class DeleteEcrRepository(Action[DeleteEcrRepositoryParams]):
    """Deletes an ECR repository of the target's registry."""

    kind = "AWS::DeleteEcrRepository"
    purpose = "Deletes an ECR repository with its images; a repository that is not there is fine."
    permissions = ("ecr:DeleteRepository",)
    source = "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRepository.html"
    Params = DeleteEcrRepositoryParams
    example: ClassVar[Mapping[str, Any]] = {"RepositoryName": "shop/web", "Force": True}

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The one repository."""
        name = name_in_arn(params, "RepositoryName")
        return {"ecr:*": (f"arn:{partition}:ecr:{target.region}:{target.account}:repository/{name}",)}

    def start(self, ctx: ActionContext[DeleteEcrRepositoryParams]) -> Step:
        """Over at once."""
        name = ctx.params.repository_name
        try:
            ctx.client("ecr").delete_repository(registryId=ctx.target.account, repositoryName=name, force=ctx.params.force)
        except ClientError as error:
            if code_of(error) == "RepositoryNotFoundException":
                return Done(changed=False, message="there is no such repository")
            if code_of(error) == "RepositoryNotEmptyException":
                return Failed(f"the repository {name} has images in it", hint="delete them first, or set Force: true")
            raise
        return Done(message="deleted")
