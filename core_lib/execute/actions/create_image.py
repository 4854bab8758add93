"""AWS::CreateImage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import AliasChoices, Field

from core_lib.execute.action import ActionContext
from core_lib.execute.fields import name_in_arn
from core_lib.execute.images.live import NAME
from core_lib.execute.images.making import ImageMaking, NewImageParams
from core_lib.execute.images.marks import tag_specifications
from core_lib.execute.images.scopes import image_arn, snapshot_arn
from core_lib.framework.models import Target


class CreateImageParams(NewImageParams):
    """From which instance, and what the image is called."""

    instance_id: str = Field(pattern=r"^i-[0-9a-f]{8,17}$", description="Id of the instance")
    image_name: str = Field(
        pattern=NAME, description="Name of the new image",
        validation_alias=AliasChoices("ImageName", "Name"), serialization_alias="ImageName",
    )  # fmt: skip
    no_reboot: bool = Field(
        default=False, description="Do not stop the instance for it; its file systems may then be inconsistent"
    )


Context = ActionContext[CreateImageParams]


class CreateImage(ImageMaking[CreateImageParams]):
    """Makes an image of an instance and waits until it can be used."""

    kind = "AWS::CreateImage"
    purpose = "Makes an image (AMI) of an instance, with tags on it and all its snapshots, and waits until it is available."
    permissions = (
        "ec2:DescribeImages", "ec2:CreateImage", "ec2:CreateTags", "ec2:DeregisterImage", "ec2:DeleteSnapshot",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html"
    Params = CreateImageParams
    example: ClassVar[Mapping[str, Any]] = {
        "InstanceId": "{{ outputs.bake.InstanceId }}", "ImageName": "shop-web-7", "Tags": {"App": "shop"}
    }  # fmt: skip

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The instance, and images and snapshots of the region."""
        instance = f"arn:{partition}:ec2:{target.region}:{target.account}:instance/{name_in_arn(params, 'InstanceId')}"
        made = (image_arn({}, "", target.region, partition), snapshot_arn(target.region, partition))
        return {
            "ec2:CreateImage": (instance, *made), "ec2:CreateTags": made,
            "ec2:DeregisterImage": made[:1], "ec2:DeleteSnapshot": made[1:],
        }  # fmt: skip

    def ec2(self, ctx: Context) -> Any:
        """In the target."""
        return ctx.client("ec2")

    def name(self, ctx: Context) -> str:
        """As asked for."""
        return ctx.params.image_name

    def made_from(self, ctx: Context) -> str:
        """The instance."""
        return ctx.params.instance_id

    def make(self, ctx: Context, source: str, tags: Mapping[str, str]) -> str:
        """CreateImage, with the tags from the beginning."""
        arguments: dict[str, Any] = {"Description": ctx.params.description} if ctx.params.description else {}
        answer = ctx.client("ec2").create_image(
            InstanceId=source, Name=ctx.params.image_name, NoReboot=ctx.params.no_reboot,
            TagSpecifications=tag_specifications(tags, "image", "snapshot"), **arguments,
        )  # fmt: skip
        return str(answer["ImageId"])
