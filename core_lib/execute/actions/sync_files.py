"""AWS::SyncFiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any, ClassVar

from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.buckets.copies import LARGEST, Headers, Pair, Place, copy_over, is_same, side_by_side
from core_lib.execute.fields import AccountId, Texts, name_in_arn
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import Message, Target

KEYS_PER_STEP = 100
MOST_EXAMPLES = 5
_BUCKET = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"


class SyncFilesParams(Message):
    """From where, to where, and what browsers are told about the files."""

    source_bucket: str = Field(pattern=_BUCKET, description="Bucket with the files, e.g. the fact FilesBucketName")
    source_prefix: str = Field(default="", max_length=1024, description="Only keys that begin so; their rest is the file's path")
    source_region: str | None = Field(default=None, description="Region of that bucket; default: the target's")
    source_account: AccountId | None = Field(default=None, description="Account that must own that bucket; default: any")
    bucket_name: str = Field(pattern=_BUCKET, description="Bucket of the target's account that gets the files")
    prefix: str = Field(default="", max_length=1024, description="What comes before each path there")
    delete: bool = Field(default=False, description="Delete below the prefix what the source does not have")
    exclude: Texts = Field(default=(), description="Paths that are left alone on both sides, as patterns such as `*.map`")
    cache_control: dict[str, str] = Field(
        default_factory=dict, description="Cache-Control by pattern of the path; the first that matches counts"
    )
    content_types: dict[str, str] = Field(default_factory=dict, description="Content types by suffix, over the usual ones")
    allow_empty: bool = Field(default=False, description="A source without any file is fine")


Context = ActionContext[SyncFilesParams]


@dataclass
class Way:
    """How far it has come: the pass (copy, then delete), the last path it has seen, and what it did."""

    stage: str = "copy"
    after: str = ""
    files: int = 0
    copied: int = 0
    deleted: int = 0
    too_large: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        gone = f", {self.deleted} deleted" if self.deleted else ""
        return f"{self.copied} of {self.files} files copied{gone}"


class SyncFiles(Action[SyncFilesParams]):
    """Makes the files below a prefix of a bucket the same as those below another: first all copies, then all deletions."""

    kind = "AWS::SyncFiles"
    purpose = "Copies files from one bucket to another with their content types, only what differs, and deletes what is gone."
    permissions = ("s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "kms:Decrypt", "kms:GenerateDataKey")
    source = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"
    Params = SyncFilesParams
    outputs: ClassVar[Mapping[str, str]] = {
        "Files": "Number of files of the source",
        "Copied": "Number of files that were new or different",
        "Deleted": "Number of files deleted",
    }
    example: ClassVar[Mapping[str, Any]] = {
        "SourceBucket": "acme-files",
        "SourcePrefix": "files/shop/web/main/7/site/",
        "BucketName": "{{ outputs.site.ContentBucketName }}",
        "Delete": True,
        "CacheControl": {"*.html": "no-cache", "*": "public, max-age=86400"},
    }

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """Reading from both buckets, writing to one; which keys encrypt them, S3 alone knows."""
        _ = target
        source, copy = (f"arn:{partition}:s3:::{name_in_arn(params, name)}" for name in ("SourceBucket", "BucketName"))
        taken = f"{source}/{_keys_below(params, 'SourcePrefix')}"
        written = f"{copy}/{_keys_below(params, 'Prefix')}"
        deleting = params.get("Delete") not in (None, False)
        return {
            "s3:ListBucket": (source, copy),
            "s3:GetObject": (taken, written),
            "s3:PutObject": (written,),
            "s3:DeleteObject": (written,) if deleting else (),
        }

    def start(self, ctx: Context) -> Step:
        """The first portion."""
        return self._go_on(ctx, Way())

    def check(self, ctx: Context) -> Step:
        """The next portion."""
        return self._go_on(ctx, Way(**ctx.scratch))

    def cancel(self, ctx: Context) -> Step:
        """Stop between two portions. What is copied stays."""
        return Done(message=f"stopped: {Way(**ctx.scratch)}")

    def _go_on(self, ctx: Context, way: Way) -> Step:
        source, copy = _places(ctx)
        pairs, goes_on = side_by_side(source, copy, way.after, KEYS_PER_STEP)
        wanted = [pair for pair in pairs if _concerns(pair.key, ctx.params)]
        if way.stage == "copy":
            _copy(ctx.params, source, copy, wanted, way)
        else:
            _delete(copy, wanted, way)
        if goes_on:
            way.after = pairs[-1].key
            return Again(0, asdict(way), str(way))
        return _refused(ctx.params, way) or _ended(ctx.params, way)


def _refused(params: SyncFilesParams, way: Way) -> Failed | None:
    """What is wrong with the source, before anything is deleted because of it."""
    if way.too_large:
        large = ", ".join(way.too_large)
        return Failed(f"S3 copies at most 5 GiB in one call; too large: {large}", hint="copy such files by other means")
    if not (way.files or params.allow_empty):
        where = f"s3://{params.source_bucket}/{params.source_prefix}"
        return Failed(f"there are no files at {where}", hint="are they in the package? AllowEmpty: true accepts none")
    return None


def _ended(params: SyncFilesParams, way: Way) -> Step:
    """The end of a pass."""
    if way.stage == "copy" and params.delete:
        return Again(0, asdict(Way("delete", files=way.files, copied=way.copied)), str(way))
    return Done(
        outputs={"Files": way.files, "Copied": way.copied, "Deleted": way.deleted},
        changed=bool(way.copied or way.deleted),
        message=str(way),
    )


def _concerns(path: str, params: SyncFilesParams) -> bool:
    """Whether a path is a file (not the mark of a folder) that is not excluded."""
    return not (path == "" or path.endswith("/") or any(fnmatchcase(path, pattern) for pattern in params.exclude))


def _places(ctx: Context) -> tuple[Place, Place]:
    params = ctx.params
    source = Place(
        ctx.client("s3", region=params.source_region), params.source_bucket, params.source_prefix, params.source_account
    )
    return source, Place(ctx.client("s3"), params.bucket_name, params.prefix, ctx.target.account)


def _copy(params: SyncFilesParams, source: Place, copy: Place, pairs: list[Pair], way: Way) -> None:
    headers = Headers(params.content_types, params.cache_control)
    for pair in pairs:
        if pair.source is None:
            continue
        way.files += 1
        told = headers.of(pair.key)
        if pair.source.size > LARGEST:
            way.too_large = [*way.too_large, pair.key][:MOST_EXAMPLES]
        elif not is_same(source, copy, pair, told):
            copy_over(source, copy, pair.key, told)
            way.copied += 1


def _delete(copy: Place, pairs: list[Pair], way: Way) -> None:
    for pair in pairs:
        if pair.source is None and pair.copy is not None:
            copy.s3.delete_object(**copy.address, Key=f"{copy.prefix}{pair.key}")
            way.deleted += 1


def _keys_below(params: Mapping[str, Any], name: str) -> str:
    prefix = name_in_arn(params, name) if params.get(name) else ""
    return f"{prefix.rstrip('*')}*"
