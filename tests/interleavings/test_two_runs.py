"""Runs over the same stacks, thousands of ways to interleave them, and everything that goes wrong on the way.

No stack is ever changed by a run that does not hold it, every run ends, nothing is done twice, and no event is missing.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Literal

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from core_lib.db import Event
from core_lib.framework.models import ActionStatus, Hook, Options, Plan, PlanAction, RunState, RunStatus, Task
from tests.builders.plans import action, plan_of
from tests.interleavings.platform import Platform
from tests.interleavings.world import OBSERVER, Kind, Trouble, World, patch_clocks
from tests.unit.db.builders import a_run

HERE, THERE = "111111111111/eu-west-1", "222222222222/eu-west-1"
HOOKS = (Hook(on=("running", "complete", "failed")),)
PRN = "prn:web:shop:main:7"
WhenLocked = Literal["wait", "refuse", "supersede"]


def change(name: str, target: str, *after: str, stack: str | None = None, **fields: object) -> PlanAction:
    spec = {"StackName": stack or name}
    return action(name, "TEST::Change", target=target, after=after, spec=spec, hooks=HOOKS, **fields)


HUB_FIRST = plan_of(
    [change("net", HERE), change("app", HERE, "net"), change("net", THERE, f"app@{HERE}"), change("own", THERE, "net")]
)
SPOKE_FIRST = plan_of([
    change("net", THERE),
    change("app", HERE, f"net@{THERE}"),
    change("late", HERE, "app", stack="{{ outputs.first.Name }}", references={"first": f"net@{THERE}"}),
])  # fmt: skip
FLAT = plan_of([change("net", HERE), change("app", HERE), change("net", THERE)])
PLANS: tuple[Plan, ...] = (HUB_FIRST, SPOKE_FIRST, FLAT)

calls = st.integers(1, 45)
kinds: st.SearchStrategy[Kind] = st.sampled_from(["kill before", "kill after", "stop", "cancel", "clock", "no network"])
lengths = st.sampled_from([0.5, 6.0, 15.0, 25.0, 70.0])


@st.composite
def troubles(draw: st.DrawFn, runs: int) -> list[Trouble]:
    """Up to four things that go wrong."""
    found = []
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(kinds)
        seconds = draw(st.sampled_from([3600.0, -3600.0])) if kind == "clock" else draw(lengths)
        found.append(Trouble(kind, draw(st.integers(0, runs - 1)), draw(calls), seconds))
    return found


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Two or three runs with their plans, options and moments, a seed for the order of things, and troubles."""
    count = draw(st.sampled_from([2, 2, 2, 3]))
    modes: list[WhenLocked] = [draw(st.sampled_from(["wait", "refuse", "supersede"])) for _ in range(count)]
    begins = tuple(sorted(draw(st.sampled_from([0.0, 0.1, 1.0, 5.0, 12.0])) for _ in range(count)))
    plans = [draw(st.sampled_from(PLANS)) for _ in range(count)]
    return Story(draw(st.integers(0, 10**6)), plans, modes, begins, draw(troubles(count)))


class Story:
    """What one example is made of."""

    def __init__(
        self, seed: int, plans: list[Plan], modes: list[WhenLocked], begins: tuple[float, ...], wrong: list[Trouble]
    ) -> None:
        self.seed, self.plans, self.modes, self.begins, self.wrong = seed, plans, modes, begins, wrong

    def __repr__(self) -> str:
        numbers = [PLANS.index(plan) for plan in self.plans]
        return f"Story({self.seed}, {numbers}, {self.modes}, {self.begins}, {self.wrong})"

    def play(self, current: list[World]) -> World:
        world = World(self.seed, self.wrong)
        current[:] = [world]
        for number, (plan, mode) in enumerate(zip(self.plans, self.modes, strict=True)):
            options = Options(when_locked=mode, tolerance=9)
            world.register(a_run(f"run-{number}", prn=PRN, task=Task.DEPLOY, options=options), plan)
            world.clock.now += 0.001
        Platform(world, self.begins).play()
        return world


def assert_kept(story: Story, world: World) -> None:
    """Everything that must hold when the story is over."""
    assert set(world.effects.values()) <= {1}, "a change was made twice"
    assert OBSERVER.lock_inventory.page().items == (), "a lock stays behind"
    events = OBSERVER.events.list(PRN, limit=1000).items
    for number, run_id in enumerate(world.runs):
        run = OBSERVER.runs.get(run_id)
        rows = OBSERVER.ledger.load(run_id)
        assert run.status.ended
        assert {row.status for row in rows.values()} & {ActionStatus.RUNNING, ActionStatus.PENDING} == set()
        assert len(rows) == len(world.plans[number].actions)
        calm = number not in world.cancelled and run.superseded_by is None
        gave_up = any(
            row.error and row.error.code == "CORE-5001" and identity.startswith("late@") for identity, row in rows.items()
        )
        if (
            calm and story.modes[number] == "wait" and not gave_up
        ):  # a stack that is named at run time is not waited for without end
            assert run.status is RunStatus.SUCCEEDED, [row.message for row in rows.values()]
        assert_told(run, [event for event in events if event.run_id == run_id])
    newest = OBSERVER.runs.get(world.runs[-1])
    if story.modes[-1] == "supersede" and len(world.runs) - 1 not in world.cancelled:
        assert newest.status is RunStatus.SUCCEEDED, "the newest wins"
    assert_order(world)


def assert_told(run: RunState, events: list[Event]) -> None:
    """Each start and each end that the ledger knows was told once, and the end of the run, too."""
    ends = Counter(event.status for event in events if "Action" not in event.details)
    assert ends == {run.status.value: 1}
    told = Counter((f"{event.details['Action']}@{event.details['Target']}", event.status, event.at)
                   for event in events if "Action" in event.details)  # fmt: skip
    assert set(told.values()) <= {1}
    words = {ActionStatus.SUCCEEDED: "COMPLETE", ActionStatus.FAILED: "FAILED"}
    for identity, row in OBSERVER.ledger.load(run.run_id).items():
        if row.started_at is not None:
            assert told[identity, "RUNNING", row.started_at] == 1, f"the start of {identity} was not told"
        if row.status in words:
            assert told[identity, words[row.status], row.ended_at] == 1, f"the end of {identity} was not told"
        assert sum(1 for name, status, _ in told if (name, status) == (identity, "COMPLETE")) == (
            row.status is ActionStatus.SUCCEEDED
        )


def assert_order(world: World) -> None:
    """A run that was superseded by another has not touched a stack after that one."""
    for run_id in world.runs:
        heir = OBSERVER.runs.get(run_id).superseded_by
        if heir is not None:
            assert heir > run_id, "an older run superseded a newer one"


ALL: set[Kind] = {"kill before", "kill after", "stop", "cancel", "clock", "no network"}


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("examples", [80, pytest.param(2000, marks=pytest.mark.slow)])
def test_runs_when_they_share_stacks_then_nothing_interleaves_and_everything_ends(
    monkeypatch: pytest.MonkeyPatch, examples: int
) -> None:
    current: list[World] = []
    patch_clocks(monkeypatch, current)
    met: Counter[str] = Counter()

    @settings(max_examples=int(os.environ.get("INTERLEAVINGS", examples)), derandomize=True, phases=[Phase.generate])
    @given(story=stories())
    def rehearse(story: Story) -> None:
        world = story.play(current)
        met.update(world.met)
        assert_kept(story, world)

    rehearse()
    assert set(met) >= ALL, "every kind of trouble was met"
