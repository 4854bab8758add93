"""Passes: a run executed in short shifts, each of which does what can be done now and tells when the next one is due.

This is how Step Functions executes a plan: a task makes a pass over a batch of units, a Wait state does the waiting. Several
workers may make passes over different batches of one run at the same time; they meet in the ledger only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from core_lib.execute.driver import first_error
from core_lib.execute.engine import Engine, UnitResult
from core_lib.execute.graph import Unit, units
from core_lib.framework.models import Message


class PassResult(Message):
    """What a pass left. `waiting`: seconds until the next one is due; None = the batch has ended.

    `for_people`: nothing but people is waited for. `looks` goes into the next pass's `Shift`: passes in a row without news.
    """

    waiting: float | None = None
    for_people: bool = False
    looks: int = 0

    @property
    def ended(self) -> bool:
        """Whether every unit of the batch has come to its end."""
        return self.waiting is None


async def make_pass(engine: Engine, batch: Sequence[Unit]) -> PassResult:
    """Drive these units as far as the engine's shift goes. Units outside that they wait for are looked up in the ledger.

    Raises what `Engine.drive` raises.
    """
    crew = _Crew(engine, batch)
    results = await crew.work()
    waits = [result for result in results if result.waiting is not None]
    if not waits:
        return PassResult()
    seconds = min(result.waiting for result in waits if result.waiting is not None)
    return PassResult(
        waiting=max(0.0, min(seconds, engine.longest_wait)),
        for_people=all(result.for_people for result in waits),
        looks=0 if engine.written else engine.shift.looks + 1,
    )


class _Crew:
    """Everybody who works on one batch."""

    def __init__(self, engine: Engine, batch: Sequence[Unit]) -> None:
        self._engine = engine
        self._batch = batch
        self._plan: Mapping[str, Unit] = {unit.key: unit for unit in units(engine.plan)}
        self._tasks: dict[str, asyncio.Task[UnitResult]] = {}
        self._over: set[str] = set()

    async def work(self) -> list[UnitResult]:
        """All units side by side, each after those it waits for."""
        outside = {key for unit in self._batch for key in unit.upstream_units} - {unit.key for unit in self._batch}
        for key in sorted(outside):
            await self._engine.learn(self._plan[key])
        over = [unit for unit in self._batch if self._engine.is_over(unit)]
        self._over = {unit.key for unit in over}
        await self._engine.let_go(over)
        try:
            async with asyncio.TaskGroup() as group:
                for unit in self._batch:
                    self._tasks[unit.key] = group.create_task(self._one(unit), name=unit.key)
        except BaseExceptionGroup as errors:
            raise first_error(errors) from None
        return [task.result() for task in self._tasks.values()]

    async def _one(self, unit: Unit) -> UnitResult:
        for key in unit.upstream_units:
            waited_for = await self._upstream(key)
            if waited_for is not None:
                return UnitResult(key=unit.key, target=unit.target, waiting=waited_for.waiting, for_people=waited_for.for_people)
        if unit.key in self._over:
            return UnitResult(key=unit.key, target=unit.target)
        return await self._engine.drive(unit)

    async def _upstream(self, key: str) -> UnitResult | None:
        """What keeps an upstream unit from its end; None = it has ended."""
        if key in self._tasks:
            result = await self._tasks[key]
            return None if result.waiting is None else result
        unit = self._plan[key]
        if self._engine.is_over(unit):
            return None
        return UnitResult(key=key, target=unit.target, waiting=self._engine.look_again)
