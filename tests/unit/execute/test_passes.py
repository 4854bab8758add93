"""A run executed in passes ends as one that a worker stays with: same rows, same effects, same order of retries."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core_lib.execute import Shift, make_pass, units
from core_lib.framework.errors import FencedError
from core_lib.framework.models import ActionState, ActionStatus, Cause, Options, Plan, PlanAction, Retry
from core_lib.framework.settings import CmdbSettings, Settings
from tests.builders.memory_cmdb import MemoryCmdb, WorkerKilledError
from tests.builders.plans import HERE, action, plan_of
from tests.unit.execute.engines import World, drive_all, engine_for, states_of
from tests.unit.execute.test_resume import STORY, THERE, script

NOW = 0.0
MOST_PASSES = 400


async def in_passes(
    plan: Plan, cmdb: MemoryCmdb, world: World, *, batches: int = 1, seconds: float = NOW, cancel_at: int | None = None
) -> int:
    """Execute a plan in passes over its batches in turn; answers how many it took."""
    everything = units(plan)
    size = -(-len(everything) // batches)
    open_batches = [everything[start : start + size] for start in range(0, len(everything), size)]
    looks = dict.fromkeys(range(len(open_batches)), 0)
    began = datetime.now(UTC)
    for number in range(MOST_PASSES):
        if number == cancel_at:
            cmdb.runs.request_cancel()
        ended = True
        for index, batch in enumerate(open_batches):
            shift = Shift(seconds, looks=looks[index], since=began)
            only = None if batches == 1 else [identity for unit in batch for identity in unit.action_ids]
            async with engine_for(plan, cmdb, world, shift=shift, only=only) as engine:
                result = await make_pass(engine, batch)
            looks[index] = result.looks
            ended = ended and result.ended
        if ended:
            return number + 1
        await asyncio.sleep(0.001)
    raise AssertionError("the run does not end")


def told(rows: dict[str, ActionState]) -> dict[str, tuple[Any, ...]]:
    """What counts of the rows: everything but times, versions and what only keeps count."""
    return {
        key: (row.status, row.attempt, row.changed, row.message, row.error and row.error.message, row.outputs)
        for key, row in rows.items()
    }


STORIES: dict[str, tuple[list[PlanAction], Options]] = {
    "mixed": (STORY, Options(tolerance=5)),
    "undo": (
        [
            script("net", Looks=2),
            script("app", after=("net",), Looks=1),
            script("bad", after=("app",), Looks=1, Fails=True, on_failure="undo"),
            script("never", after=("bad",)),
            script("spoke", target=THERE, Looks=1),
        ],
        Options(tolerance=1),
    ),
    "retries": (
        [
            script("flaky", Failures=2, Cause=Cause.TRANSIENT, retry=Retry(attempts=3)),
            script("hopeless", Failures=9, Cause=Cause.TRANSIENT, retry=Retry(attempts=3)),
            script("slips", Slips=2, Looks=1, retry=Retry(attempts=4)),
            script("slips-out", Slips=9, retry=Retry(attempts=3)),
        ],
        Options(tolerance=5),
    ),
    "tolerance exceeded": (
        [script("fails", target=f"{number:012d}/eu-west-1", Fails=True) for number in range(1, 4)]
        + [script("late", target=THERE, after=("fails@000000000001/eu-west-1",), Looks=2)]
        + [script("other", target="999999999999/eu-west-1", Looks=3)]
        + [script("after", target="999999999999/eu-west-1", after=("other",), Looks=3)],
        Options(tolerance=2),
    ),
}


@pytest.mark.parametrize("batches", [1, 3])
@pytest.mark.parametrize("name", STORIES)
async def test_passes_when_they_do_all_the_work_then_the_end_is_that_of_a_worker_who_stays(name: str, batches: int) -> None:
    story, options = STORIES[name]
    plan = plan_of(story)
    stayed, patient = MemoryCmdb(options), World()
    await drive_all(plan, stayed, patient)
    left, busy = MemoryCmdb(options), World()
    passes = await in_passes(plan, left, busy, batches=batches)
    assert passes > 1
    assert told(states_of(left)) == told(states_of(stayed))
    assert busy.effects == patient.effects
    assert sorted(busy.named("undo")) == sorted(patient.named("undo"))
    assert left.locks.holders == {}


async def test_pass_when_everything_can_be_done_at_once_then_one_is_enough() -> None:
    cmdb, world = MemoryCmdb(), World()
    plan = plan_of([script("a"), script("b", after=("a",)), script("c", target=THERE, after=(f"b@{HERE}",))])
    assert await in_passes(plan, cmdb, world) == 1
    assert {row.status for row in states_of(cmdb).values()} == {ActionStatus.SUCCEEDED}


async def test_pass_when_the_shift_is_long_enough_then_it_waits_itself() -> None:
    cmdb, world = MemoryCmdb(), World()
    assert await in_passes(plan_of([script("a", Looks=5)]), cmdb, world, seconds=5.0) == 1


async def test_pass_when_an_action_failed_in_an_earlier_pass_then_it_is_not_tried_again() -> None:
    cmdb, world = MemoryCmdb(Options(tolerance=1)), World()
    await in_passes(plan_of([script("fails", Fails=True), script("slow", Looks=6)]), cmdb, world)
    assert world.named("start").count("fails") == 1


async def test_pass_when_the_run_is_cancelled_between_two_then_what_runs_is_stopped_and_nothing_else_starts() -> None:
    cmdb, world = MemoryCmdb(), World()
    plan = plan_of([script("a", Endless=True), script("b", after=("a",))])
    await in_passes(plan, cmdb, world, cancel_at=2)
    rows = states_of(cmdb)
    assert (rows["a"].status, rows["b"].status) == (ActionStatus.CANCELLED, ActionStatus.CANCELLED)
    assert world.named("start") == ["a"]


async def test_pass_when_what_is_cancelled_cannot_be_stopped_then_the_grace_counts_over_all_passes() -> None:
    cmdb, world = MemoryCmdb(), World()
    await in_passes(plan_of([script("a", Endless=True, Stoppable=False)]), cmdb, world, cancel_at=2)
    row = states_of(cmdb)["a"]
    assert row.status is ActionStatus.CANCELLED
    assert "still going on" in (row.message or "")
    assert world.named("cancel") == ["a"], "AWS was asked once"


async def test_pass_when_an_action_has_a_timeout_then_it_counts_over_all_passes() -> None:
    cmdb, world = MemoryCmdb(), World()
    slow = script("a", Endless=True, timeout=timedelta(seconds=0.2))
    await in_passes(plan_of([slow]), cmdb, world)
    row = states_of(cmdb)["a"]
    assert row.error is not None
    assert row.error.cause is Cause.TIMEOUT


async def test_pass_when_another_run_holds_a_stack_then_it_comes_back_later() -> None:
    cmdb, world = MemoryCmdb(), World()
    plan = plan_of([script("a", StackName="net")])
    cmdb.locks.holders[f"{HERE}/net"] = "somebody"
    async with engine_for(plan, cmdb, world, shift=Shift(0)) as engine:
        result = await make_pass(engine, units(plan))
    assert (result.ended, result.for_people, world.log) == (False, False, [])
    del cmdb.locks.holders[f"{HERE}/net"]
    await in_passes(plan, cmdb, world)
    assert states_of(cmdb)["a"].status is ActionStatus.SUCCEEDED


async def test_pass_when_machines_are_waited_for_then_the_locks_stay() -> None:
    cmdb, world = MemoryCmdb(), World()
    plan = plan_of([script("a", StackName="net", Looks=3)])
    async with engine_for(plan, cmdb, world, shift=Shift(0)) as engine:
        await make_pass(engine, units(plan))
    assert cmdb.locks.holders == {f"{HERE}/net": "run-1"}


async def test_pass_when_it_is_to_wait_then_never_longer_than_a_third_of_the_lease() -> None:
    cmdb, world = MemoryCmdb(), World()
    plan = plan_of([action("a", "TEST::Script", spec={"Looks": 3})])
    short = Settings(cmdb=CmdbSettings(lock_lease_seconds=3, heartbeat_seconds=1))
    async with engine_for(plan, cmdb, world, shift=Shift(0), settings=short) as engine:
        assert engine.longest_wait == 1.0
        result = await make_pass(engine, units(plan))
    assert result.waiting is not None
    assert result.waiting <= 1.0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kills=st.lists(st.tuples(st.integers(1, 25), st.booleans()), max_size=4), batches=st.integers(1, 3))
def test_passes_when_workers_are_killed_in_between_then_nothing_is_lost_or_done_twice(
    kills: Sequence[tuple[int, bool]], batches: int
) -> None:
    async def story() -> None:
        plan = plan_of(STORY)
        calm, patient = MemoryCmdb(Options(tolerance=5)), World()
        await drive_all(plan, calm, patient)
        cmdb, world = MemoryCmdb(Options(tolerance=5)), World()
        for at, after in kills:
            writes = 0

            def die(states: Sequence[ActionState], at: int = at) -> None:
                nonlocal writes
                writes += 1
                if writes == at:
                    raise WorkerKilledError

            setattr(cmdb.ledger, "after_write" if after else "before_write", die)
            with contextlib.suppress(WorkerKilledError, BaseExceptionGroup):
                await in_passes(plan, cmdb, world, batches=batches)
            cmdb.ledger.after_write = cmdb.ledger.before_write = lambda states: None
        await in_passes(plan, cmdb, world, batches=batches)
        got, expected = told(states_of(cmdb)), told(states_of(calm))
        assert {key: row[0] for key, row in got.items()} == {key: row[0] for key, row in expected.items()}
        assert set(world.effects) == set(patient.effects), "a step that is repeated has the token of the first time"
        assert cmdb.locks.holders == {}

    asyncio.run(story())


async def test_pass_when_its_worker_was_fenced_off_then_that_very_error_is_raised() -> None:
    """Not a group of errors: the state machine decides by the name whether it tries again."""
    cmdb, world = MemoryCmdb(), World()
    plan = plan_of([script("one"), script("other", target=THERE)])
    async with engine_for(plan, cmdb, world, shift=Shift(NOW)) as engine:
        cmdb.runs.take()
        with pytest.raises(FencedError) as caught:
            await make_pass(engine, units(plan))
    assert type(caught.value) is FencedError
