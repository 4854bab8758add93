"""Pacing: a token bucket per (API, account, region) that slows down when AWS throttles and recovers by and by.

Each attempt of each call takes a token before it is signed and sent, repeated attempts of botocore included. An answer that means
"too fast" cuts the bucket's rate to 70 %; every second without one adds 5 % of the full rate, until it is reached again.
APIs without a known rate run free until AWS throttles them; then they get a bucket, too.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core_lib.helper.causes import THROTTLING_CODES
from core_lib.helper.clock import Clock, SystemClock
from core_lib.helper.rates import Rate, RateTable

HOME = "home"
_CUT = 0.7
_RECOVERY = 0.05
_SLOWEST_SHARE = 0.02
_CUT_AT_MOST_EVERY = 0.5
_UNKNOWN_RATE = 20.0
_TOKEN = 1 - 1e-6  # a whole token, give or take the rounding of sums of small waits


@dataclass(frozen=True)
class BucketState:
    """What a bucket did so far. Rates in calls per second, `waited` in seconds over all callers."""

    api: str
    account: str
    region: str
    rate: float
    full_rate: float
    calls: int
    waits: int
    waited: float
    throttled: int


class Bucket:
    """One token bucket. Callers without a token queue up: one waits for the next token, the others for their turn."""

    __slots__ = ("_burst", "_calls", "_changed", "_clock", "_cut_at", "_full", "_lock", "_queue", "_rate", "_seen", "_throttled",
                 "_tokens", "_turn", "_waited", "_waits")  # fmt: skip

    def __init__(self, per_second: float, burst: float, clock: Clock) -> None:
        self._clock = clock
        self._full = self._rate = per_second
        self._burst = self._tokens = max(1.0, burst)
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._turn = threading.Lock()
        self._seen = clock.monotonic()
        self._cut_at = float("-inf")
        self._queue = self._calls = self._waits = self._throttled = 0
        self._waited = 0.0

    def take(self) -> float:
        """Take a token, waiting for it if need be. Returns the seconds waited."""
        with self._lock:
            now = self._clock.monotonic()
            self._refill(now)
            if self._queue == 0 and self._tokens >= _TOKEN:
                self._tokens -= 1
                self._calls += 1
                return 0.0
            self._queue += 1
        try:
            with self._turn, self._lock:
                return self._wait_for_token(now)
        finally:
            with self._lock:
                self._queue -= 1

    def _wait_for_token(self, since: float) -> float:
        self._refill(self._clock.monotonic())
        while self._tokens < _TOKEN:
            self._clock.wait(self._changed, (1 - self._tokens) / self._rate)
            self._refill(self._clock.monotonic())
        waited = self._clock.monotonic() - since
        self._tokens -= 1
        self._calls += 1
        self._waits += 1
        self._waited += waited
        return waited

    def _refill(self, now: float) -> None:
        passed = now - self._seen
        self._seen = now
        self._tokens = min(self._burst, self._tokens + passed * self._rate)
        if self._rate < self._full:
            self._rate = min(self._full, self._rate + passed * self._full * _RECOVERY)

    def throttled(self) -> None:
        """AWS said "too fast". Many calls in flight may hear it for the same reason, so the rate is cut once per half second."""
        with self._lock:
            now = self._clock.monotonic()
            self._refill(now)
            self._throttled += 1
            self._tokens = min(self._tokens, 0.0)
            if now - self._cut_at >= _CUT_AT_MOST_EVERY:
                self._cut_at = now
                self._rate = max(self._full * _SLOWEST_SHARE, self._rate * _CUT)
            self._changed.notify()

    def state(self, api: str, account: str, region: str) -> BucketState:
        """A snapshot for metrics."""
        with self._lock:
            self._refill(self._clock.monotonic())
            return BucketState(
                api, account, region, self._rate, self._full, self._calls, self._waits, self._waited, self._throttled
            )


class Pacer:
    """All buckets of a process. Thread-safe; a call with a token at hand costs a few microseconds."""

    def __init__(self, rates: RateTable | None = None, *, clock: Clock | None = None, enabled: bool = True) -> None:
        self._rates = rates or RateTable()
        self._clock = clock or SystemClock()
        self._enabled = enabled
        self._buckets: dict[tuple[str, str, str, str], Bucket] = {}
        self._lock = threading.Lock()

    def take(self, service: str, operation: str, account: str | None, region: str | None) -> float:
        """Wait until this API may be called there. Returns the seconds waited."""
        rule = self._rates.find(service, operation)
        key = _key(service, operation, account, region, rule)
        bucket = self._buckets.get(key)
        if bucket is None:
            if rule is None:
                return 0.0
            bucket = self._add(key, rule.per_second, rule.burst)
        return bucket.take()

    def throttled(self, service: str, operation: str, account: str | None, region: str | None) -> None:
        """Take note of a throttling answer."""
        rule = self._rates.find(service, operation)
        key = _key(service, operation, account, region, rule)
        rate, burst = (rule.per_second, rule.burst) if rule else (_UNKNOWN_RATE, _UNKNOWN_RATE)
        (self._buckets.get(key) or self._add(key, rate, burst)).throttled()

    def watch(self, client: Any, account: Callable[[], str | None]) -> None:
        """Pace all calls of a botocore client; `account` tells, in the calling thread, whom a call counts for."""
        if not self._enabled:
            return
        service, region = client.meta.service_model.service_name, client.meta.region_name

        def before(operation_name: str, **_: Any) -> None:
            self.take(service, operation_name, account(), region)

        def after(response: Any, operation: Any, **_: Any) -> None:
            if response is not None and response[1].get("Error", {}).get("Code") in THROTTLING_CODES:
                self.throttled(service, operation.name, account(), region)

        events, name = client.meta.events, client.meta.service_model.service_id.hyphenize()
        events.register_first(f"request-created.{name}", before, unique_id="core-pace-before")
        events.register_first(f"needs-retry.{name}", after, unique_id="core-pace-after")

    def snapshot(self) -> list[BucketState]:
        """The state of all buckets, the ones that waited longest first."""
        with self._lock:
            buckets = list(self._buckets.items())
        states = [bucket.state(f"{key[0]}.{key[1]}", key[2], key[3]) for key, bucket in buckets]
        return sorted(states, key=lambda state: (-state.waited, state.api, state.account, state.region))

    def _add(self, key: tuple[str, str, str, str], per_second: float, burst: float) -> Bucket:
        with self._lock:
            return self._buckets.setdefault(key, Bucket(per_second, burst, self._clock))


def _key(service: str, operation: str, account: str | None, region: str | None, rule: Rate | None) -> tuple[str, str, str, str]:
    place = "*" if rule and rule.everywhere else region or "*"
    return service, rule.name if rule else operation, account or HOME, place


@functools.lru_cache(maxsize=8)
def shared_pacer(enabled: bool, rates: tuple[tuple[str, float], ...]) -> Pacer:
    """The pacer of this process for these settings: limits belong to accounts, so all runs of a process share it."""
    return Pacer(RateTable(dict(rates)), enabled=enabled)
