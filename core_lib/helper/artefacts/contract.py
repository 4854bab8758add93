"""What every artefact store does, and which keys are allowed in all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from core_lib.framework.errors import ArtefactError

LONGEST_KEY = 900
_LONGEST_SEGMENT = 200


class ArtefactStore(Protocol):
    """Objects by key. Keys are `/`-separated and relative; a put is atomic: readers see the old or the new body, never a part."""

    @property
    def location(self) -> str:
        """Where the store is, as it would be written in the settings."""
        ...

    def ensure(self) -> None:
        """Create the bucket or folder if it is not there, private and encrypted. Does no harm when it is."""
        ...

    def put(self, key: str, body: bytes, *, content_type: str | None = None, if_absent: bool = False) -> bool:
        """Write an object. With `if_absent` an object that is already there stays as it is.

        Returns:
            Whether this call wrote it (False only with `if_absent`).

        Raises:
            ArtefactError: the key is not allowed, or the store says no.
        """
        ...

    def get(self, key: str) -> bytes:
        """The body of an object.

        Raises:
            ArtefactError: there is none, or the store says no.
        """
        ...

    def exists(self, key: str) -> bool:
        """Whether there is an object of that key."""
        ...

    def list(self, prefix: str = "") -> Iterator[str]:
        """Keys that begin with this text, in byte order. Any prefix is allowed, also one that ends within a segment."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        ...

    def url(self, key: str, *, seconds: int = 3600) -> str:
        """An address from which the object can be read: presigned for so long, or `file://`."""
        ...

    def share(self, folder: str, account: str) -> bool:
        """Let an account read what lies below a folder of the store, and write context files there; whether that was new.

        Raises:
            ArtefactError: the store says no.
        """
        ...


def check_key(key: str) -> str:
    """The key itself, when it is allowed.

    Raises:
        ArtefactError: empty, absolute, with `.` or `..` or empty segments, backslashes, control characters, or too long.
    """
    reason = _objection(key)
    if reason:
        raise ArtefactError(
            f"{key[:120]!r} is not an artefact key: {reason}", hint="use a relative path such as files/net/vpc.yaml"
        )
    return key


def _objection(key: str) -> str | None:
    if not key:
        return "it is empty"
    if len(key.encode("utf-8", "replace")) > LONGEST_KEY:
        return f"it is longer than {LONGEST_KEY} bytes"
    if "\\" in key or not key.isprintable():
        return "it has a backslash or a character that cannot be printed"
    if len(key) > 1 and key[1] == ":":
        return "it begins like a drive letter"
    for segment in key.split("/"):
        if segment in ("", ".", ".."):
            return f"it has the segment {segment!r}"
        if len(segment.encode()) > _LONGEST_SEGMENT:
            return f"a segment is longer than {_LONGEST_SEGMENT} bytes"
        if segment.startswith(".tmp-"):
            return "names that begin with .tmp- are the store's own"
    return None


def missing(key: str, location: str) -> ArtefactError:
    """The error for an object that is not there."""
    return ArtefactError(f"there is no artefact {key!r}", where=location, hint="check the key, and that the upload ended well")
