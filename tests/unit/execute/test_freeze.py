"""Freeze windows in the engine: nothing new begins, what runs may end, a resume goes on, and who ignores one leaves a trace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core_lib.framework.models import ActionStatus, FreezeWindow, Options, Plan, Task
from tests.builders.memory_cmdb import MemoryCmdb
from tests.builders.plans import action, plan_of
from tests.unit.execute.engines import World, drive_all, states_of

pytestmark = pytest.mark.asyncio

XMAS = FreezeWindow.model_validate(
    {"Name": "Christmas", "From": "2026-12-24T00:00", "Until": "2026-12-27T00:00", "Reason": "nobody is here"}
)
BEFORE, INSIDE, AFTER = (datetime(2026, 12, day, 12, tzinfo=UTC) for day in (23, 25, 28))


def frozen(*actions: Any, task: Task = Task.DEPLOY) -> Plan:
    return plan_of(actions, task=task).but(freeze_windows=(XMAS,)).sealed()


def script(name: str, *after: str, **spec: Any) -> Any:
    return action(name, "TEST::Script", after=after, spec=spec)


async def test_freeze_when_it_is_on_then_nothing_begins_and_says_why_and_until_when() -> None:
    cmdb, world = MemoryCmdb(), World()
    await drive_all(frozen(script("net"), script("app", "net")), cmdb, world, clock=lambda: INSIDE)
    rows = states_of(cmdb)
    assert world.log == []
    assert {row.status for row in rows.values()} == {ActionStatus.BLOCKED}
    assert rows["net"].message == rows["app"].message
    assert rows["net"].message == (
        "not started: freeze 'Christmas' (nobody is here) until 2026-12-27 00:00 UTC; go on then with: core runs resume run-1"
    )


@pytest.mark.parametrize("moment", [BEFORE, AFTER])
async def test_freeze_when_it_is_not_on_then_everything_runs(moment: datetime) -> None:
    cmdb, world = MemoryCmdb(), World()
    await drive_all(frozen(script("net")), cmdb, world, clock=lambda: moment)
    assert states_of(cmdb)["net"].status is ActionStatus.SUCCEEDED


async def test_freeze_when_it_begins_during_the_run_then_what_runs_ends_and_nothing_new_begins() -> None:
    cmdb, world = MemoryCmdb(), World()
    plan = frozen(script("net", Looks=3), script("app", "net"))
    await drive_all(plan, cmdb, world, clock=lambda: INSIDE if world.named("start") else BEFORE)
    assert {name: row.status for name, row in states_of(cmdb).items()} == {
        "net": ActionStatus.SUCCEEDED,
        "app": ActionStatus.BLOCKED,
    }


async def test_resume_when_the_freeze_is_over_then_it_goes_on() -> None:
    cmdb, world = MemoryCmdb(), World()
    plan = frozen(script("net"), script("app", "net"))
    await drive_all(plan, cmdb, world, clock=lambda: INSIDE)
    cmdb.runs.run = cmdb.runs.take()
    await drive_all(plan, cmdb, world, clock=lambda: AFTER)
    assert world.named("start") == ["net", "app"]


async def test_resume_when_an_action_was_under_way_then_it_is_seen_to_its_end_in_the_freeze() -> None:
    cmdb, world = MemoryCmdb(), World()
    plan = frozen(script("net", Looks=2))
    ledger = cmdb.ledger
    begun = ledger.write([_running(cmdb)], epoch=1)
    assert begun
    await drive_all(plan, cmdb, world, clock=lambda: INSIDE)
    assert states_of(cmdb)["net"].status is ActionStatus.SUCCEEDED


def _running(cmdb: MemoryCmdb) -> Any:
    from core_lib.framework.models import ActionState

    run = cmdb.runs.run
    return ActionState(
        run_id=run.run_id, action_id="net@111111111111/eu-west-1", status=ActionStatus.RUNNING, scratch={"left": 1},
        started_at=BEFORE,
    )  # fmt: skip


async def test_freeze_when_actions_only_read_or_the_run_is_a_review_then_they_run() -> None:
    cmdb, world = MemoryCmdb(), World()
    await drive_all(frozen(action("look")), cmdb, world, clock=lambda: INSIDE)
    assert states_of(cmdb)["look"].status is ActionStatus.SUCCEEDED
    review = MemoryCmdb(run_id="run-2")
    await drive_all(frozen(script("net"), task=Task.PLAN), review, world, clock=lambda: INSIDE)
    assert states_of(review)["net"].status is ActionStatus.SUCCEEDED


async def test_freeze_when_it_is_ignored_then_the_run_goes_on_and_one_event_says_who_and_why() -> None:
    cmdb, world = MemoryCmdb(Options(ignore_freeze="CVE-2026-1, the CISO agreed")), World()
    await drive_all(frozen(script("net"), script("app", "net")), cmdb, world, clock=lambda: INSIDE)
    assert world.named("start") == ["net", "app"]
    (event,) = [event for event in cmdb.events.events.values() if event.status == "FREEZE_IGNORED"]
    assert (event.event_type, event.actor) == ("WARN", "ann")
    assert event.message == (
        "ann went on in spite of the freeze 'Christmas' (nobody is here) until 2026-12-27 00:00 UTC: CVE-2026-1, the CISO agreed"
    )
    assert event.details["Reason"] == "CVE-2026-1, the CISO agreed"


async def test_freeze_when_somebody_else_resumes_in_spite_of_it_then_the_event_names_that_person_and_that_moment() -> None:
    cmdb, world = MemoryCmdb(), World()
    plan = frozen(script("net"))
    await drive_all(plan, cmdb, world, clock=lambda: INSIDE)
    options, visits = Options(ignore_freeze="CVE-2026-1"), [("bob", INSIDE), ("bob", INSIDE), ("carol", INSIDE), (None, AFTER)]
    for who, moment in visits:
        cmdb.runs.run = cmdb.runs.take().but(options=options, resumed_by=who, resumed_at=moment)
        await drive_all(plan.but(actions=(*plan.actions, script(f"app-{who}"))), cmdb, world, clock=lambda: INSIDE)
    told = [event for event in cmdb.events.events.values() if event.status == "FREEZE_IGNORED"]
    assert [(event.actor, event.details["By"], event.at) for event in told] == [
        ("bob", "bob", INSIDE), ("carol", "carol", INSIDE), ("somebody", "somebody", AFTER),
    ]  # fmt: skip
    assert (told[0].message or "").startswith("bob went on in spite of the freeze 'Christmas'")


async def test_freeze_when_it_begins_while_the_run_ignores_it_then_the_event_is_of_its_beginning() -> None:
    cmdb, world = MemoryCmdb(Options(ignore_freeze="CVE-2026-1")), World()
    cmdb.runs.run = cmdb.runs.run.but(started_at=BEFORE)
    await drive_all(frozen(script("net")), cmdb, world, clock=lambda: INSIDE)
    (event,) = cmdb.events.events.values()
    assert event.at == datetime(2026, 12, 24, tzinfo=UTC)


async def test_freeze_when_it_is_ignored_outside_of_it_then_there_is_nothing_to_tell() -> None:
    cmdb, world = MemoryCmdb(Options(ignore_freeze="just in case")), World()
    await drive_all(frozen(script("net")), cmdb, world, clock=lambda: BEFORE + timedelta(minutes=1))
    assert not cmdb.events.events
