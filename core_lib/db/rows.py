"""How documents and times are written into items."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core_lib.framework.errors import InputError

COMPRESS_ABOVE = 100_000
LARGEST_DOCUMENT = 390_000
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


def document_value(text: str, *, where: str) -> dict[str, Any]:
    """A JSON text as an attribute value: a string, or compressed binary above 100 KB.

    Raises:
        InputError: too large for one item even when compressed (DynamoDB takes 400 KB).
    """
    raw = text.encode()
    if len(raw) <= COMPRESS_ABOVE:
        return {"S": text}
    packed = zlib.compress(raw)
    if len(packed) > LARGEST_DOCUMENT:
        raise InputError(
            f"{len(raw):,} bytes ({len(packed):,} compressed) do not fit into one item of the CMDB",
            where=where,
            hint=f"at most {LARGEST_DOCUMENT:,} bytes compressed; put large outputs into the artefact store and record their key",
        )
    return {"B": packed}


def document_text(value: Mapping[str, Any]) -> str | bytes:
    """The JSON text of an attribute value made by `document_value`."""
    return zlib.decompress(value["B"]) if "B" in value else str(value["S"])


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)


def time_text(moment: datetime) -> str:
    """A time as text that sorts by time: UTC, microseconds, always the same length."""
    return moment.astimezone(UTC).strftime(_TIME)


def read_time(text: str | None) -> datetime | None:
    """The time in a text made by `time_text`; None stays None."""
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC) if text else None
