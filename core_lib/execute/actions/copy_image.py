"""AWS::CopyImage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import AliasChoices, Field

from core_lib.execute.action import ActionContext
from core_lib.execute.fields import name_in_arn
from core_lib.execute.images.live import IMAGE, NAME, the_image
from core_lib.execute.images.making import ImageMaking, NewImageParams
from core_lib.execute.images.marks import tag_specifications
from core_lib.execute.images.scopes import image_arn, key_scope, snapshot_arn
from core_lib.framework.models import Target


class CopyImageParams(NewImageParams):
    """What is copied, and what the copy is called."""

    image_name: str = Field(
        pattern=IMAGE, description="Name or id of the image to copy; by id also one that another account shares",
        validation_alias=AliasChoices("ImageName", "ImageId", "image_id", "SourceImageId"), serialization_alias="ImageName",
    )  # fmt: skip
    destination_image_name: str = Field(pattern=NAME, description="Name of the copy")
    kms_key_arn: str | None = Field(
        default=None, min_length=1,
        description="KMS key of the copy (ARN, id or alias, in the copy's region); default: the account's key for EBS",
        validation_alias=AliasChoices("KmsKeyArn", "KmsKeyId", "kms_key_id"), serialization_alias="KmsKeyArn",
    )  # fmt: skip
    source_region: str | None = Field(default=None, description="Region of the image; default: the target's")
    destination_region: str | None = Field(default=None, description="Region of the copy; default: the target's")


Context = ActionContext[CopyImageParams]


class CopyImage(ImageMaking[CopyImageParams]):
    """Makes an encrypted copy of an image, in the same or another region, and waits until it can be used."""

    kind = "AWS::CopyImage"
    purpose = "Makes an encrypted copy of an image in the same or another region, and waits until it is available."
    permissions = (
        "ec2:DescribeImages", "ec2:CopyImage", "ec2:CreateTags", "ec2:DeregisterImage", "ec2:DeleteSnapshot",
        "kms:DescribeKey", "kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopyImage.html"
    Params = CopyImageParams
    example: ClassVar[Mapping[str, Any]] = {
        "ImageName": "shop-web-7", "DestinationImageName": "shop-web-7-encrypted", "KmsKeyArn": "alias/images",
        "DestinationRegion": "eu-central-1", "Tags": {"App": "shop"},
    }  # fmt: skip

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """Images and snapshots of the copy's region, and the key if it is named by its ARN."""
        region = name_in_arn(params, "DestinationRegion") if params.get("DestinationRegion") else target.region
        source = name_in_arn(params, "SourceRegion") if params.get("SourceRegion") else target.region
        made = (image_arn({}, "", region, partition), snapshot_arn(region, partition))
        return {
            "ec2:CopyImage": (image_arn(params, "ImageName", source, partition), *made), "ec2:CreateTags": made,
            "ec2:DeregisterImage": made[:1], "ec2:DeleteSnapshot": made[1:], **key_scope(params, "KmsKeyArn"),
        }  # fmt: skip

    def ec2(self, ctx: Context) -> Any:
        """In the region of the copy."""
        return ctx.client("ec2", region=ctx.params.destination_region)

    def name(self, ctx: Context) -> str:
        """As asked for."""
        return ctx.params.destination_image_name

    def made_from(self, ctx: Context) -> str:
        """The image to copy, looked up in its own region."""
        ec2 = ctx.client("ec2", region=ctx.params.source_region)
        return the_image(ec2, ctx.params.image_name, ctx.where).id

    def make(self, ctx: Context, source: str, tags: Mapping[str, str]) -> str:
        """CopyImage; EC2 knows the token of an earlier try again and answers with its copy."""
        params = ctx.params
        arguments: dict[str, Any] = {"Description": params.description} if params.description else {}
        if params.kms_key_arn:
            arguments["KmsKeyId"] = params.kms_key_arn
        answer = self.ec2(ctx).copy_image(
            SourceImageId=source, SourceRegion=params.source_region or ctx.target.region, Name=params.destination_image_name,
            Encrypted=True, ClientToken=ctx.token("copy"), TagSpecifications=tag_specifications(tags, "image", "snapshot"),
            **arguments,
        )  # fmt: skip
        return str(answer["ImageId"])
