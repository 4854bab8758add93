"""The bounded cache behind clients and credentials."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.helper.clients import Cache


def test_cache_makes_a_value_once_and_keeps_it() -> None:
    cache: Cache[object] = Cache(2)
    assert cache.get("a", object) is cache.get("a", object)


def test_cache_when_full_then_forgets_what_was_not_used_for_longest() -> None:
    cache: Cache[str] = Cache(2)
    cache.get("a", lambda: "first")
    cache.get("b", lambda: "first")
    cache.get("a", lambda: "second")
    cache.get("c", lambda: "first")
    assert cache.get("a", lambda: "second") == "first"
    assert cache.get("b", lambda: "second") == "second"


@given(st.lists(st.integers(0, 20)), st.integers(1, 5))
def test_cache_never_grows_beyond_its_size(keys: list[int], size: int) -> None:
    cache: Cache[int] = Cache(size)
    for key in keys:
        assert cache.get(key, lambda key=key: key) == key  # type: ignore[misc]
        assert len(cache) <= size


def test_cache_when_many_ask_at_once_then_makes_once() -> None:
    cache: Cache[object] = Cache(10)
    made: list[int] = []
    gate = threading.Barrier(8)

    def make() -> object:
        made.append(1)
        time.sleep(0.02)
        return object()

    found: list[object] = []

    def ask() -> None:
        gate.wait(10)
        found.append(cache.get("key", make))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(made) == 1
    assert len(set(map(id, found))) == 1


def test_cache_when_making_fails_then_the_next_one_tries_again() -> None:
    cache: Cache[str] = Cache(2)

    def fail() -> str:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cache.get("a", fail)
    assert cache.get("a", lambda: "yes") == "yes"
