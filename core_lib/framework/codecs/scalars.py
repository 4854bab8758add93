"""What a plain YAML scalar means: YAML 1.2's core schema, minus every reading that would lose something.

A plain scalar becomes a number only if the number can be spelled back as it was written:

==================================================  =============================================
written                                             read as
==================================================  =============================================
`null` `Null` `NULL` `~` and nothing at all         null
`true` `True` `TRUE` `false` `False` `FALSE`        true, false
`on` `off` `yes` `no` `y` `n`                       text (YAML 1.1 made them booleans)
`5` `-3` `123456789`                                whole numbers
`123456789012` (exactly twelve digits)              text, because it is an account id
`0123` `007` `+5` `1_000` `12:30` `-0`              text (octal, sign, underscores, base 60 in YAML 1.1)
`0x1F` `0o17`                                       whole numbers in the base that they name
`1.5` `.5` `1e3` `-2.5E-3`                          floats
`1.10` `0.50` `00.5`                                text (a version number, a lost zero)
`.inf` `-.inf` `.nan`                               floats, which JSON refuses
`2012-10-17` `2026-01-01T00:00:00Z`                 text
`7e10234` (too large for a float)                   text
==================================================  =============================================

Source: YAML 1.2.2, chapter 10.3.2 "Tag Resolution".
"""

from __future__ import annotations

import math
import re

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_SPECIAL = {
    f"{sign}{name}": (-1 if sign == "-" else 1) * value
    for sign in ("", "+", "-")
    for name, value in ((".inf", math.inf), (".Inf", math.inf), (".INF", math.inf))
} | dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan)

_MAY_BE_NUMBER = frozenset("0123456789+-.")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)\Z", re.ASCII)
_BASED = re.compile(r"0o[0-7]{1,64}\Z|0x[0-9a-fA-F]{1,64}\Z", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z", re.ASCII)
_LOST_ZERO = re.compile(r"[^.]*\.[0-9]+0\Z", re.ASCII)
_ACCOUNT_ID_DIGITS = 12
MOST_DIGITS = 4000

Scalar = str | int | float | bool | None


def resolve_plain(text: str) -> Scalar:
    """The value of a plain (unquoted) scalar."""
    if not text or text[0] not in _MAY_BE_NUMBER:
        if text in _NULL:
            return None
        return _BOOLEAN.get(text, text)
    if _INTEGER.match(text):
        return _integer(text)
    if _BASED.match(text):
        return int(text, 0)
    if text in _SPECIAL:
        return _SPECIAL[text]
    return _float(text) if _FLOAT.match(text) else text


def _integer(text: str) -> int | str:
    if len(text) == _ACCOUNT_ID_DIGITS and text[0] != "-":
        return text
    if text == "-0" or len(text) > MOST_DIGITS:
        return text
    return int(text)


def _float(text: str) -> float | str:
    if _LOST_ZERO.match(text) or (text[0] == "+" and "." not in text and "e" not in text.lower()):
        return text
    value = float(text)
    return value if math.isfinite(value) else text
