"""Artefacts in an S3 bucket."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from s3transfer.exceptions import S3UploadFailedError  # type: ignore[import-untyped]
from s3transfer.manager import TransferConfig, TransferManager  # type: ignore[import-untyped]

from core_lib.framework.errors import ArtefactError
from core_lib.helper.artefacts.contract import check_key, missing
from core_lib.helper.artefacts.sharing import share

_NOT_THERE = ("404", "NoSuchKey", "NotFound")
_TAKEN = ("PreconditionFailed", "412")
_RACING = ("ConditionalRequestConflict", "409")
_SMALLEST_PART = 5 * 1024 * 1024
_RACE_ATTEMPTS = 5
_NO_REGION_CONSTRAINT = "us-east-1"


class S3Store:
    """A store in a bucket, below an optional prefix. Objects are encrypted at rest, with S3's key or a KMS key."""

    def __init__(
        self,
        client: Callable[[], Any],
        bucket: str,
        prefix: str = "",
        *,
        region: str | None = None,
        kms_key: str | None = None,
        multipart_bytes: int = 32 * 1024 * 1024,
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._region = region
        self._kms_key = kms_key
        self._multipart_bytes = multipart_bytes

    @property
    def location(self) -> str:
        """`s3://bucket/prefix`."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def ensure(self) -> None:
        """See `ArtefactStore.ensure`; the bucket is versioned, private and encrypted by default."""
        with self._errors("the bucket"):
            client = self._client()
            self._create_bucket(client)
            client.put_public_access_block(
                Bucket=self._bucket,
                PublicAccessBlockConfiguration={
                    "BlockPublicAcls": True,
                    "IgnorePublicAcls": True,
                    "BlockPublicPolicy": True,
                    "RestrictPublicBuckets": True,
                },
            )
            rule = {"ApplyServerSideEncryptionByDefault": self._default_encryption(), "BucketKeyEnabled": bool(self._kms_key)}
            client.put_bucket_encryption(Bucket=self._bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
            client.put_bucket_versioning(Bucket=self._bucket, VersioningConfiguration={"Status": "Enabled"})

    def put(self, key: str, body: bytes, *, content_type: str | None = None, if_absent: bool = False) -> bool:
        """See `ArtefactStore.put`. Large objects go in parts; conditional ones in one request (S3 takes up to 5 GB)."""
        arguments = {**self._encryption(), "ContentType": content_type or "application/octet-stream"}
        name = self._name(key)
        with self._errors(key):
            if if_absent:
                return self._put_if_absent(name, body, arguments)
            if len(body) >= self._multipart_bytes:
                self._put_in_parts(name, body, arguments)
            else:
                self._client().put_object(Bucket=self._bucket, Key=name, Body=body, **arguments)
        return True

    def get(self, key: str) -> bytes:
        """See `ArtefactStore.get`."""
        with self._errors(key):
            answer = self._client().get_object(Bucket=self._bucket, Key=self._name(key))
            with answer["Body"] as stream:
                return bytes(stream.read())

    def exists(self, key: str) -> bool:
        """See `ArtefactStore.exists`."""
        name = self._name(key)
        with self._errors(key):
            try:
                self._client().head_object(Bucket=self._bucket, Key=name)
            except ClientError as error:
                if _code(error) in ("404", "NoSuchKey", "NotFound"):
                    return False
                raise
        return True

    def list(self, prefix: str = "") -> Iterator[str]:
        """See `ArtefactStore.list`; follows the pages."""
        with self._errors(prefix or "the bucket"):
            pages = self._client().get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix + prefix)
            for page in pages:
                for item in page.get("Contents", ()):
                    yield item["Key"][len(self._prefix) :]

    def delete(self, key: str) -> None:
        """See `ArtefactStore.delete`."""
        with self._errors(key):
            self._client().delete_object(Bucket=self._bucket, Key=self._name(key))

    def url(self, key: str, *, seconds: int = 3600) -> str:
        """See `ArtefactStore.url`; a presigned GET, valid no longer than the credentials that signed it."""
        if not self.exists(key):
            raise missing(key, self.location)
        arguments = {"Bucket": self._bucket, "Key": self._name(key)}
        with self._errors(key):
            return str(self._client().generate_presigned_url("get_object", Params=arguments, ExpiresIn=seconds))

    def share(self, folder: str, account: str) -> bool:
        """See `ArtefactStore.share`; by the bucket's policy."""
        client = self._client()
        with self._errors(folder):
            return share(client, self._bucket, self._name(folder), account, client.meta.partition)

    def _name(self, key: str) -> str:
        return self._prefix + check_key(key)

    def _encryption(self) -> dict[str, str]:
        if self._kms_key:
            return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._kms_key}
        return {"ServerSideEncryption": "AES256"}

    def _default_encryption(self) -> dict[str, str]:
        if self._kms_key:
            return {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": self._kms_key}
        return {"SSEAlgorithm": "AES256"}

    def _create_bucket(self, client: Any) -> None:
        region = self._region or client.meta.region_name
        arguments: dict[str, Any] = {"Bucket": self._bucket}
        if region != _NO_REGION_CONSTRAINT:
            arguments["CreateBucketConfiguration"] = {"LocationConstraint": region}
        try:
            client.create_bucket(**arguments)
        except ClientError as error:
            if _code(error) != "BucketAlreadyOwnedByYou":
                raise

    def _put_if_absent(self, name: str, body: bytes, arguments: dict[str, str]) -> bool:
        """A conditional write; S3 answers 409 while another one of the same key is under way, which is worth another try."""
        for attempt in range(1, _RACE_ATTEMPTS + 1):
            try:
                self._client().put_object(Bucket=self._bucket, Key=name, Body=body, IfNoneMatch="*", **arguments)
            except ClientError as error:
                if _code(error) in _TAKEN:
                    return False
                if _code(error) not in _RACING or attempt == _RACE_ATTEMPTS:
                    raise
            else:
                return True
        return False

    def _put_in_parts(self, name: str, body: bytes, arguments: dict[str, str]) -> None:
        config = TransferConfig(
            multipart_threshold=self._multipart_bytes,
            multipart_chunksize=max(_SMALLEST_PART, self._multipart_bytes // 4),
            max_request_concurrency=4,
        )
        with TransferManager(self._client(), config) as transfers:
            transfers.upload(io.BytesIO(body), self._bucket, name, extra_args=arguments).result()

    @contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if _code(error) in _NOT_THERE:
                raise missing(key, self.location) from error
            message = f"{key}: {_code(error)}: {error.response.get('Error', {}).get('Message', '')}"
            raise ArtefactError(message, where=self.location, hint=_hint(error)) from error
        except (BotoCoreError, S3UploadFailedError) as error:
            raise ArtefactError(f"{key}: {error}", where=self.location) from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _hint(error: ClientError) -> str | None:
    return {
        "NoSuchBucket": "create the bucket first (core up does), or correct artefacts.location",
        "AccessDenied": "grant the platform's role access to the bucket and its KMS key",
        "403": "grant the platform's role access to the bucket and its KMS key",
        "BucketAlreadyExists": "bucket names are global: choose another one in artefacts.location",
    }.get(_code(error))
