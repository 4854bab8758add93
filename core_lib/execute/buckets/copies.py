"""Objects below a prefix, compared with and copied to those below another one, a portion at a time.

Both listings are in the order of their keys, so they are walked side by side and never held as a whole.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (order, StartAfter) and API_CopyObject.html (5 GB).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from mimetypes import MimeTypes
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from core_lib.execute.refusals import code_of

LARGEST = 5 * 1024**3
"""Bytes of an object that S3 copies in one call."""
_CHECKSUMS = ("ChecksumCRC64NVME", "ChecksumSHA256", "ChecksumSHA1", "ChecksumCRC32C", "ChecksumCRC32")
_GUESSES = MimeTypes()
_UNKNOWN = "application/octet-stream"
_MORE_TYPES: Mapping[str, str] = {
    ".avif": "image/avif", ".js": "text/javascript", ".map": "application/json", ".md": "text/markdown",
    ".mjs": "text/javascript", ".wasm": "application/wasm", ".webmanifest": "application/manifest+json",
    ".webp": "image/webp", ".woff": "font/woff", ".woff2": "font/woff2", ".yaml": "application/yaml",
    ".yml": "application/yaml",
}  # fmt: skip
_TEXTS = ("application/json", "application/manifest+json", "application/xml", "application/yaml", "image/svg+xml")


class Item(NamedTuple):
    """One object of a listing; its key without the prefix."""

    key: str
    size: int
    etag: str


class Pair(NamedTuple):
    """The same key on both sides."""

    key: str
    source: Item | None
    copy: Item | None


@dataclass(frozen=True)
class Place:
    """The part of a bucket below a prefix. `owner`: the account that must own it, where that is known."""

    s3: Any
    bucket: str
    prefix: str
    owner: str | None = None

    @property
    def address(self) -> dict[str, str]:
        """The bucket, in every call."""
        return {"Bucket": self.bucket} | ({"ExpectedBucketOwner": self.owner} if self.owner else {})

    def page(self, after: str, most: int) -> tuple[list[Item], bool]:
        """The next objects behind a key, and whether there are more."""
        start = {"StartAfter": f"{self.prefix}{after}"} if after else {}
        answer = self.s3.list_objects_v2(**self.address, Prefix=self.prefix, MaxKeys=most, **start)
        found = [
            Item(each["Key"].removeprefix(self.prefix), int(each["Size"]), str(each.get("ETag", "")))
            for each in answer.get("Contents", ())
        ]
        return found, bool(answer.get("IsTruncated"))

    def head(self, key: str) -> Mapping[str, Any]:
        """What S3 knows of an object; {} when it is gone."""
        try:
            answer: Mapping[str, Any] = self.s3.head_object(**self.address, Key=f"{self.prefix}{key}", ChecksumMode="ENABLED")
        except ClientError as error:
            if code_of(error) in ("404", "NoSuchKey", "NotFound"):
                return {}
            raise
        return answer


@dataclass(frozen=True)
class Headers:
    """What browsers are told about files: content types by suffix over the usual ones; caching by pattern, first match."""

    content_types: Mapping[str, str]
    cache_control: Mapping[str, str]

    def of(self, key: str) -> dict[str, str]:
        """The headers of one file."""
        cached = next((value for pattern, value in self.cache_control.items() if fnmatchcase(key, pattern)), None)
        return {"ContentType": self._content_type(key)} | ({"CacheControl": cached} if cached else {})

    def _content_type(self, key: str) -> str:
        suffix = PurePosixPath(key).suffix.lower()
        if suffix in self.content_types:
            return self.content_types[suffix]
        found = _MORE_TYPES.get(suffix) or _GUESSES.types_map[True].get(suffix, _UNKNOWN)
        return f"{found}; charset=utf-8" if found.startswith("text/") or found in _TEXTS else found


def side_by_side(source: Place, copy: Place, after: str, most: int) -> tuple[list[Pair], bool]:
    """The next keys of both places in order, and whether there are more."""
    ours, ours_go_on = source.page(after, most)
    theirs, theirs_go_on = copy.page(after, most)
    ends = [page[-1].key for page, goes_on in ((ours, ours_go_on), (theirs, theirs_go_on)) if goes_on and page]
    bound = min(ends, key=_order) if ends else None
    return list(_paired(ours, theirs, bound)), bound is not None


def _paired(ours: Sequence[Item], theirs: Sequence[Item], bound: str | None) -> Iterator[Pair]:
    """Keys up to the bound: behind it, one of the two pages tells nothing."""
    left, right = ({item.key: item for item in items} for items in (ours, theirs))
    for key in sorted(left.keys() | right.keys(), key=_order):
        if bound is None or _order(key) <= _order(bound):
            yield Pair(key, left.get(key), right.get(key))


def _order(key: str) -> bytes:
    """S3 lists keys in the order of their UTF-8 bytes."""
    return key.encode()


def is_same(source: Place, copy: Place, pair: Pair, headers: Mapping[str, str]) -> bool:
    """Whether the copy has the content of the source and the headers that it should have."""
    if pair.source is None or pair.copy is None or pair.source.size != pair.copy.size:
        return False
    there = copy.head(pair.key)
    if any(there.get(name) != headers.get(name) for name in ("ContentType", "CacheControl")):
        return False
    return pair.source.etag == pair.copy.etag or _same_checksum(source.head(pair.key), there)


def _same_checksum(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Where objects are encrypted with KMS their ETags say nothing; S3 keeps a checksum of the content beside them."""
    common = next((name for name in _CHECKSUMS if one.get(name) and other.get(name)), None)
    return common is not None and one[common] == other[common]


def copy_over(source: Place, copy: Place, key: str, headers: Mapping[str, str]) -> None:
    """Copy one object inside S3, with these headers."""
    owner = {"ExpectedSourceBucketOwner": source.owner} if source.owner else {}
    copy.s3.copy_object(
        **copy.address, Key=f"{copy.prefix}{key}", CopySource=f"{source.bucket}/{source.prefix}{key}",
        MetadataDirective="REPLACE", TaggingDirective="REPLACE", ChecksumAlgorithm="CRC64NVME", **owner, **headers,
    )  # fmt: skip
