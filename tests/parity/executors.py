"""The two executors, as scenarios use them: begin a run, wait for its end."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Protocol

from core_lib.execute import Engine, Pace, Unit, make_batches, units
from core_lib.framework.models import ActionState, Options, Plan, RunState, RunStatus
from core_lib.helper import AwsSessions
from core_lib.report import final_status
from core_lib.runner import needs_review
from core_lib.runner.stepfunctions import Executions
from tasks.floor import Floor
from tests.parity.site import Site

PATIENCE = 100.0


class Executor(Protocol):
    """Who executes the plan of a run that is registered (or has ended, then it is resumed)."""

    name: str

    def begin(self, site: Site, run: RunState, options: Options | None = None) -> Callable[[], RunState]:
        """Begin; the answer waits for the end."""
        ...


class Prefect:
    """What the flow `run` does, without Prefect's own bookkeeping: one engine over all batches, in this process."""

    name = "prefect"

    def __init__(self, kinds: Mapping[str, Any], pace: Pace) -> None:
        self._kinds = kinds
        self._pace = pace

    def begin(self, site: Site, run: RunState, options: Options | None = None) -> Callable[[], RunState]:
        taken = _taken(site, run, options)
        failures: list[BaseException] = []

        def work() -> None:
            try:
                asyncio.run(self._execute(site, taken))
            except BaseException as error:  # noqa: BLE001 - raised again where the end is waited for
                failures.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()

        def end() -> RunState:
            thread.join(PATIENCE)
            if failures:
                raise failures[0]
            return site.cmdb.runs.get(run.run_id)

        return end

    async def _execute(self, site: Site, run: RunState) -> None:
        _, plan = site.runner.load(run.run_id)
        reviews = site.runner.reviewed(run.options, run.prn, None) if needs_review(plan) else {}
        batches = make_batches(units(plan), site.settings.prefect.batch_size)
        floor = Floor(batches, writers=1, slots=run.options.concurrency or site.settings.limits.concurrency)
        with closing(AwsSessions(site.settings, correlation_id=run.run_id)) as sessions:
            engine = Engine(
                plan, site.cmdb, sessions, site.store, site.settings, run, reviews=reviews, kinds=self._kinds, pace=self._pace
            )
            async with engine:
                await asyncio.gather(*(self._drive(engine, floor, unit) for unit in units(plan)))
        self._end(site, run, plan, engine.states, cancelled=engine.cancelled)

    async def _drive(self, engine: Engine, floor: Floor, unit: Unit) -> None:
        async with floor.turn(unit):
            await engine.drive(unit)

    def _end(self, site: Site, run: RunState, plan: Plan, states: Mapping[str, ActionState], *, cancelled: bool) -> None:
        ended = site.runner.end(run, final_status(plan, states, cancelled=cancelled))
        site.runner.export(ended, plan, states)


class StateMachine:
    """The real state machine; its tasks are done by an activity worker that the test has started."""

    name = "stepfunctions"

    def __init__(self, executions: Executions, patience: float = PATIENCE) -> None:
        self.executions = executions
        self._patience = patience

    def begin(self, site: Site, run: RunState, options: Options | None = None) -> Callable[[], RunState]:
        taken = _taken(site, run, options)
        arn = self.executions.start(site.cmdb.runs.amend(run.run_id, epoch=taken.epoch, execution=self.executions.arn_of(taken)))

        def end() -> RunState:
            deadline = time.monotonic() + self._patience
            while time.monotonic() < deadline:
                record, execution = site.cmdb.runs.get(run.run_id), self.executions.look(arn)
                if execution is not None and not execution.running:
                    assert record.status.ended, f"{execution}"
                    assert execution.status == ("FAILED" if record.status is RunStatus.FAILED else "SUCCEEDED"), f"{execution}"
                    return record
                time.sleep(0.1)
            raise AssertionError(f"it does not end: {site.cmdb.runs.get(run.run_id)} {self.executions.look(arn)}")

        return end


def _taken(site: Site, run: RunState, options: Options | None) -> RunState:
    """The run with a fresh epoch, as the task `take run` leaves it."""
    taken = site.cmdb.runs.take(run.run_id)
    status = RunStatus.CANCELLING if taken.cancel_requested else RunStatus.RUNNING
    fields: dict[str, Any] = {"options": options or taken.options, "error": None}
    return site.cmdb.runs.transition(run.run_id, status, epoch=taken.epoch, **fields)
