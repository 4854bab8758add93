"""Pages of results and the opaque cursors that lead from one to the next."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from core_lib.framework.errors import InputError

T = TypeVar("T")
LARGEST_PAGE = 1000
_CHECK_LENGTH = 12


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some results in order; `cursor` asks for the next ones and is None at the end."""

    items: tuple[T, ...]
    cursor: str | None = None


def page_size(limit: int) -> int:
    """`limit` when it is 1 to 1000, else an InputError."""
    if not 1 <= limit <= LARGEST_PAGE:
        raise InputError(f"a page holds 1 to {LARGEST_PAGE} entries, not {limit}")
    return limit


def write_cursor(last_key: Mapping[str, Mapping[str, Any]] | None, scope: str) -> str | None:
    """The cursor behind `last_key`; `scope` names the question (table, index, partition) it belongs to."""
    if not last_key:
        return None
    body = json.dumps(last_key, sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(f"{_check(body, scope)}{body}".encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, scope: str) -> dict[str, dict[str, Any]] | None:
    """The key behind a cursor of the same question.

    Raises:
        InputError: the cursor was changed, cut, or belongs to another question.
    """
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise _unreadable() from error
    check, body = text[:_CHECK_LENGTH], text[_CHECK_LENGTH:]
    if check != _check(body, scope):
        raise _unreadable()
    try:
        key = json.loads(body)
    except ValueError as error:
        raise _unreadable() from error
    if not isinstance(key, dict):
        raise _unreadable()
    return key


def _check(body: str, scope: str) -> str:
    return hashlib.sha256(f"{scope}\n{body}".encode()).hexdigest()[:_CHECK_LENGTH]


def _unreadable() -> InputError:
    return InputError(
        "the cursor does not belong to this list", hint="pass on exactly what the previous page gave, or start without one"
    )
