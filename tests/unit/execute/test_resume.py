"""Killed at any moment and resumed, a run ends as if nobody had touched it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core_lib.execute import units
from core_lib.framework.models import ActionState, ActionStatus, Hook, Options, PlanAction
from tests.builders.memory_cmdb import MemoryCmdb, WorkerKilledError
from tests.builders.plans import HERE, action, plan_of
from tests.unit.execute.engines import World, drive_all, engine_for, states_of

THERE = "222222222222/eu-west-1"


def script(name: str, *, after: tuple[str, ...] = (), target: str = HERE, **fields: Any) -> PlanAction:
    spec = {key: fields.pop(key) for key in list(fields) if key[0].isupper()}
    return action(name, "TEST::Script", after=after, target=target, spec=spec, **fields)


STORY = [
    script("net", Looks=2, StackName="net"),
    script("keys", Looks=1),
    script("app", after=("net", "keys"), Looks=2, Outputs={"Url": "x"}),
    script("check", after=("app",), condition="outputs.app.Url == 'y'", references={"app": f"app@{HERE}"}),
    script("spoke", after=(f"app@{HERE}",), target=THERE, Looks=1),
    script("fails", after=("net",), Fails=True),
    script("never", after=("fails",)),
]


class Killer:
    """Kills the worker right before or right after its n-th ledger transaction."""

    def __init__(self, cmdb: MemoryCmdb, at: int, *, after: bool) -> None:
        self.writes = 0
        self.at = at
        hook = "after_write" if after else "before_write"
        setattr(cmdb.ledger, hook, self)

    def __call__(self, states: Sequence[ActionState]) -> None:
        self.writes += 1
        if self.writes == self.at:
            raise WorkerKilledError


async def run_with_kills(
    story: list[PlanAction], kills: Sequence[tuple[int, bool]], tolerance: int = 5
) -> tuple[MemoryCmdb, World]:
    """Run the story; each kill ends a worker, the next one takes the run over. The last one is not disturbed."""
    cmdb = MemoryCmdb(Options(tolerance=tolerance))
    world = World()
    plan = plan_of(story)
    for at, after in kills:
        Killer(cmdb, at, after=after)
        with contextlib.suppress(WorkerKilledError):
            await drive_all(plan, cmdb, world)
        cmdb.ledger.before_write = cmdb.ledger.after_write = lambda states: None
        cmdb.runs.take()
        world.running = 0
    await drive_all(plan, cmdb, world)
    return cmdb, world


def ends(cmdb: MemoryCmdb) -> dict[str, str]:
    return {key: state.status.value for key, state in states_of(cmdb).items()}


EXPECTED = {
    f"net@{HERE}": "succeeded", f"keys@{HERE}": "succeeded", f"app@{HERE}": "succeeded", f"check@{HERE}": "skipped",
    f"spoke@{THERE}": "succeeded", f"fails@{HERE}": "failed", f"never@{HERE}": "blocked",
}  # fmt: skip


@pytest.mark.parametrize("after", [False, True])
async def test_run_when_killed_at_each_of_its_writes_then_it_ends_the_same_and_repeats_no_effect(after: bool) -> None:
    undisturbed, _ = await run_with_kills(STORY, [])
    assert ends(undisturbed) == EXPECTED
    for at in range(1, len(undisturbed.ledger.groups) + 1):
        cmdb, world = await run_with_kills(STORY, [(at, after)])
        assert ends(cmdb) == EXPECTED, f"killed at write {at}"
        assert_effects(cmdb, world)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(1, 14), st.booleans()), max_size=5))
async def test_run_when_killed_many_times_then_it_ends_the_same(kills: list[tuple[int, bool]]) -> None:
    cmdb, world = await run_with_kills(STORY, kills)
    assert ends(cmdb) == EXPECTED
    assert_effects(cmdb, world)


def assert_effects(cmdb: MemoryCmdb, world: World) -> None:
    """An effect belongs to a token. A repeated start has the token of the first one, so AWS sees one request per attempt."""
    attempts = {state.action_id: state.attempt for state in cmdb.ledger.load("run-1").values() if state.started_at}
    names = {identity.partition("@")[0] for identity in attempts}
    assert len(world.effects) <= sum(attempts.values())
    assert set(world.named("start")) <= names
    for state in cmdb.ledger.load("run-1").values():
        assert state.status is not ActionStatus.RUNNING


async def test_running_action_when_resumed_then_it_is_checked_and_not_started_again() -> None:
    cmdb, world = await run_with_kills([script("a", Looks=3)], [(2, True)])
    assert world.named("start") == ["a"]
    assert ends(cmdb) == {"a": "succeeded"}
    assert states_of(cmdb)["a"].attempt == 1


async def test_succeeded_action_when_resumed_then_it_is_left_alone() -> None:
    _, world = await run_with_kills([script("a"), script("b", after=("a",))], [(3, True)])
    assert world.named("start").count("a") == 1


async def test_failed_action_when_resumed_then_it_starts_again_with_new_tokens() -> None:
    cmdb = MemoryCmdb()
    plan = plan_of([script("a", Failures=1), script("b", after=("a",))])
    world = World()
    await drive_all(plan, cmdb, world)
    assert ends(cmdb) == {"a": "failed", "b": "blocked"}
    cmdb.runs.take()
    await drive_all(plan, cmdb, world)
    rows = states_of(cmdb)
    assert ends(cmdb) == {"a": "succeeded", "b": "succeeded"}
    assert (rows["a"].attempt, rows["a"].error, rows["b"].attempt) == (2, None, 1)
    assert sorted(world.effects.values()) == [1, 1, 1]


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ("failed", {"bad": "succeeded", "child": "succeeded", "other": "cancelled"}),
        ("unstarted", {"bad": "failed", "child": "blocked", "other": "succeeded"}),
    ],
)
async def test_resume_when_told_what_to_repeat_then_the_rest_stays_as_it_is(only: Any, expected: dict[str, str]) -> None:
    cmdb = MemoryCmdb(Options(tolerance=1))
    plan = plan_of([script("bad", Failures=1), script("child", after=("bad",)), script("other", StackName="x")])
    world = World()

    await drive_all(plan_of([each for each in plan.actions if each.name != "other"]), cmdb, world)
    async with engine_for(plan, cmdb, world) as engine:
        engine.cancel()
        await engine.drive(replace(units(plan)[0], action_ids=(f"other@{HERE}",)))
    assert ends(cmdb) == {"bad": "failed", "child": "blocked", "other": "cancelled"}
    cmdb.runs.run = cmdb.runs.take().but(options=Options(tolerance=1, only=only))
    await drive_all(plan, cmdb, world)
    assert ends(cmdb) == expected


async def test_undo_when_killed_in_the_middle_then_the_next_worker_finishes_it_and_starts_over() -> None:
    cmdb = MemoryCmdb(Options(tolerance=1))
    world = World()
    plan = plan_of([script("a"), script("bad", after=("a",), Failures=1, on_failure="undo")])
    killed = [False]

    def kill(states: Sequence[ActionState]) -> None:
        if "core:undoing" in states[0].scratch and not killed[0]:
            killed[0] = True
            raise WorkerKilledError

    cmdb.ledger.after_write = kill
    with pytest.raises(WorkerKilledError):
        await drive_all(plan, cmdb, world)
    assert cmdb.statuses()[f"a@{HERE}"] is ActionStatus.RUNNING
    cmdb.runs.take()
    await drive_all(plan, cmdb, world)
    assert world.named("undo") == ["a"]
    assert ends(cmdb) == {"a": "succeeded", "bad": "succeeded"}
    assert states_of(cmdb)["a"].attempt == 2


async def test_resume_when_only_transient_then_passing_failures_and_what_they_blocked_are_done_and_nothing_else() -> None:
    cmdb, world = MemoryCmdb(Options(tolerance=5)), World()
    retry = {"attempts": 1}
    story = [
        script("net", Failures=1, Cause="throttled", retry=retry),
        script("app", after=("net",)),
        script("bad", target=THERE, Failures=1, retry=retry),
        script("after-bad", target=THERE, after=("bad",)),
    ]
    plan = plan_of(story)
    await drive_all(plan, cmdb, world)
    assert ends(cmdb) == {
        f"net@{HERE}": "failed", f"app@{HERE}": "blocked", f"bad@{THERE}": "failed", f"after-bad@{THERE}": "blocked",
    }  # fmt: skip
    cmdb.runs.take()
    cmdb.runs.run = cmdb.runs.run.but(options=Options(tolerance=5, only="transient"))
    await drive_all(plan, cmdb, world)
    assert ends(cmdb) == {
        f"net@{HERE}": "succeeded", f"app@{HERE}": "succeeded", f"bad@{THERE}": "failed", f"after-bad@{THERE}": "blocked",
    }  # fmt: skip
    assert world.named("start").count("bad") == 1


@pytest.mark.parametrize("at", range(1, 6))
async def test_hooks_when_the_worker_dies_between_a_transition_and_its_event_then_every_event_is_told_once(at: int) -> None:
    hooks = (Hook(on=("running", "complete", "failed")),)
    story = [script("net", Looks=1, hooks=hooks), script("fails", after=("net",), Fails=True, hooks=hooks)]
    cmdb, _ = await run_with_kills(story, [(at, True)])
    told = sorted((event.details["Action"], event.status) for event in cmdb.events.events.values())
    failed_twice = [("fails", "FAILED")] if at == 5 else []  # the row says failed, and the resumed run tries it once more
    again = [("fails", "RUNNING")] if at == 5 else []
    assert told == sorted([
        ("fails", "FAILED"), ("fails", "RUNNING"), ("net", "COMPLETE"), ("net", "RUNNING"), *failed_twice, *again,
    ])  # fmt: skip
