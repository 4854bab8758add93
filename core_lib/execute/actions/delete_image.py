"""AWS::DeleteImage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import AliasChoices, Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.images.live import IMAGE, Image, find_images
from core_lib.execute.images.removal import plan_removal, remove_some
from core_lib.execute.images.scopes import image_arn, snapshot_arn
from core_lib.execute.steps import Done, Failed, Step
from core_lib.framework.models import Message, Target


class DeleteImageParams(Message):
    """Which image."""

    image_name: str = Field(
        pattern=IMAGE, description="Name or id of the image",
        validation_alias=AliasChoices("ImageName", "ImageId", "image_id"), serialization_alias="ImageName",
    )  # fmt: skip
    all: bool = Field(default=False, description="When several images have the name, delete all of them")


Context = ActionContext[DeleteImageParams]


class DeleteImage(Action[DeleteImageParams]):
    """Deletes an image of the target's account with everything it lies on."""

    kind = "AWS::DeleteImage"
    purpose = "Deregisters an image and deletes all of its snapshots; an image that is not there is fine."
    permissions = ("ec2:DescribeImages", "ec2:DeregisterImage", "ec2:DeleteSnapshot")
    source = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeregisterImage.html"
    Params = DeleteImageParams
    example: ClassVar[Mapping[str, Any]] = {"ImageName": "shop-web-6"}

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The image when it is given by its id; the snapshots are not known beforehand."""
        return {
            "ec2:DeregisterImage": (image_arn(params, "ImageName", target.region, partition),),
            "ec2:DeleteSnapshot": (snapshot_arn(target.region, partition),),
        }

    def start(self, ctx: Context) -> Step:
        """Find it, and write down what is to go."""
        found = find_images(ctx.client("ec2"), ctx.params.image_name)
        if not found:
            return Done(changed=False, message="there is no such image")
        return _refusal(ctx, found) or plan_removal({}, found)

    def check(self, ctx: Context) -> Step:
        """Take a portion away."""
        step = remove_some(ctx.client("ec2"), ctx.scratch)
        return Done(message="deleted") if isinstance(step, Done) else step


def _refusal(ctx: Context, found: list[Image]) -> Failed | None:
    name = ctx.params.image_name
    if len(found) > 1 and not ctx.params.all:
        identities = ", ".join(image.id for image in found)
        return Failed(f"several images are called {name}: {identities}", hint="give the id, or set All: true")
    foreign = [image for image in found if image.owner and image.owner != ctx.target.account]
    if foreign:
        return Failed(f"the image {foreign[0].id} belongs to account {foreign[0].owner}", hint="delete it there")
    return None
