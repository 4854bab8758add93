"""A small world in which worker processes execute runs side by side, and everything that can go wrong goes wrong on command.

Real are the engine, its locks, pulse, hooks and ledger writer, and all of the CMDB's repositories; in memory are DynamoDB (with
its conditions and transactions), AWS (stacks that take their time), and time itself. A process is an event loop on the common
clock; the world decides which one goes on, how long each call takes, and who is killed, stopped or cancelled at which call. The
same seed and the same troubles always give the same story.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from botocore.exceptions import EndpointConnectionError

from core_lib.db import ClientCmdb
from core_lib.db.leases import LeaseClock
from core_lib.framework.models import Plan, RunState
from tests.builders.memory_cmdb import WorkerKilledError
from tests.builders.memory_dynamo import MemoryClient, MemoryTables, memory_cmdb
from tests.builders.virtual_time import VirtualClock, VirtualLoop

LEASE = 20.0
HEARTBEAT = 5.0
LONGEST = 4 * 3600.0
EPOCH = datetime(2026, 11, 1, tzinfo=UTC)
_QUICK = (0.0, 0.002, 0.02, 0.2)

Kind = Literal["kill before", "kill after", "stop", "cancel", "clock", "no network"]


@dataclass(frozen=True)
class Trouble:
    """What happens to the worker of a run at its n-th call (to the CMDB or to AWS); `seconds` for stops, clocks and outages."""

    kind: Kind
    run: int
    at: int
    seconds: float = 0.0


@dataclass
class Stack:
    """A stack in the cloud: the operation under way, by token, and everything that was begun on it, in order."""

    busy: str | None = None
    done_at: float = 0.0
    begun: list[str] = field(default_factory=list)


class Process:
    """A worker process of one run."""

    def __init__(self, world: World, run: int, cmdb: ClientCmdb, client: MemoryClient) -> None:
        self.world = world
        self.run = run
        self.cmdb = cmdb
        self.skew = 0.0
        self.stopped_until = 0.0
        self.offline_until = 0.0
        self.dead = False
        self.epoch = 0
        self.loop = VirtualLoop(world.clock, world.delays, alone=False)
        self.loop.set_exception_handler(lambda loop, context: None)
        client.before, client.after = self.before, self.after
        with world.acting(self):
            cmdb.runs._clock = LeaseClock()

    def before(self, operation: str) -> None:
        """A call is about to be made."""
        if self.dead:
            raise WorkerKilledError
        self.world.calls[self.run] += 1
        self._meet("kill before")
        if self.world.clock.now < self.offline_until and operation != "AWS":
            raise EndpointConnectionError(endpoint_url="https://dynamodb")

    def after(self, operation: str) -> None:
        """A call was made; its answer is on the way."""
        for kind in ("kill after", "stop", "cancel", "clock", "no network"):
            self._meet(kind)

    def _meet(self, kind: str) -> None:
        world = self.world
        trouble = world.troubles.get((kind, self.run, world.calls[self.run]))
        if trouble is None:
            return
        del world.troubles[kind, self.run, world.calls[self.run]]
        world.met[kind] += 1
        if kind.startswith("kill"):
            self.dead = True
            raise WorkerKilledError
        if kind == "stop":
            self.stopped_until = world.clock.now + trouble.seconds
        elif kind == "clock":
            self.skew += trouble.seconds
        elif kind == "no network":
            self.offline_until = world.clock.now + trouble.seconds
        else:
            world.cancel(self.run)

    @property
    def next_at(self) -> float | None:
        """When it would go on."""
        due = self.loop.next_at
        return None if due is None else max(due, self.stopped_until)


class World:
    """Runs 0, 1, ... of these plans, a clock, the cloud, and the troubles to come."""

    def __init__(self, seed: int, troubles: Iterable[Trouble]) -> None:
        self.dice = random.Random(seed)
        self.clock = VirtualClock()
        self.troubles = {(trouble.kind, trouble.run, trouble.at): trouble for trouble in troubles}
        self.met: Counter[str] = Counter()
        self.calls: Counter[int] = Counter()
        self.stacks: dict[str, Stack] = {}
        self.effects: Counter[str] = Counter()
        self.runs: list[str] = []
        self.plans: list[Plan] = []
        self.cancelled: set[int] = set()
        self._current: Process | None = None
        TABLES.clear()
        OBSERVER_CLIENT.before = OBSERVER_CLIENT.after = lambda operation: None

    def acting(self, process: Process | None) -> _Acting:
        """Inside, this process looks at its clock."""
        return _Acting(self, process)

    def now(self) -> datetime:
        """The time on the wall of the process that acts."""
        return EPOCH + timedelta(seconds=self.clock.now + (self._current.skew if self._current else 0.0))

    def steady(self) -> float:
        """The clock that nobody sets."""
        return self.clock.now

    def delays(self, executor: Executor | None) -> tuple[float, float]:
        """AWS calls are made at once (nothing comes between the last check of the lease and the call), others need a moment."""
        after = 3.0 if self.dice.random() < 0.02 else self.dice.choice(_QUICK)
        aws = isinstance(executor, ThreadPoolExecutor) and executor._thread_name_prefix == "action"
        return 0.0 if aws else self.dice.choice(_QUICK), after

    def register(self, run: RunState, plan: Plan) -> None:
        """Add a run."""
        OBSERVER.runs.create(run.but(created_at=self.now()))
        self.runs.append(run.run_id)
        self.plans.append(plan)

    def cancel(self, number: int) -> None:
        """A person cancels a run."""
        if not OBSERVER.runs.get(self.runs[number]).status.ended:
            OBSERVER.runs.request_cancel(self.runs[number])
            self.cancelled.add(number)

    def acts_on_aws(self, run_id: str) -> Process:
        """The process that acts; a step of its own, at which troubles are met."""
        process = self._current
        assert process is not None
        assert self.runs[process.run] == run_id
        return process

    def process(self, run: int, slot: int) -> Process:
        """A fresh process for a run."""
        return Process(self, run, *WORKERS[slot % len(WORKERS)])

    def step(self, process: Process) -> None:
        """Let a process do what is ready."""
        with self.acting(process):
            process.loop.step()


class _Acting:
    def __init__(self, world: World, process: Process | None) -> None:
        self._world, self._process = world, process

    def __enter__(self) -> None:
        self._before = self._world._current
        self._world._current = self._process

    def __exit__(self, *_: Any) -> None:
        self._world._current = self._before


def patch_clocks(monkeypatch: pytest.MonkeyPatch, current: list[World]) -> None:
    """Give every module of the CMDB and the engine that asks for the time the clocks of the world in `current`."""
    for module in ("db.leases", "db.runs", "db.locks", "db.ledger", "execute.book", "execute.worker"):
        monkeypatch.setattr(f"core_lib.{module}.now", lambda: current[0].now())
    for module in ("db.leases", "execute.pulse", "execute.worker"):
        monkeypatch.setattr(f"core_lib.{module}.steady", lambda: current[0].steady())


TABLES = MemoryTables()
OBSERVER, OBSERVER_CLIENT = memory_cmdb(TABLES, lease=LEASE)
WORKERS = [memory_cmdb(TABLES, lease=LEASE) for _ in range(6)]
