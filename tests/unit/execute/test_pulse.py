"""A worker that was away for long makes sure of its run before it does anything in its name."""

from __future__ import annotations

import pytest

from core_lib.execute import pulse, units
from core_lib.framework.errors import FencedError
from core_lib.framework.settings import CmdbSettings, Settings
from core_lib.helper import steady
from tests.builders.memory_cmdb import MemoryCmdb
from tests.builders.plans import action, plan_of
from tests.unit.execute.engines import World, engine_for

SELDOM = Settings(cmdb=CmdbSettings(heartbeat_seconds=20, lock_lease_seconds=60))
PLAN = plan_of([action("a", "TEST::Script", spec={"Looks": 1})])


class Clock:
    """The steady time of this machine, plus what the test says it slept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.slept = 0.0
        monkeypatch.setattr(pulse, "steady", lambda: steady() + self.slept)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def test_step_when_the_worker_was_away_and_another_has_the_run_then_nothing_is_done(clock: Clock) -> None:
    cmdb, world = MemoryCmdb(), World()
    async with engine_for(PLAN, cmdb, world, settings=SELDOM) as engine:
        clock.slept = 31.0
        cmdb.ledger.after_write = lambda states: cmdb.runs.take() and None
        with pytest.raises(FencedError):
            await engine.drive(units(PLAN)[0])
    assert world.log == [], "the row says running, then the run is lost, and nothing is begun"


async def test_step_when_the_worker_was_away_and_the_run_is_still_its_own_then_it_gives_a_sign_of_life_first(
    clock: Clock,
) -> None:
    cmdb, world = MemoryCmdb(), World()
    async with engine_for(PLAN, cmdb, world, settings=SELDOM) as engine:
        beats = len(cmdb.runs.beats)
        clock.slept = 31.0
        await engine.drive(units(PLAN)[0])
        assert len(cmdb.runs.beats) == beats + 1
    assert world.named("end") == ["a"]


async def test_step_when_the_worker_was_never_away_then_no_extra_sign_of_life_is_given() -> None:
    cmdb, world = MemoryCmdb(), World()
    async with engine_for(PLAN, cmdb, world, settings=SELDOM) as engine:
        await engine.drive(units(PLAN)[0])
        assert len(cmdb.runs.beats) == 1
