"""What all parts of one engine share: the plan, the book, the brake, the caps, threads for boto3 calls, and the polling curve."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from core_lib.execute.book import RunBook
from core_lib.execute.brake import Brake
from core_lib.execute.caps import Caps
from core_lib.execute.files import PlanFiles
from core_lib.execute.freeze import Freeze
from core_lib.execute.kinds import Kinds
from core_lib.execute.memory import Memory
from core_lib.execute.ports import Sessions
from core_lib.execute.shift import Shift
from core_lib.framework.models import Plan, PlanAction, RunState, StackReview, Task, tolerated
from core_lib.framework.settings import PollingSettings, Settings

R = TypeVar("R")


@dataclass
class Pace:
    """Waiting times: between looks at an action in progress, and before another try."""

    polling: PollingSettings
    grace: timedelta = timedelta(minutes=2)
    retry_seconds: float = 1.0
    longest_retry_seconds: float = 30.0

    def look(self, looks: int) -> float:
        """Seconds until the next look, after this many looks at the same stage."""
        grown = self.polling.initial_seconds * self.polling.factor ** min(looks, 50)
        return min(grown, self.polling.longest_seconds)

    def retry(self, failures: int) -> float:
        """Seconds before the next try after this many failures: exponential, with full jitter in its upper half."""
        longest = min(self.retry_seconds * 2.0 ** min(failures - 1, 20), self.longest_retry_seconds)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, protects nothing


async def nothing_to_assure() -> None:
    """Of a worker that nobody can take over."""


@dataclass
class Parts:
    """Handed to everything that works for one engine. `assure` makes sure, before a step, that the run is still this worker's."""

    plan: Plan
    run: RunState
    kinds: Kinds
    book: RunBook
    memory: Memory
    brake: Brake
    caps: Caps
    ranks: Mapping[str, int]
    pace: Pace
    files: PlanFiles
    sessions: Sessions
    freeze: Freeze
    reviews: dict[str, StackReview]
    log: logging.Logger
    settings: Settings
    threads: ThreadPoolExecutor
    shift: Shift = field(default_factory=Shift)
    whole: bool = True
    """This worker knows every row of the run, so that it can count them."""
    assure: Callable[[], Awaitable[None]] = nothing_to_assure
    chosen: frozenset[str] | None = None
    """Ids of the only actions that this visit of the run takes up; None = it goes by their status."""
    waits: dict[str, str] = field(default_factory=dict)
    """Locks that units wait for, with the run that holds each."""
    failed_targets: set[str] = field(default_factory=set)
    lock_turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while locks are taken: DynamoDB refuses transactions that check the run's fence at the same moment."""

    async def call(self, function: Callable[..., R], *args: Any) -> R:
        """Run a blocking call in a thread, with this task's context (correlation id and so on)."""
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.threads, lambda: context.run(function, *args))

    def count_failure(self, action: PlanAction) -> None:
        """Remember a failed target; too many of them, in the run or in one wave, pull the brake. Gates are no targets."""
        if action.id in self.plan.gates:
            return
        self.failed_targets.add(action.target)
        wave = self.plan.wave_of.get(action.target) if self.plan.task is not Task.PLAN else None
        if wave is not None:
            failed = len(self.failed_targets.intersection(wave.targets))
            self._compare(failed, len(wave.targets), tolerated(wave.tolerance, len(wave.targets)), f"wave {wave.name}")
        if wave is None or self.run.options.tolerance is not None:
            total = len(self.plan.targets)
            self._compare(len(self.failed_targets), total, self.run.options.tolerated(total), "run")

    def _compare(self, failed: int, total: int, most: int, whose: str) -> None:
        if failed > most:
            place = "" if whose == "run" else f" of {whose}"
            self.brake.exceed(f"not started: {failed} of {total} targets{place} failed, the {whose.split()[0]} tolerates {most}")


def reviews_in(outputs: Mapping[str, Any]) -> StackReview | None:
    """The review that a CreateChangeSet action left in its outputs, if it is one."""
    found = outputs.get("Review")
    return StackReview.model_validate(found) if isinstance(found, Mapping) and "StackName" in found else None
