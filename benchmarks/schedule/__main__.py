"""See the package."""

from __future__ import annotations

import asyncio
import heapq
import os
import random
import sys
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from core_lib.execute import Action, ActionContext, Again, Done, Engine, Pace, Step, units
from core_lib.framework.models import Message, Options, Plan
from core_lib.framework.settings import CmdbSettings, PollingSettings, Settings
from tests.builders.memory_cmdb import MemoryCmdb
from tests.builders.plans import action, plan_of
from tests.builders.virtual_time import VirtualClock, run_virtual
from tests.unit.execute.engines import NoSessions, NoStore

TARGETS = int(os.environ.get("SCHEDULE_TARGETS", "800"))
STACKS = 5
CAP = 100
MEDIAN, SIGMA = 60.0, 0.7
BAR = 1.10
SEED = 20261125


class TakesParams(Message):
    """Seconds until the stack is done."""

    seconds: float


def main() -> int:
    """Measure and print; the exit code says whether the bar held."""
    dice = random.Random(SEED)
    chains = [[MEDIAN * dice.lognormvariate(0, SIGMA) for _ in range(STACKS)] for _ in range(TARGETS)]
    bound = max(sum(map(sum, chains)) / CAP, max(map(sum, chains)))
    ours = with_engine(chains)
    print(f"{TARGETS} targets x {STACKS} chained stacks, cap {CAP}; list-scheduling bound {bound:.0f} s")
    for name, seconds in (
        ("engine", ours),
        ("barrier between levels", sum(filled(level) for level in zip(*chains, strict=True))),
        (f"chunks of {CAP} targets", sum(max(map(sum, chains[at : at + CAP])) for at in range(0, TARGETS, CAP))),
    ):
        print(f"  {name:<24} {seconds:7.0f} s   {seconds / bound:.3f} x bound")
    print(f"engine / bound: {ours / bound:.3f} (bar {BAR})")
    return 0 if ours / bound <= BAR else 1


def filled(times: Iterable[float]) -> float:
    """How long independent pieces of work take when every place that becomes free takes the next one."""
    places = [0.0] * CAP
    for seconds in times:
        heapq.heapreplace(places, places[0] + seconds)
    return max(places)


def with_engine(chains: Sequence[Sequence[float]]) -> float:
    """Seconds on the virtual clock until the engine has ended the plan."""
    clock = VirtualClock()

    class Takes(Action[TakesParams]):
        """Waits as long as the stack takes."""

        kind = "BENCH::Takes"
        purpose = "Waits."
        Params = TakesParams

        def start(self, ctx: ActionContext[TakesParams]) -> Step:
            return Again(after=ctx.params.seconds, scratch={"until": clock.now + ctx.params.seconds})

        def check(self, ctx: ActionContext[TakesParams]) -> Step:
            left = ctx.scratch["until"] - clock.now
            return Done() if left <= 1e-6 else Again(after=left)

    plan = plan_of(
        action(f"s{number}", "BENCH::Takes", target=f"{target:012}/eu-west-1", after=[f"s{number - 1}"] if number else [],
               spec={"Seconds": seconds})
        for target, chain in enumerate(chains, start=1) for number, seconds in enumerate(chain)
    )  # fmt: skip
    with patch("core_lib.execute.worker.steady", lambda: clock.now), patch("core_lib.execute.pulse.steady", lambda: clock.now):
        run_virtual(drive(plan, Takes), clock)
    return clock.now


async def drive(plan: Plan, kind: type[Action[Any]]) -> None:
    """All units of the plan, as a flow drives them."""
    cmdb = MemoryCmdb(Options(concurrency=CAP, region_concurrency=CAP))
    settings = Settings(cmdb=CmdbSettings(heartbeat_seconds=300, lock_lease_seconds=3600))
    pace = Pace(PollingSettings(), grace=timedelta(minutes=2))
    kinds = {"BENCH::Takes": kind}
    async with Engine(plan, cmdb, NoSessions(), NoStore(), settings, cmdb.runs.run, kinds=kinds, pace=pace) as engine:
        results = await asyncio.gather(*(engine.drive(unit) for unit in units(plan)))
    failed = [result for result in results if not result.ok]
    if failed:
        raise SystemExit(f"{len(failed)} units did not end well, for example {failed[0]}")


if __name__ == "__main__" and (code := main()):
    sys.exit(code)
