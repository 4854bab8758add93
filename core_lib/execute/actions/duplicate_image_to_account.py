"""AWS::DuplicateImageToAccount."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import AliasChoices, Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import AccountIds, Tags
from core_lib.execute.images.duplicate import Duplicate, Original, advance
from core_lib.execute.images.live import NAME, Image, image_by_id, the_image
from core_lib.execute.images.marks import maker
from core_lib.execute.images.removal import REMOVING, plan_removal, remove_some
from core_lib.execute.images.scopes import image_arn, key_scope, snapshot_arn
from core_lib.execute.images.sharing import Sharing, missing_sharing, revoke, share
from core_lib.execute.images.siblings import GoesToAccounts
from core_lib.execute.refusals import code_of
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.errors import CoreError
from core_lib.framework.models import Cause, Target
from core_lib.helper import classify, error_info

ACCOUNTS_PER_STEP = 5
MOST_SLIPS = 5
"""How often in a row an account may be throttled or unreachable, before it counts as failed."""

_BUSY = "ResourceLimitExceeded"
"""Twenty snapshots at a time may be copied into an account and region; more have to wait."""


class DuplicateImageToAccountParams(GoesToAccounts):
    """Which image, and the accounts that get one of their own."""

    accounts_to_share: AccountIds = Field(
        min_length=1, description="Accounts that get a duplicate; the image's own account is left out",
        validation_alias=AliasChoices("AccountsToShare", "Accounts", "accounts"), serialization_alias="AccountsToShare",
    )  # fmt: skip
    kms_key_arn: str | None = Field(
        default=None, min_length=1,
        description="KMS key of the duplicates: an alias in each account, or the ARN of a key that all may use; default: the "
        "account's key for EBS",
        validation_alias=AliasChoices("KmsKeyArn", "KmsKeyId", "kms_key_id"), serialization_alias="KmsKeyArn",
    )  # fmt: skip
    destination_image_name: str | None = Field(
        default=None, pattern=NAME, description="Name of the duplicates; default: that of the image"
    )
    tags: Tags = Field(default_factory=dict, description="Tags of the duplicates and of their snapshots")


Context = ActionContext[DuplicateImageToAccountParams]


class DuplicateImageToAccount(Action[DuplicateImageToAccountParams]):
    """Gives other accounts an encrypted image of their own, which does not depend on the first one any more."""

    kind = "AWS::DuplicateImageToAccount"
    purpose = "Copies an image with all its snapshots into other accounts, encrypted there, and registers it there."
    permissions = (
        "ec2:DescribeImages", "ec2:DescribeImageAttribute", "ec2:DescribeSnapshots", "ec2:DescribeSnapshotAttribute",
        "ec2:ModifySnapshotAttribute", "ec2:CopySnapshot", "ec2:RegisterImage", "ec2:CreateTags", "ec2:DeregisterImage",
        "ec2:DeleteSnapshot", "kms:DescribeKey", "kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom", "kms:ReEncryptTo",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopySnapshot.html"
    Params = DuplicateImageToAccountParams
    outputs: ClassVar[Mapping[str, str]] = {"ImageIds": "Id of the duplicate by account", "SourceImageId": "Id of the image"}
    example: ClassVar[Mapping[str, Any]] = {
        "ImageName": "shop-web-7-encrypted", "AccountsToShare": ["222222222222", "333333333333"], "KmsKeyArn": "alias/images",
        "Tags": {"App": "shop"},
    }  # fmt: skip

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """Images and snapshots of the region; the same holds in every account that gets a duplicate."""
        image, snapshot = image_arn({}, "", target.region, partition), snapshot_arn(target.region, partition)
        return {
            "ec2:ModifySnapshotAttribute": (snapshot,), "ec2:CopySnapshot": (snapshot,), "ec2:DeleteSnapshot": (snapshot,),
            "ec2:RegisterImage": (image, snapshot), "ec2:DeregisterImage": (image,), "ec2:CreateTags": (image, snapshot),
            **key_scope(params, "KmsKeyArn"),
        }  # fmt: skip

    @classmethod
    def other_accounts(cls, params: Mapping[str, Any]) -> tuple[str, ...]:
        """Every account that gets a duplicate."""
        given = params.get("AccountsToShare") or ()
        return tuple(str(account) for account in ((given,) if isinstance(given, str) else given))

    def start(self, ctx: Context) -> Step:
        """What has to be shared is written down before it is."""
        ec2 = ctx.client("ec2")
        image = the_image(ec2, ctx.params.image_name, ctx.where)
        if "windows" in f"{image.details.get('Platform', '')} {image.details.get('PlatformDetails', '')}".lower():
            hint = "share it (AWS::ShareImage) and copy it there (AWS::CopyImage)"
            return Failed(f"{image.id} is a Windows image; EC2 registers none from snapshots", hint=hint)
        accounts = ctx.params.accounts_but(ctx.target.account)
        missing = missing_sharing(ec2, image, (), accounts)
        return Again(0, {"image": image.id, "shared": missing.as_scratch(), "sharing": True, "queue": accounts, "accounts": {}})

    def check(self, ctx: Context) -> Step:
        """Some accounts one stage further."""
        if ctx.scratch["sharing"]:
            share(ctx.client("ec2"), Sharing.from_scratch(ctx.scratch["shared"]))
            return Again(0, {**ctx.scratch, "sharing": False}, "the snapshots are shared")
        duplicates = _duplicates(ctx)
        queue: list[str] = list(ctx.scratch["queue"])
        if not queue:
            return _ended(ctx, duplicates)
        image = image_by_id(ctx.client("ec2"), ctx.scratch["image"])
        if image is None:
            return Failed(f"the image {ctx.scratch['image']} has vanished", hint="see who deletes it, then run again")
        now, later = queue[:ACCOUNTS_PER_STEP], queue[ACCOUNTS_PER_STEP:]
        before = {account: replace(duplicates[account]) for account in now}
        for account in now:
            _advance(ctx, account, _original(ctx, image), duplicates[account])
        moved = any(duplicates[account].stage != before[account].stage for account in now)
        queue = later + [account for account in now if not duplicates[account].ended]
        kept = {account: each.as_scratch() for account, each in duplicates.items()}
        return Again(0 if moved else None, {**ctx.scratch, "queue": queue, "accounts": kept}, _standing(duplicates))

    def cancel(self, ctx: Context) -> Step:
        """Begin nothing more. What was begun stays, and a later try uses it."""
        return Done(message=f"stopped: {_standing(_duplicates(ctx))}; snapshots that are being copied are used by the next try")

    def undo(self, ctx: Context) -> Step:
        """Take away the duplicates that this action made, one account after the other, and the sharing that it added."""
        scratch = dict(ctx.scratch)
        duplicates = _duplicates(ctx)
        if "undo" not in scratch:
            made = [account for account, each in duplicates.items() if each.made]
            return Again(0, {**scratch, "undo": made})
        if not scratch["undo"]:
            revoke(ctx.client("ec2"), Sharing.from_scratch(scratch["shared"]))
            return Done(changed=any(each.made for each in duplicates.values()), message="there were duplicates before")
        account = scratch["undo"][0]
        ec2 = ctx.client("ec2", account=account)
        if REMOVING not in scratch:
            image = image_by_id(ec2, duplicates[account].image)
            return plan_removal(scratch, [image] if image else [], duplicates[account].copies.values())
        step = remove_some(ec2, scratch)
        if isinstance(step, Done):
            del scratch[REMOVING]
            return Again(0, {**scratch, "undo": scratch["undo"][1:]})
        return step


def _duplicates(ctx: Context) -> dict[str, Duplicate]:
    known = ctx.scratch["accounts"]
    return {account: Duplicate(**known.get(account, {})) for account in ctx.params.accounts_but(ctx.target.account)}


def _original(ctx: Context, image: Image) -> Original:
    params = ctx.params
    name = params.destination_image_name or image.name
    return Original(image, ctx.target.region, name, params.kms_key_arn, params.tags, maker(ctx))


def _advance(ctx: Context, account: str, original: Original, duplicate: Duplicate) -> None:
    """One account's troubles are its own: they are kept with it, and the others go on."""
    try:
        advance(ctx.client("ec2", account=account), original, duplicate)
    except (ClientError, BotoCoreError, CoreError) as error:
        if isinstance(error, ClientError) and code_of(error) == _BUSY:
            return
        passing = classify(error) is not Cause.PERMANENT
        duplicate.slips += 1
        if not passing or duplicate.slips > MOST_SLIPS:
            duplicate.fail(error_info(error).message, passing=passing)
    else:
        duplicate.slips = 0


def _standing(duplicates: Mapping[str, Duplicate]) -> str:
    have = sum(each.stage == "done" for each in duplicates.values())
    return f"the image is in {have} of {len(duplicates)} accounts"


def _ended(ctx: Context, duplicates: Mapping[str, Duplicate]) -> Step:
    failed = {account: each for account, each in duplicates.items() if each.stage == "failed"}
    have = {account: each.image for account, each in duplicates.items() if each.stage == "done"}
    if not failed:
        made = any(each.made for each in duplicates.values())
        return Done(
            outputs={"ImageIds": have, "SourceImageId": ctx.scratch["image"]}, changed=made, message=_standing(duplicates)
        )
    reasons = "; ".join(f"{account}: {each.reason}" for account, each in failed.items())
    listed = ", ".join(f"{account} ({image})" for account, image in have.items()) or "none"
    return Failed(
        f"{_standing(duplicates)}; not in {reasons}; in {listed}",
        cause=Cause.TRANSIENT if all(each.passing for each in failed.values()) else Cause.PERMANENT,
        hint="repair the cause and run again: only what is missing is made",
    )
