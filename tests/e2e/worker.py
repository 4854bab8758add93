"""A worker without Prefect: executes one run exactly as the flows do, with the same engine, floor and run record.

    python -m tests.e2e.worker CLIENT RUN_ID

It tells what happens on standard output, one JSON object per line: every transition it has committed to the ledger, and every
call that changes a stack, when it was begun.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from core_lib.db import Cmdb
from core_lib.execute import Engine, Unit, make_batches, units
from core_lib.framework.errors import CoreError
from core_lib.framework.models import ActionState, Options, RunState, RunStatus, Target
from core_lib.framework.settings import Settings, load_settings
from core_lib.helper import AwsSessions, open_store
from core_lib.report import final_status
from core_lib.runner import Runner
from tasks.floor import Floor

Tell = Callable[[dict[str, Any]], None]
_READS = ("describe_", "list_", "get_", "meta")


class ToldSessions(AwsSessions):
    """Sessions that tell of every CloudFormation call which changes something: `began` and `ended` in epoch seconds."""

    def __init__(self, settings: Settings, run_id: str, tell: Tell) -> None:
        super().__init__(settings, correlation_id=run_id)
        self._run_id = run_id
        self._tell = tell

    def client(self, service: str, target: Target | None = None, *, region: str | None = None) -> Any:
        """As `AwsSessions.client`."""
        made = super().client(service, target, region=region)
        return _Told(made, self._run_id, target.key, self._tell) if service == "cloudformation" and target else made


class _Told:
    """A client whose changing calls are told of, before and after."""

    def __init__(self, client: Any, run_id: str, target: str, tell: Tell) -> None:
        self._client = client
        self._run_id = run_id
        self._target = target
        self._tell = tell

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name.startswith(_READS):
            return found

        def call(**arguments: Any) -> Any:
            stack = str(arguments["StackName"])
            short = stack.split("/")[1] if stack.startswith("arn:") else stack
            told = {"call": name, "run": self._run_id, "stack": f"{self._target}/{short}", "began": time.time()}
            self._tell({"beginning": told})
            try:
                return found(**arguments)
            finally:
                self._tell({**told, "ended": time.time()})

        return call


async def execute(
    client: str, run_id: str, tell: Tell, *, only_if_idle: bool = False, options: Options | None = None
) -> RunState:
    """Take the run over and see it to its end; the run as it ended."""
    settings = load_settings()
    with Cmdb(settings) as opened, closing(ToldSessions(settings, run_id, tell)) as sessions:
        cmdb, store = opened.for_client(client), open_store(settings, sessions)
        _, plan = await asyncio.to_thread(Runner(cmdb, store).load, run_id)
        taken = cmdb.runs.take(run_id, only_if_idle=only_if_idle)
        status = RunStatus.CANCELLING if taken.cancel_requested else RunStatus.RUNNING
        run = cmdb.runs.transition(run_id, status, epoch=taken.epoch, options=options or taken.options)
        floor = Floor(make_batches(units(plan), settings.prefect.batch_size), writers=1, slots=settings.limits.concurrency)

        def on_event(state: ActionState) -> None:
            tell({"action": state.action_id, "status": state.status.value, "attempt": state.attempt})

        async with Engine(plan, cmdb, sessions, store, settings, run, on_event) as engine:
            with _stoppable(engine):
                await _drive_all(engine, floor, units(plan))
        return cmdb.runs.transition(run_id, final_status(plan, engine.states, cancelled=engine.cancelled), epoch=run.epoch)


async def _drive_all(engine: Engine, floor: Floor, every: tuple[Unit, ...] | list[Unit]) -> None:
    async def drive(unit: Unit) -> None:
        async with floor.turn(unit):
            await engine.drive(unit)

    results = await asyncio.gather(*(drive(unit) for unit in every), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


class _stoppable:  # noqa: N801 - used like a function
    """Inside, SIGTERM cancels the run, where signals can be listened to."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._engine.cancel)

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)


def say(document: dict[str, Any]) -> None:
    """One line, at once."""
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def main() -> int:
    """0 when the run succeeded, 1 when it did not, 2 when it could not be executed."""
    client, run_id = sys.argv[1:3]
    say({"worker": "started"})
    try:
        run = asyncio.run(execute(client, run_id, say))
    except CoreError as error:
        say({"error": error.as_dict()})
        return 2
    say({"run": run.run_id, "status": run.status.value})
    return 0 if run.status is RunStatus.SUCCEEDED else 1


if __name__ == "__main__":
    sys.exit(main())
