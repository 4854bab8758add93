"""AWS::ShareImage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import Arns
from core_lib.execute.images.live import Image, the_image
from core_lib.execute.images.marks import put_tags
from core_lib.execute.images.scopes import image_arn, snapshot_arn
from core_lib.execute.images.sharing import Sharing, launch_permissions, missing_sharing, revoke, share
from core_lib.execute.images.siblings import GoesToAccounts
from core_lib.execute.steps import Again, Done, Step
from core_lib.framework.models import Target


class ShareImageParams(GoesToAccounts):
    """Which image, and with whom."""

    organization_arns: Arns = Field(default=(), description="ARNs of organizations whose accounts may launch it")
    organizational_unit_arns: Arns = Field(default=(), description="ARNs of OUs whose accounts may launch it")

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.accounts_to_share or self.organization_arns or self.organizational_unit_arns):
            raise ValueError("name somebody in AccountsToShare, OrganizationArns or OrganizationalUnitArns")
        return self


Context = ActionContext[ShareImageParams]


class ShareImage(Action[ShareImageParams]):
    """Lets other accounts use an image: to launch it, and to make volumes of all its snapshots."""

    kind = "AWS::ShareImage"
    purpose = "Shares an image with accounts (and all of its snapshots), organizations or OUs."
    permissions = (
        "ec2:DescribeImages", "ec2:DescribeImageAttribute", "ec2:ModifyImageAttribute", "ec2:DescribeSnapshotAttribute",
        "ec2:ModifySnapshotAttribute", "ec2:CreateTags",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyImageAttribute.html"
    Params = ShareImageParams
    outputs: ClassVar[Mapping[str, str]] = {"ImageId": "Id of the image", "SharedWith": "Accounts, organizations and OUs"}
    example: ClassVar[Mapping[str, Any]] = {
        "ImageName": "shop-web-7-encrypted", "AccountsToShare": ["222222222222"], "Siblings": ["222222222222", "333333333333"],
        "OrganizationalUnitArns": ["arn:aws:organizations::111111111111:ou/o-a1b2c3d4e5/ou-ab12-cdef3456"],
    }  # fmt: skip

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The image when it is given by its id, and the snapshots of the region."""
        image = image_arn(params, "ImageName", target.region, partition)
        snapshots = snapshot_arn(target.region, partition)
        return {
            "ec2:ModifyImageAttribute": (image,), "ec2:ModifySnapshotAttribute": (snapshots,),
            "ec2:CreateTags": (image, snapshots),
        }  # fmt: skip

    def start(self, ctx: Context) -> Step:
        """What is missing is written down before it is added: undo takes back that and nothing else."""
        ec2 = ctx.client("ec2")
        image = the_image(ec2, ctx.params.image_name, ctx.where)
        accounts = ctx.params.accounts_but(ctx.target.account)
        launch = launch_permissions(accounts, ctx.params.organization_arns, ctx.params.organizational_unit_arns)
        missing = missing_sharing(ec2, image, launch, accounts)
        untagged = any(image.tags.get(key) != value for key, value in ctx.params.tags.items())
        if missing.nothing and not untagged:
            return Done(outputs=_outputs(ctx, image.id), changed=False, message="shared already")
        return Again(0, {"added": missing.as_scratch(), "tag": _resources(image) if untagged else []})

    def check(self, ctx: Context) -> Step:
        """Add it."""
        ec2 = ctx.client("ec2")
        missing = Sharing.from_scratch(ctx.scratch["added"])
        share(ec2, missing)
        put_tags(ec2, ctx.scratch["tag"], ctx.params.tags)
        return Done(outputs=_outputs(ctx, missing.image), message=f"shared with {len(missing.launch)} more")

    def undo(self, ctx: Context) -> Step:
        """Take back what this action added. Tags stay."""
        added = Sharing.from_scratch(ctx.scratch["added"])
        if added.nothing:
            return Done(changed=False, message="it was shared before")
        revoke(ctx.client("ec2"), added)
        return Done()


def _resources(image: Image) -> list[str]:
    return [image.id, *image.snapshots]


def _outputs(ctx: Context, image: str) -> dict[str, Any]:
    params = ctx.params
    accounts = params.accounts_but(ctx.target.account)
    return {"ImageId": image, "SharedWith": [*accounts, *params.organization_arns, *params.organizational_unit_arns]}
