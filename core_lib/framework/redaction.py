"""Keeping secrets out of everything that is written down: logs, the ledger, reports, error messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MASK = "********"
_SECRET_NAME = re.compile(
    r"secret|password|passwd|passphrase|token|authorization|credential|cookie|auth_?string|private_?key|api_?key"
    r"|access_?key|signing_?key|external_?id",
    re.IGNORECASE,
)
_HARMLESS_NAME = re.compile(r"^(?:next|pagination|client_?request|idempotency|continuation)_?token$", re.IGNORECASE)
_AWS_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")
_AWS_SECRET = re.compile(
    r"(?<![\w+/=.:-])(?=[^\s]{0,39}[A-Z])(?=[^\s]{0,39}[a-z])(?=[^\s]{0,39}\d)[A-Za-z0-9+/]{40}(?![\w+/=.:-])"
)
_ARGUMENT = re.compile(
    r"(?P<name>(?:secret|password|passwd|token|api_?key|access_?key|x-amz-(?:signature|security-token|credential))"
    r"[\w-]*[\"']?\s*[=:]\s*[\"']?)(?P<value>[^\s\"'&,;}]+)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(?P<kind>Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*")
_USERINFO = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^\s/@:]+:[^\s/@]+@", re.IGNORECASE)
_DEEPEST = 12


def redact_text(text: str) -> str:
    """The text with everything masked that looks like a secret: AWS keys, tokens, passwords in URLs and arguments."""
    if len(text) < 8:
        return text
    text = _USERINFO.sub(rf"\g<scheme>{MASK}@", text)
    text = _BEARER.sub(rf"\g<kind> {MASK}", text)
    text = _JWT.sub(MASK, text)
    text = _ARGUMENT.sub(rf"\g<name>{MASK}", text)
    text = _AWS_KEY_ID.sub(MASK, text)
    return _AWS_SECRET.sub(MASK, text)


def is_secret_name(name: str) -> bool:
    """Whether a key of this name (`password`, `SecretAccessKey`, `api-key` ...) holds a secret."""
    plain = name.replace("-", "_")
    return bool(_SECRET_NAME.search(plain)) and not _HARMLESS_NAME.match(plain)


def redact(value: Any, depth: int = 0) -> Any:
    """A copy of a JSON-like value with secrets masked, by key name and by look. What lies very deep is cut off."""
    if isinstance(value, str):
        return redact_text(value)
    if depth >= _DEEPEST:
        return "..." if isinstance(value, (Mapping, list, tuple, set)) else value
    if isinstance(value, Mapping):
        return {
            key: MASK if isinstance(key, str) and item is not None and is_secret_name(key) else redact(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact(item, depth + 1) for item in value]
    return value
