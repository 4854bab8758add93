"""What a case of the corpus is, and what every refusal must be like, whichever door it happened at."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from core_lib.framework.errors import CoreError

SECONDS = 20.0  # under coverage on a shared machine; without it, each takes less than five
"""No refusal takes longer (processor time, so that a busy machine does not matter)."""
LONGEST = 12_000
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff]")
_INTERNALS = re.compile(r"Traceback|<class '|<function |object at 0x|sys\.|pydantic\.dev|site-packages|Error\(|input_value=")


@dataclass(frozen=True)
class Case:
    """One malformed input: what is given, the code it must be refused with, and words that the refusal must hold.

    `more` is for the door: other files, options, facts.
    """

    name: str
    code: str
    says: str
    given: Any
    more: Any = None

    def __str__(self) -> str:
        return self.name


def cases(*table: Case) -> Any:
    """A parametrisation by these cases; no two have the same name."""
    names = [case.name for case in table]
    assert len(set(names)) == len(names), sorted({name for name in names if names.count(name) > 1})
    return pytest.mark.parametrize("case", table, ids=names)


def refusal(action: Callable[[], object], expected: Case | None = None) -> CoreError:
    """The one error that `action` ends with, after checking that a person and a script can use it."""
    began = time.process_time()
    with pytest.raises(CoreError) as caught:
        action()
    took = time.process_time() - began
    error = caught.value
    assert took < SECONDS, f"took {took:.1f} s"
    check_words(error.as_dict())
    if expected is not None:
        check_expected(error.as_dict(), expected)
    return error


def check_expected(error: dict[str, str], case: Case) -> None:
    """The code is the expected one, the words are there, and so is the place."""
    text = " ".join(error.values())
    assert error["Code"] == case.code, text
    assert case.says in text, text
    assert error.get("Where"), f"says nothing about the place: {text}"


def check_words(error: dict[str, str]) -> None:
    """Short, printable, about the input and not about the platform's insides."""
    text = "\n".join(error.values())
    assert re.fullmatch(r"CORE-[1-6]\d{3}", error["Code"])
    assert error["Message"].strip()
    assert len(text) <= LONGEST, f"{len(text)} characters"
    assert not (found := _CONTROL.search(text)), f"holds the character {found.group()!r}: {text!r}"
    assert not (found := _INTERNALS.search(text)), f"shows its insides ({found.group()}): {text}"
    assert json.loads(json.dumps(error)) == error


def holds_or_refuses(action: Callable[[], object]) -> None:
    """Run `action`; it may succeed, or end with a usable error. Anything else fails the test."""
    try:
        action()
    except CoreError as error:
        check_words(error.as_dict())
