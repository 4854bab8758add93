"""AWS::CreateCloudFrontInvalidation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError
from pydantic import Field, field_validator

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import Texts, name_in_arn
from core_lib.execute.refusals import code_of
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import Cause, Message, Target

SECONDS_IN_QUEUE = 30.0
MOST_TIMES_IN_QUEUE = 60
"""How often a distribution that has too many invalidations in progress is asked again: half an hour."""


class CreateCloudFrontInvalidationParams(Message):
    """Which paths of which distribution."""

    distribution_id: str = Field(pattern=r"^[A-Z0-9]{1,64}$", description="Id of the distribution")
    paths: Texts = Field(
        default=("/*",), min_length=1, max_length=3000, description="Paths to forget; a `*` at the end means all below"
    )

    @field_validator("paths")
    @classmethod
    def _rooted(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(path if path.startswith("/") else f"/{path}" for path in paths)


Context = ActionContext[CreateCloudFrontInvalidationParams]


class CreateCloudFrontInvalidation(Action[CreateCloudFrontInvalidationParams]):
    """Makes CloudFront fetch paths anew, and waits until every edge has forgotten them."""

    kind = "AWS::CreateCloudFrontInvalidation"
    purpose = "Invalidates paths of a CloudFront distribution and waits until that is complete."
    permissions = ("cloudfront:CreateInvalidation", "cloudfront:GetInvalidation")
    source = "https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html"
    Params = CreateCloudFrontInvalidationParams
    outputs: ClassVar[Mapping[str, str]] = {"InvalidationId": "Id of the invalidation"}
    example: ClassVar[Mapping[str, Any]] = {
        "DistributionId": "{{ outputs.site.DistributionId }}",
        "Paths": ["/index.html", "/app/*"],
    }

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The one distribution."""
        name = name_in_arn(params, "DistributionId")
        return {"cloudfront:*": (f"arn:{partition}:cloudfront::{target.account}:distribution/{name}",)}

    def start(self, ctx: Context) -> Step:
        """Ask for it; CloudFront knows a caller reference again and answers with the invalidation it has."""
        paths = list(ctx.params.paths)
        batch = {"Paths": {"Quantity": len(paths), "Items": paths}, "CallerReference": ctx.token("invalidation")}
        try:
            answer = ctx.client("cloudfront").create_invalidation(
                DistributionId=ctx.params.distribution_id, InvalidationBatch=batch
            )
        except ClientError as error:
            if code_of(error) == "TooManyInvalidationsInProgress":
                return self._queue(ctx)
            raise
        return Again(scratch={"invalidation": answer["Invalidation"]["Id"]})

    def check(self, ctx: Context) -> Step:
        """Have all edges forgotten them?"""
        identity = ctx.scratch.get("invalidation")
        if identity is None:
            return self.start(ctx)
        answer = ctx.client("cloudfront").get_invalidation(DistributionId=ctx.params.distribution_id, Id=identity)
        if answer["Invalidation"]["Status"] != "Completed":
            return Again()
        return Done(outputs={"InvalidationId": identity}, message=f"{len(ctx.params.paths)} path(s) invalidated")

    def _queue(self, ctx: Context) -> Step:
        times = int(ctx.scratch.get("queued", 0)) + 1
        if times > MOST_TIMES_IN_QUEUE:
            minutes = int(SECONDS_IN_QUEUE * MOST_TIMES_IN_QUEUE / 60)
            return Failed(f"the distribution has too many invalidations in progress since {minutes} minutes", cause=Cause.TIMEOUT)
        return Again(SECONDS_IN_QUEUE, {"queued": times}, "waiting: too many invalidations are in progress")
