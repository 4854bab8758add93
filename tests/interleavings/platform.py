"""The platform of the small world: worker processes that take runs, the kind of action they perform, and whoever resumes runs."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from core_lib.execute import Action, ActionContext, Again, Done, Engine, Pace, Step, units
from core_lib.framework.errors import AwsError, FencedError
from core_lib.framework.models import Message, RunStatus
from core_lib.framework.settings import CmdbSettings, PollingSettings, Settings
from core_lib.report import final_status
from core_lib.runner import Runner
from tests.builders.memory_cmdb import WorkerKilledError
from tests.interleavings.world import HEARTBEAT, LEASE, LONGEST, OBSERVER, Process, Stack, World
from tests.unit.execute.engines import NoSessions, NoStore

SETTINGS = Settings(cmdb=CmdbSettings(heartbeat_seconds=HEARTBEAT, lock_lease_seconds=LEASE))
PACE = Pace(PollingSettings(initial_seconds=0.5, longest_seconds=3), retry_seconds=0.5, longest_retry_seconds=3)


class ChangeParams(Message):
    """Which stack, and how long the cloud takes for it."""

    stack_name: str
    seconds: float = 4.0


def change_in(world: World) -> type[Action[ChangeParams]]:
    """The kind TEST::Change in this world. Every change of a stack is checked against the lock table at the moment it is made."""

    class Change(Action[ChangeParams]):
        kind = "TEST::Change"
        purpose = "Changes a stack."
        Params = ChangeParams
        stack_fields = ("StackName",)

        def start(self, ctx: ActionContext[ChangeParams]) -> Step:
            process = world.acts_on_aws(ctx.run_id)
            process.before("AWS")
            stack, token = self._stack(ctx), ctx.token("change")
            if stack.busy is not None and stack.busy != token:
                if world.clock.now < stack.done_at:
                    return Again(after=1.0)  # somebody who died left it in progress
                stack.busy = None
            if stack.busy is None and token not in stack.begun:
                self._assert_held(process, ctx)
                stack.busy, stack.done_at = token, world.clock.now + ctx.params.seconds
                stack.begun.append(token)
                world.effects[token] += 1
            process.after("AWS")
            return Again(scratch={"token": token})

        def check(self, ctx: ActionContext[ChangeParams]) -> Step:
            if "token" not in ctx.scratch:
                return self.start(ctx)  # it waited for what a dead run left in progress
            process = world.acts_on_aws(ctx.run_id)
            process.before("AWS")
            stack = self._stack(ctx)
            over = stack.busy != ctx.scratch["token"] or world.clock.now >= stack.done_at
            if over and stack.busy == ctx.scratch["token"]:
                stack.busy = None
            process.after("AWS")
            return Done(outputs={"Name": ctx.params.stack_name}) if over else Again()

        def cancel(self, ctx: ActionContext[ChangeParams]) -> Step:
            return Again()  # CloudFormation cannot stop a creation; it is seen to its end

        def _stack(self, ctx: ActionContext[ChangeParams]) -> Stack:
            return world.stacks.setdefault(f"{ctx.target.key}/{ctx.params.stack_name}", Stack())

        def _assert_held(self, process: Process, ctx: ActionContext[ChangeParams]) -> None:
            key = f"{ctx.target.key}/{ctx.params.stack_name}"
            lock = OBSERVER.locks.holders([key]).get(key)
            assert lock is not None, f"{ctx.run_id} changes {key} without a lock"
            assert (lock.run_id, lock.epoch) == (ctx.run_id, process.epoch), f"{ctx.run_id} changes {key}, held by {lock.run_id}"
            assert OBSERVER.runs.get(ctx.run_id).epoch == process.epoch, f"a fenced worker changes {key}"

    return Change


async def carry_out(world: World, process: Process, run_id: str) -> None:
    """Take the run and see it to its end, as the flows do."""
    runs, plan = process.cmdb.runs, world.plans[process.run]
    taken = await asyncio.to_thread(runs.take, run_id)
    process.epoch = taken.epoch
    status = RunStatus.CANCELLING if taken.cancel_requested else RunStatus.RUNNING
    run = await asyncio.to_thread(partial(runs.transition, run_id, status, epoch=taken.epoch))
    kinds = {"TEST::Change": change_in(world)}
    async with Engine(plan, process.cmdb, NoSessions(), NoStore(), SETTINGS, run, kinds=kinds, pace=PACE) as engine:
        ended: dict[str, asyncio.Task[Any]] = {}

        async def after(unit: Any) -> None:
            await asyncio.gather(*(ended[key] for key in unit.upstream_units))
            await engine.drive(unit)

        for unit in units(plan):
            ended[unit.key] = asyncio.create_task(after(unit))
        await asyncio.gather(*ended.values())
    end = final_status(plan, engine.states, cancelled=engine.cancelled)
    await asyncio.to_thread(Runner(process.cmdb, NoStore()).end, run, end)


class Platform:
    """Starts the runs, and starts a new worker for a run that has lost its own, until all runs have ended."""

    def __init__(self, world: World, begins: tuple[float, ...]) -> None:
        self.world = world
        self.starts = dict(enumerate(begins))
        self.working: dict[int, tuple[Process, asyncio.Task[None]]] = {}
        self.slots = 0

    def play(self) -> None:
        """The whole story."""
        while self._go_on():
            assert self.world.clock.now < LONGEST, f"no end: {self._standing()}"

    def _go_on(self) -> bool:
        world = self.world
        for number, at in list(self.starts.items()):
            if at <= world.clock.now:
                del self.starts[number]
                self._begin(number)
        ready = [process for process, _ in self.working.values() if (process.next_at or LONGEST) <= world.clock.now]
        if ready:
            process = world.dice.choice(ready)
            world.step(process)
            self._reap(process)
            return True
        moments = [*self.starts.values(), *(process.next_at or LONGEST for process, _ in self.working.values())]
        if not moments:
            return False
        world.clock.now = max(world.clock.now, min(moments))
        return True

    def _begin(self, number: int) -> None:
        world = self.world
        process = world.process(number, self.slots)
        self.slots += 1
        with world.acting(process):
            task = process.loop.create_task(carry_out(world, process, world.runs[number]))
        self.working[number] = process, task

    def _reap(self, process: Process) -> None:
        _, task = self.working[process.run]
        if not task.done():
            return
        del self.working[process.run]
        error = task.exception()
        if error is not None and not isinstance(error, (FencedError, WorkerKilledError, AwsError)):
            raise error
        process.loop.close()
        if not OBSERVER.runs.get(self.world.runs[process.run]).status.ended:
            self.starts[process.run] = self.world.clock.now + self.world.dice.choice((1.0, 10.0, 40.0))

    def _standing(self) -> list[str]:
        return [f"{run}: {OBSERVER.runs.get(run).status}" for run in self.world.runs]
