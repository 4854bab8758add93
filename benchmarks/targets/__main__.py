"""How long it takes to find the targets of a selection among 10,000 accounts and 20 regions.

The floor is the least that any resolver has to do in Python: look at each account once and name every account and region that is
left. The bar is one second; the ratio puts it into perspective on a busy machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import boto3

from core_lib.deployspec import resolve_targets
from core_lib.framework.models import Account, AccountState, Exclusion, Selection

ACCOUNTS, ROUNDS = 10_000, 5
REGIONS = tuple(sorted(boto3.Session().get_available_regions("cloudformation"))[:20])
LEFT_OUT = "/workloads/dev/team-7"
UNITS = tuple(f"/workloads/{stage}/team-{team}" for stage in ("prod", "test", "dev") for team in range(20))


def directory() -> list[Account]:
    """Accounts in 60 nested units, with tags, one in fifty suspended."""
    return [
        Account(
            id=f"{100_000_000_000 + number}",
            name=f"account-{number:05}",
            organizational_unit=UNITS[number % len(UNITS)],
            state=AccountState.SUSPENDED if number % 50 == 49 else AccountState.ACTIVE,
            tags={"tier": str(number % 3)},
        )
        for number in range(ACCOUNTS)
    ]


def seconds(function: Callable[[], int]) -> tuple[float, int]:
    """Median time of a few calls, and what the last returned."""
    times, found = [], 0
    for _ in range(ROUNDS):
        started = time.perf_counter()
        found = function()
        times.append(time.perf_counter() - started)
    return statistics.median(times), found


def main() -> None:
    """Measure and print."""
    accounts = directory()
    selection = Selection(
        organizational_units=("/workloads",),
        tags={"tier": ("0", "1", "2")},
        regions=REGIONS,
        exclude=Exclusion(organizational_units=(LEFT_OUT,), regions=REGIONS[-1:]),
    )

    def resolve() -> int:
        return len(resolve_targets(selection, accounts).keys)

    def floor() -> int:
        kept = [one for one in accounts if one.state is AccountState.ACTIVE and one.organizational_unit != LEFT_OUT]
        return len([f"{one.id}/{region}" for one in kept for region in REGIONS[:-1]])

    (took, found), (least, expected) = seconds(resolve), seconds(floor)
    if found != expected:
        raise SystemExit(f"{found} targets found, {expected} expected")
    print(f"  {ACCOUNTS:,} accounts x {len(REGIONS)} regions -> {found:,} targets in {took:.2f} s (bar 1 s)")
    print(f"  resolver / one look at each account: {took / least:.1f}")


if __name__ == "__main__":
    main()
