"""The tree of errors."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import pytest

from core_lib.framework import errors
from core_lib.framework.errors import CoreError, LockedError


def _all(kind: type[CoreError] = CoreError) -> Iterator[type[CoreError]]:
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from _all(below)


def test_errors_when_listed_then_each_has_its_own_code_and_a_line_in_the_drawn_tree() -> None:
    kinds = list(_all())
    assert len({kind.code for kind in kinds}) == len(kinds)
    drawn = errors.__doc__ or ""
    assert [kind.__name__ for kind in kinds[1:] if f"{kind.__name__} " not in drawn or kind.code not in drawn] == []


def test_error_when_shown_then_code_place_message_and_hint() -> None:
    error = LockedError("held by run 7", where="111111111111/eu-west-1/net", hint="wait, or cancel run 7")
    assert str(error) == "CORE-5001 111111111111/eu-west-1/net: held by run 7 (wait, or cancel run 7)"
    assert error.as_dict() == {
        "Code": "CORE-5001", "Message": "held by run 7", "Where": "111111111111/eu-west-1/net", "Hint": "wait, or cancel run 7"
    }  # fmt: skip
    assert str(CoreError("x")) == "CORE-0000 x"


@pytest.mark.parametrize("kind", list(_all()), ids=lambda kind: kind.__name__)
def test_error_when_it_travels_between_processes_then_nothing_is_lost(kind: type[CoreError]) -> None:
    error = kind("m", where="w", hint="h")
    pickled = pickle.loads(pickle.dumps(error))  # noqa: S301  (our own bytes)
    for travelled in (pickled, copy.copy(error)):
        assert type(travelled) is kind
        assert travelled.as_dict() == error.as_dict()
