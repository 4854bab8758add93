"""Engines for tests: scripted action kinds, a CMDB in memory, no waiting to speak of."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from pydantic import Field

from core_lib.execute import Action, ActionContext, Again, Done, Engine, Failed, Pace, Step, UnitResult, catalogue, units
from core_lib.framework.models import ActionState, Cause, Message, Plan
from core_lib.framework.settings import PollingSettings, Settings
from tests.builders.memory_cmdb import MemoryCmdb

FAST = Pace(
    PollingSettings(initial_seconds=0.001, longest_seconds=0.002), grace=timedelta(seconds=0.2), retry_seconds=0.001,
    longest_retry_seconds=0.002,
)  # fmt: skip


class World:
    """What scripted actions do to the world outside: `effects` counts side effects per token, `log` is what happened in order."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.effects: Counter[str] = Counter()
        self.log: list[tuple[str, str]] = []
        self.running = 0
        self.most_running = 0
        self.on_starts: tuple[int, Callable[[], None]] | None = None

    def note(self, what: str, action_id: str) -> None:
        with self.lock:
            self.log.append((what, action_id))
        if self.on_starts is not None and len(self.named("start")) >= self.on_starts[0]:
            _, then = self.on_starts
            self.on_starts = None
            then()

    def cancel_after(self, starts: int, engine: Engine) -> None:
        """Cancel the run from outside once so many actions have started."""
        loop = asyncio.get_running_loop()
        self.on_starts = (starts, lambda: loop.call_soon_threadsafe(engine.cancel))

    def named(self, what: str) -> list[str]:
        """Names of the actions to which this happened, in order."""
        return [action_id.partition("@")[0] for kind, action_id in self.log if kind == what]


class ScriptParams(Message):
    """What a scripted action does: looks until it is done, failures before it works, how it ends."""

    looks: int = 0
    slips: int = 0
    failures: int = 0
    cause: Cause = Cause.PERMANENT
    fails: bool = False
    stoppable: bool = True
    cancel_slips: int = 0
    endless: bool = False
    outputs: dict[str, Any] = Field(default_factory=dict)
    stack_name: str | None = None


def scripted(world: World) -> type[Action[ScriptParams]]:
    """The kind TEST::Script, acting on this world."""

    class Script(Action[ScriptParams]):
        kind = "TEST::Script"
        purpose = "Does what the test says."
        Params = ScriptParams
        stack_fields = ("StackName",)

        def start(self, ctx: ActionContext[ScriptParams]) -> Step:
            world.note("start", ctx.action_id)
            script = ctx.params
            tries = sum(1 for what, who in world.log if what == "start" and who == ctx.action_id)
            if tries <= script.slips:
                raise ConnectionResetError("lost the connection")
            with world.lock:
                world.effects[ctx.token("create")] += 1
                world.running += 1
                world.most_running = max(world.most_running, world.running)
            if ctx.attempt <= script.failures:
                return self._end(Failed(f"attempt {ctx.attempt} failed", cause=script.cause))
            if script.looks or script.endless:
                return Again(scratch={"left": script.looks})
            return self._finish(ctx)

        def check(self, ctx: ActionContext[ScriptParams]) -> Step:
            world.note("check", ctx.action_id)
            left = ctx.scratch["left"] - 1
            if ctx.params.endless:
                return Again()
            return Again(scratch={"left": left}) if left > 0 else self._finish(ctx)

        def cancel(self, ctx: ActionContext[ScriptParams]) -> Step:
            world.note("cancel", ctx.action_id)
            if len(world.named("cancel")) <= ctx.params.cancel_slips:
                raise ConnectionResetError("lost the connection")
            return Done(message="stopped") if ctx.params.stoppable else Again()

        def undo(self, ctx: ActionContext[ScriptParams]) -> Step:
            world.note("undo", ctx.action_id)
            return Done()

        def _finish(self, ctx: ActionContext[ScriptParams]) -> Step:
            world.note("end", ctx.action_id)
            return self._end(Failed("it broke") if ctx.params.fails else Done(outputs=ctx.params.outputs))

        def _end(self, step: Step) -> Step:
            with world.lock:
                world.running -= 1
            return step

    return Script


class NoSessions:
    """Sessions that must not be asked."""

    def client(self, service: str, target: Any = None, *, region: str | None = None) -> Any:
        raise AssertionError(f"nobody should need a client for {service}")


class NoStore:
    """A store that must not be asked."""

    def get(self, key: str) -> bytes:
        raise AssertionError(key)

    def put(self, key: str, body: bytes) -> bool:
        raise AssertionError(key)

    def exists(self, key: str) -> bool:
        return False

    def url(self, key: str, *, seconds: int = 3600) -> str:
        raise AssertionError(key)


def engine_for(plan: Plan, cmdb: MemoryCmdb, world: World, **more: Any) -> Engine:
    """An engine with the scripted kind beside the real ones."""
    kinds = {**catalogue(), "TEST::Script": scripted(world)}
    settings = more.pop("settings", Settings())
    return Engine(plan, cmdb, NoSessions(), NoStore(), settings, cmdb.runs.run, kinds=kinds, pace=FAST, **more)


async def drive_all(
    plan: Plan, cmdb: MemoryCmdb, world: World, *, during: Callable[[Engine], Any] | None = None, **more: Any
) -> list[UnitResult]:
    """Drive every unit of the plan, each as soon as its upstream units have ended."""
    async with engine_for(plan, cmdb, world, **more) as engine:
        if during is not None:
            asyncio.get_running_loop().call_soon(during, engine)
        ended: dict[str, asyncio.Task[UnitResult]] = {}

        async def after(unit: Any) -> UnitResult:
            await asyncio.gather(*(ended[key] for key in unit.upstream_units))
            return await engine.drive(unit)

        for unit in units(plan):
            ended[unit.key] = asyncio.create_task(after(unit))
        return list(await asyncio.gather(*ended.values()))


def states_of(cmdb: MemoryCmdb) -> dict[str, ActionState]:
    """Rows by action name (plans with one target) or id."""
    rows = cmdb.ledger.load(cmdb.runs.run.run_id)
    return {key.partition("@")[0] if len({k.partition("@")[2] for k in rows}) == 1 else key: row for key, row in rows.items()}
