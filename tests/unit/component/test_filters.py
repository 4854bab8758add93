"""Filters of the component compiler."""

from __future__ import annotations

import pytest

from core_lib.component.filters import digest, of_zone
from core_lib.framework.errors import RenderError

SUBNETS = {"private": ["subnet-1"], "public": ["subnet-2"], "empty": []}


@pytest.mark.parametrize(
    ("wanted", "usual", "found"),
    [("public", ("data",), "subnet-2"), (None, ("data", "private"), "subnet-1"), (None, ("empty", "private"), "subnet-1")],
)
def test_of_zone_takes_what_is_wanted_else_the_first_usual_zone_there_is(
    wanted: str | None, usual: tuple[str, ...], found: str
) -> None:
    assert of_zone(SUBNETS, wanted, *usual) == [found]


def test_of_zone_never_falls_back_from_a_zone_that_was_asked_for() -> None:
    with pytest.raises(RenderError, match="zone data are known") as raised:
        of_zone(SUBNETS, "data", "private")
    assert "private, public" in str(raised.value.hint)


def test_digest_is_the_same_for_equal_values_and_another_for_others() -> None:
    assert digest({"A": 1, "B": [2]}) == digest({"B": [2], "A": 1})
    assert digest({"A": 1}) != digest({"A": 2})
    assert digest("x").isalnum()
