"""What the engine costs: a fleet deployed by it, and the same boto3 calls made by a bare thread pool.

Both deploy two chained stacks into every account and region of an organization of their own, on the same embedded cloud, with the
same number of stacks in work at once and the same pauses between two looks at CloudFormation. The engine keeps its
ledger, locks and records in DynamoDB on that cloud meanwhile; the bare pool keeps nothing, and could not go on after a crash.
The bar is a ratio of 1.3. The order changes from round to round; the median counts.
"""

from __future__ import annotations

import os
import statistics
import time

from benchmarks.fleet.bare import deploy_bare
from benchmarks.fleet.engine import deploy_with_engine
from benchmarks.fleet.world import Fleet, fleet
from deployments.local import EmbeddedCloud

ACCOUNTS = int(os.environ.get("FLEET_ACCOUNTS", "40"))
ROUNDS = int(os.environ.get("FLEET_ROUNDS", "3"))
BAR = 1.3


def timed(name: str, cloud: EmbeddedCloud, made: Fleet) -> float:
    """Seconds that one of the two takes, with its calls printed."""
    cloud.reset_calls()
    started = time.monotonic()
    (deploy_with_engine if name == "engine" else deploy_bare)(made)
    seconds = time.monotonic() - started
    calls = {service: cloud.count(service) for service in ("sts", "dynamodb")}
    for call in cloud.calls("cloudformation"):
        calls[call.operation] = calls.get(call.operation, 0) + call.count
    print(f"  {name:<7} {seconds:6.2f} s   calls: {calls}", flush=True)
    return seconds


def main() -> None:
    """Measure and print."""
    ratios = []
    for number in range(ROUNDS):
        with EmbeddedCloud() as cloud:
            os.environ.update(cloud.environment)
            order = ("engine", "bare") if number % 2 == 0 else ("bare", "engine")
            seconds = {name: timed(name, cloud, fleet(cloud, ACCOUNTS, offset=index)) for index, name in enumerate(order)}
        ratios.append(seconds["engine"] / seconds["bare"])
        print(f"  round {number + 1}: engine / bare = {ratios[-1]:.2f}", flush=True)
    middle = statistics.median(ratios)
    print(f"engine / bare thread pool, {ACCOUNTS} accounts x 2 regions x 2 stacks: median {middle:.2f} (bar {BAR})")


if __name__ == "__main__":
    main()
