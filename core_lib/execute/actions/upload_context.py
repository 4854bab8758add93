"""AWS::UploadContext."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from botocore.exceptions import ClientError
from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.context_files import WRITERS, gather
from core_lib.execute.fields import Texts, also_called, name_in_arn
from core_lib.execute.steps import Again, Done, Step
from core_lib.framework.models import Message, Target

OURS = "core-token"
"""Metadata of an object that names the action which wrote it."""


class UploadContextParams(Message):
    """Where to, and what of."""

    bucket_name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", validation_alias=also_called("bucket_name", "Bucket"), description="Bucket"
    )
    prefix: str = Field(default="", max_length=900, description="What the keys begin with; a slash is put behind it")
    outputs_of: Literal["target", "all"] = Field(
        default="target", description="Outputs of the actions before this one: of this target, or of all targets"
    )
    actions: Texts = Field(default=(), description="Only outputs of these actions, by name; default: of all")
    formats: tuple[Literal["yaml", "json", "sh"], ...] = Field(
        default=("yaml", "json", "sh"), min_length=1, description="Which of context.yaml, context.json and context.sh are written"
    )
    kms_key_id: str | None = Field(default=None, description="KMS key of the objects; default: encrypted with S3's own key")
    expected_bucket_owner: str | None = Field(
        default=None, pattern=r"^\d{12}$", description="Account the bucket must belong to; default: that of the target"
    )


Context = ActionContext[UploadContextParams]


class UploadContext(Action[UploadContextParams]):
    """Leaves what a deployment knows where instances and builds read it. It depends on the actions whose outputs it needs."""

    kind = "AWS::UploadContext"
    purpose = "Writes the outputs of the run's succeeded actions to S3 as context.yaml, context.json and context.sh, encrypted."
    permissions = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "kms:GenerateDataKey", "kms:Decrypt")
    source = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html"
    Params = UploadContextParams
    outputs: ClassVar[Mapping[str, str]] = {"Keys": "keys of the objects", "Bucket": "the bucket"}
    example: ClassVar[Mapping[str, Any]] = {"BucketName": "acme-context", "Prefix": "web/shop/main/7"}

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The objects below the prefix."""
        bucket = f"arn:{partition}:s3:::{name_in_arn(params, 'BucketName')}"
        prefix = str(params.get("Prefix", "")).strip("/")
        key = str(params.get("KmsKeyId") or "")
        arn = key if key.startswith("arn:") else f"arn:{partition}:kms:{target.region}:{target.account}:key/*"
        return {
            "s3:*": (f"{bucket}/{prefix}/context.*" if prefix else f"{bucket}/context.*",),
            "s3:ListBucket": (bucket,),
            "kms:*": (arn,) if key else (),
        }

    def start(self, ctx: Context) -> Step:
        """Which objects have to change, and what was in them: kept as artefacts of the run, so that undo can put it back."""
        s3 = ctx.client("s3")
        earlier: dict[str, str | None] = {}
        for key, body in self._objects(ctx):
            found = self._read(ctx, s3, key)
            if found is None or found[0] != body:
                earlier[key] = ctx.run.keep(f"context/{_name(key)}", found[0]) if found else None
        keys = [key for key, _ in self._objects(ctx)]
        if not earlier and not ctx.force:
            return Done(outputs={"Keys": keys, "Bucket": ctx.params.bucket_name}, changed=False, message="unchanged")
        return Again(after=0, scratch={"earlier": earlier})

    def check(self, ctx: Context) -> Step:
        """Write them."""
        s3 = ctx.client("s3")
        earlier: Mapping[str, str | None] = ctx.scratch["earlier"]
        objects = dict(self._objects(ctx))
        for key in earlier:
            s3.put_object(Key=key, Body=objects[key], **self._writing(ctx))
        return Done(outputs={"Keys": list(objects), "Bucket": ctx.params.bucket_name})

    def undo(self, ctx: Context) -> Step:
        """Put back what was there, or delete what was not; what somebody else has written since stays."""
        s3 = ctx.client("s3")
        changed = False
        for key, kept in ctx.scratch.get("earlier", {}).items():
            found = self._read(ctx, s3, key)
            if found is None or found[1] != ctx.token("context"):
                continue
            changed = True
            if kept is None:
                s3.delete_object(Bucket=ctx.params.bucket_name, Key=key, ExpectedBucketOwner=self._owner(ctx))
            else:
                s3.put_object(Key=key, Body=ctx.run.fetch(kept), **self._writing(ctx))
        return Done(changed=changed, message=None if changed else "nothing is left of what this action wrote")

    def _objects(self, ctx: Context) -> Iterator[tuple[str, bytes]]:
        target = ctx.target.key if ctx.params.outputs_of == "target" else None
        outputs = gather(ctx.run.states(target), by_target=target is None, only=ctx.params.actions)
        prefix = ctx.params.prefix.strip("/")
        for name in ctx.params.formats:
            yield f"{prefix}/context.{name}" if prefix else f"context.{name}", WRITERS[name](outputs).encode()

    def _read(self, ctx: Context, s3: Any, key: str) -> tuple[bytes, str | None] | None:
        """Body of an object, and whose it is."""
        try:
            found = s3.get_object(Bucket=ctx.params.bucket_name, Key=key, ExpectedBucketOwner=self._owner(ctx))
        except ClientError as error:
            if error.response["Error"]["Code"] in self._not_there(ctx):
                return None
            raise
        return found["Body"].read(), found["Metadata"].get(OURS)

    @staticmethod
    def _not_there(ctx: Context) -> tuple[str, ...]:
        """What S3 answers for an object that is not there: to whoever may not list another account's bucket, a refusal."""
        elsewhere = ctx.params.expected_bucket_owner not in (None, ctx.target.account)
        return ("NoSuchKey", "404", "AccessDenied", "403") if elsewhere else ("NoSuchKey", "404")

    def _writing(self, ctx: Context) -> dict[str, Any]:
        params = ctx.params
        encryption = {"ServerSideEncryption": "AES256"}
        if params.kms_key_id:
            encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": params.kms_key_id}
        return {
            "Bucket": params.bucket_name, "ExpectedBucketOwner": self._owner(ctx), "Metadata": {OURS: ctx.token("context")},
            **encryption,
        }  # fmt: skip

    @staticmethod
    def _owner(ctx: Context) -> str:
        return ctx.params.expected_bucket_owner or ctx.target.account


def _name(key: str) -> str:
    """Name of the artefact with the earlier content of an object."""
    return f"{hashlib.sha256(key.encode()).hexdigest()[:16]}-{key.rpartition('/')[2]}"
