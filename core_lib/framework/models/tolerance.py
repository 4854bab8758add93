"""Tolerance: how many failed targets a run or a wave puts up with, as a number or as a percentage that is rounded down."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

_TOLERANCE = re.compile(r"[0-9]{1,9}|(?:[0-9]{1,2}|100)%")


def number_or_percentage(value: Any) -> Any:
    """The value when it is a number or a percentage of targets; the check of `Tolerance` and `Share`."""
    if isinstance(value, bool) or (isinstance(value, (str, int)) and not _TOLERANCE.fullmatch(str(value))):
        raise ValueError("a number of targets (3) or a percentage ('5%')")
    return value


Tolerance = Annotated[str | int, BeforeValidator(number_or_percentage)]


def tolerated(tolerance: str | int, targets: int) -> int:
    """How many of this many targets may fail: 1 of 20 at 5%, none of 19."""
    text = str(tolerance)
    return targets * int(text[:-1]) // 100 if text.endswith("%") else int(text)
