"""One name for the same failure in a hundred accounts: everything that only says *where* is taken out of the message."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from core_lib.framework.models import ErrorInfo

LONGEST_MESSAGE = 4_000

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\barn:aws[a-z-]*:([a-z0-9-]+):[^\s'\",)]*"), r"<arn:\1>"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<uuid>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b(?:af|ap|ca|cn|eu|il|me|mx|sa|us)(?:-gov|-iso[a-z]?)?-(?:[a-z]+)-\d[a-z]?\b"), "<region>"),
    (re.compile(r"\b([a-z]{1,12})-(?=[0-9a-f]*\d)[0-9a-f]{8,17}\b"), r"\1-<id>"),
    (re.compile(r"\b\d{12}\b"), "<account>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?\b"), "<ip>"),
    (re.compile(r"\b(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{12,}\b"), "<id>"),
    (re.compile(r"\b(?=[A-Z]*\d)[A-Z0-9]{12,}\b"), "<id>"),
    (re.compile(r"\b\d{4,}\b"), "<number>"),
)


def normalise(message: str, names: Iterable[str] = ()) -> str:
    """The message without ARNs, ids, account numbers, regions, times, addresses, and without these `names`.

    `names` are the words that differ from target to target (account names, stack names); longer ones are taken out first.
    """
    text = message[:LONGEST_MESSAGE]
    for name in sorted({name for name in names if name}, key=len, reverse=True):
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", "<name>", text)
    for pattern, word in _PATTERNS:
        text = pattern.sub(word, text)
    return " ".join(text.split())


def fingerprint(error: ErrorInfo, names: Iterable[str] = ()) -> str:
    """Twelve hex digits that failures of the same kind share: code, cause and normalised message."""
    body = "\n".join((error.code, error.cause, normalise(error.message, names)))
    return hashlib.sha256(body.encode()).hexdigest()[:12]
