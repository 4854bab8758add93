"""Pacing: token buckets that keep to the rate, slow down when throttled, and recover."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.helper import Pacer, RateTable
from core_lib.helper.pacing import Bucket, shared_pacer


class FakeClock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def test_bucket_when_tokens_are_left_then_does_not_wait() -> None:
    bucket = Bucket(10, 5, FakeClock())
    assert [bucket.take() for _ in range(5)] == [0.0] * 5


def test_bucket_when_burst_is_spent_then_keeps_the_rate() -> None:
    clock = FakeClock()
    bucket = Bucket(10, 5, clock)
    for _ in range(105):
        bucket.take()
    assert clock.now - 1000 == pytest.approx(10.0, abs=0.01)


@given(rate=st.floats(0.5, 200), burst=st.integers(1, 50), calls=st.integers(1, 300))
def test_bucket_never_exceeds_burst_plus_rate(rate: float, burst: int, calls: int) -> None:
    clock = FakeClock()
    bucket = Bucket(rate, burst, clock)
    for done in range(1, calls + 1):
        bucket.take()
        assert done <= burst + rate * (clock.now - 1000) + 0.01


def test_bucket_when_idle_then_refills_no_further_than_burst() -> None:
    clock = FakeClock()
    bucket = Bucket(10, 5, clock)
    clock.now += 3600
    assert [bucket.take() for _ in range(6)][4:] == [0.0, pytest.approx(0.1)]


def test_bucket_when_throttled_then_slows_down_and_recovers() -> None:
    clock = FakeClock()
    bucket = Bucket(10, 5, clock)
    bucket.throttled()
    assert bucket.state("a", "b", "c").rate == pytest.approx(7.0)
    clock.now += 2
    assert bucket.state("a", "b", "c").rate == pytest.approx(8.0)
    clock.now += 100
    assert bucket.state("a", "b", "c").rate == 10


def test_bucket_when_many_calls_in_flight_are_throttled_then_cuts_once() -> None:
    bucket = Bucket(10, 5, FakeClock())
    for _ in range(20):
        bucket.throttled()
    state = bucket.state("a", "b", "c")
    assert state.rate == pytest.approx(7.0)
    assert state.throttled == 20


def test_bucket_when_throttled_without_end_then_keeps_a_trickle() -> None:
    clock = FakeClock()
    bucket = Bucket(10, 5, clock)
    for _ in range(1000):
        bucket.throttled()
        clock.now += 0.6
    assert bucket.state("a", "b", "c").rate >= 0.2


def test_bucket_when_throttled_then_spends_no_saved_tokens() -> None:
    bucket = Bucket(10, 100, FakeClock())
    bucket.throttled()
    assert bucket.take() > 0


def test_bucket_with_many_threads_gives_each_one_token() -> None:
    clock = FakeClock()
    bucket = Bucket(100, 1, clock)
    threads = [threading.Thread(target=lambda: [bucket.take() for _ in range(25)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    state = bucket.state("a", "b", "c")
    assert state.calls == 200
    assert clock.now - 1000 == pytest.approx(1.99, abs=0.02)


def test_bucket_with_real_time_blocks_without_burning_cpu() -> None:
    pacer = Pacer(RateTable({"cloudformation.DescribeStacks": 20.0}))
    for _ in range(20):
        pacer.take("cloudformation", "DescribeStacks", "1", "r")
    cpu, wall = time.thread_time(), time.perf_counter()
    for _ in range(6):
        pacer.take("cloudformation", "DescribeStacks", "1", "r")
    assert time.perf_counter() - wall >= 0.25
    assert time.thread_time() - cpu < 0.1


def test_pacer_keeps_accounts_and_regions_apart() -> None:
    pacer = Pacer(RateTable({"cloudformation.DescribeStacks": 1.0}), clock=FakeClock())
    waits = [pacer.take("cloudformation", "DescribeStacks", account, region) for account in "12" for region in "ab"]
    assert waits == [0.0] * 4
    assert pacer.take("cloudformation", "DescribeStacks", "1", "a") == pytest.approx(1.0)


def test_pacer_counts_global_apis_over_all_regions() -> None:
    pacer = Pacer(RateTable({}), clock=FakeClock())
    rule = RateTable().find("organizations", "CreateAccount")
    assert rule is not None
    waits = [pacer.take("organizations", "CreateAccount", None, f"region-{number}") for number in range(int(rule.burst) + 1)]
    assert waits[:-1] == [0.0] * int(rule.burst)
    assert waits[-1] > 0


def test_pacer_lets_unknown_apis_run_until_they_are_throttled() -> None:
    pacer = Pacer(clock=FakeClock())
    assert [pacer.take("s3", "PutObject", "1", "r") for _ in range(1000)] == [0.0] * 1000
    pacer.throttled("s3", "PutObject", "1", "r")
    assert pacer.take("s3", "PutObject", "1", "r") > 0


def test_pacer_snapshot_shows_who_waited() -> None:
    pacer = Pacer(RateTable({"cloudformation.DescribeStacks": 1.0}), clock=FakeClock())
    for _ in range(3):
        pacer.take("cloudformation", "DescribeStacks", "111111111111", "eu-west-1")
    pacer.take("sts", "AssumeRole", None, "eu-west-1")
    first, second = pacer.snapshot()
    assert (first.api, first.account, first.calls, first.waits) == ("cloudformation.DescribeStacks", "111111111111", 3, 2)
    assert first.waited == pytest.approx(2.0)
    assert (second.api, second.account, second.waits) == ("sts.Assume", "home", 0)


def test_pacer_is_shared_by_runs_with_the_same_settings() -> None:
    assert shared_pacer(True, ()) is shared_pacer(True, ())
    assert shared_pacer(True, ()) is not shared_pacer(True, (("sts", 5.0),))


@pytest.mark.parametrize(("service", "operation", "bucket"), [
    ("cloudformation", "DescribeStacks", "DescribeStacks"),
    ("cloudformation", "GetTemplateSummary", "Read"),
    ("cloudformation", "ExecuteChangeSet", "Change"),
    ("organizations", "ListAccounts", "Read"),
    ("organizations", "MoveAccount", "Change"),
    ("sts", "AssumeRole", "Assume"),
])  # fmt: skip
def test_rates_find_the_first_rule_that_fits(service: str, operation: str, bucket: str) -> None:
    rule = RateTable().find(service, operation)
    assert rule is not None
    assert rule.name == bucket


def test_rates_of_the_settings_win_single_apis_first() -> None:
    table = RateTable({"cloudformation": 3.0, "cloudformation.DescribeStacks": 7.0})
    rates: list[Any] = [table.find("cloudformation", name) for name in ("DescribeStacks", "CreateStack")]
    assert [rate.per_second for rate in rates] == [7.0, 3.0]
