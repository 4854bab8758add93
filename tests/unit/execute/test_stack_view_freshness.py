"""A target's listing is shared by the units that follow each other, and made again when time has passed."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.execute.stacks import view as module
from core_lib.execute.stacks.view import StackView


class Listing:
    """CloudFormation that counts how often it is asked for all stacks."""

    def __init__(self) -> None:
        self.asked = 0

    def get_paginator(self, _operation: str) -> Listing:
        return self

    def paginate(self) -> list[dict[str, Any]]:
        self.asked += 1
        return [{"Stacks": []}]


class Records:
    def get_many(self, _target: str) -> dict[str, Any]:
        return {}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_listing_when_the_next_unit_begins_soon_then_is_not_made_again(clock: list[float]) -> None:
    listing = Listing()
    view = StackView("111111111111/eu-west-1", lambda: listing, Records())  # type: ignore[arg-type]
    view.live("one")
    clock[0] += StackView.GOOD_FOR_SECONDS / 2
    view.renew()
    view.live("two")
    assert listing.asked == 1


def test_listing_when_the_next_unit_begins_much_later_then_is_made_again(clock: list[float]) -> None:
    listing = Listing()
    view = StackView("111111111111/eu-west-1", lambda: listing, Records())  # type: ignore[arg-type]
    view.live("one")
    clock[0] += StackView.GOOD_FOR_SECONDS + 1
    view.renew()
    view.live("one")
    assert listing.asked == 2
