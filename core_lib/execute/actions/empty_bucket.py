"""AWS::EmptyBucket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError
from pydantic import AliasChoices, Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.buckets.emptying import Bucket
from core_lib.execute.buckets.progress import Progress
from core_lib.execute.fields import name_in_arn
from core_lib.execute.refusals import code_of
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import Cause, Message, Target

PAGES_PER_STEP = 5
MOST_REFUSED = 1000
"""So many keys may be refused before nothing more is tried: then it is a matter of permissions, not of single keys."""
MOST_PASSES = 20


class EmptyBucketParams(Message):
    """Which bucket, and how much of it."""

    bucket_name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="Name of a bucket of the target's account",
        validation_alias=AliasChoices("BucketName", "Bucket", "bucket"), serialization_alias="BucketName",
    )  # fmt: skip
    prefix: str = Field(default="", max_length=1024, description="Only keys that begin so; default: everything")
    bypass_governance_retention: bool = Field(
        default=False, description="Delete also what object lock retains in governance mode (needs a permission of its own)"
    )


Context = ActionContext[EmptyBucketParams]


class EmptyBucket(Action[EmptyBucketParams]):
    """Empties a bucket: all versions, all delete markers, all unfinished uploads, however many there are."""

    kind = "AWS::EmptyBucket"
    purpose = "Deletes all object versions, delete markers and unfinished uploads of a bucket; a missing bucket is fine."
    permissions = (
        "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:DeleteObject", "s3:DeleteObjectVersion",
        "s3:AbortMultipartUpload", "s3:BypassGovernanceRetention",
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html"
    Params = EmptyBucketParams
    outputs: ClassVar[Mapping[str, str]] = {
        "Deleted": "Number of object versions and delete markers deleted",
        "UploadsAborted": "Number of unfinished uploads aborted",
    }  # fmt: skip
    example: ClassVar[Mapping[str, Any]] = {"BucketName": "acme-shop-assets", "Prefix": "releases/"}

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The bucket for listing, the keys below the prefix for deleting."""
        _ = target
        bucket = f"arn:{partition}:s3:::{name_in_arn(params, 'BucketName')}"
        prefix = name_in_arn(params, "Prefix") if params.get("Prefix") else ""
        keys = f"{bucket}/{prefix.rstrip('*')}*"
        listing = ("s3:ListBucketVersions", "s3:ListBucketMultipartUploads")
        return {permission: (bucket if permission in listing else keys,) for permission in cls.permissions}

    def start(self, ctx: Context) -> Step:
        """The first pages."""
        return self._go_on(ctx, Progress())

    def check(self, ctx: Context) -> Step:
        """The next pages."""
        return self._go_on(ctx, Progress(**ctx.scratch))

    def cancel(self, ctx: Context) -> Step:
        """Stop between two pages. What is deleted stays deleted."""
        return Done(message=f"stopped: {Progress(**ctx.scratch)}")

    def _go_on(self, ctx: Context, progress: Progress) -> Step:
        params = ctx.params
        bucket = Bucket(
            ctx.client("s3"), params.bucket_name, ctx.target.account, params.prefix, params.bypass_governance_retention
        )
        try:
            ended = _pages(bucket, progress)
        except ClientError as error:
            if code_of(error) == "NoSuchBucket":
                return Done(outputs=_outputs(progress), changed=progress.changed, message="there is no such bucket")
            raise
        if progress.refused and (ended or progress.refused >= MOST_REFUSED):
            return _refused(progress)
        if not ended:
            return Again(0, progress.as_scratch(), str(progress))
        if progress.found == 0:
            return Done(outputs=_outputs(progress), changed=progress.changed, message=str(progress))
        if progress.passes >= MOST_PASSES:
            return Failed(f"the bucket does not become empty: {progress}", cause=Cause.TRANSIENT, hint="see who writes to it")
        pause = 5.0 if progress.left else 0.0
        progress.next_pass()
        return Again(pause, progress.as_scratch(), str(progress))


def _pages(bucket: Bucket, progress: Progress) -> bool:
    """Work on a few pages; True at the end of a pass."""
    for _ in range(PAGES_PER_STEP):
        if progress.refused >= MOST_REFUSED:
            return False
        if progress.stage == "versions":
            if bucket.delete_page(progress):
                progress.next_stage()
        elif bucket.abort_page(progress):
            return True
    return False


def _refused(progress: Progress) -> Failed:
    examples = "; ".join(progress.examples)
    locked = any("lock" in example.lower() or "retention" in example.lower() for example in progress.examples)
    hint = (
        "object lock retains them: wait for the end of their retention, lift legal holds, or, in governance mode, set "
        "BypassGovernanceRetention: true"
        if locked
        else "grant the deploy role s3:DeleteObjectVersion there, and check bucket policy, object lock and SCPs"
    )
    return Failed(f"S3 refuses to delete {progress.refused} object versions, e.g. {examples}; {progress}", hint=hint)


def _outputs(progress: Progress) -> dict[str, int]:
    return {"Deleted": progress.deleted, "UploadsAborted": progress.aborted}
