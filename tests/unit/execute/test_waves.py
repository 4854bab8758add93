"""Waves in the engine: a bad change in one never reaches the next, counted by targets, also when the run is resumed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core_lib.execute import units
from core_lib.framework.models import ActionStatus, Options, Plan, PlanAction, PlanWave, action_id
from tests.builders.memory_cmdb import MemoryCmdb
from tests.builders.plans import action, example, plan_of
from tests.unit.execute.engines import World, drive_all, engine_for

pytestmark = pytest.mark.asyncio
Row = tuple[ActionStatus, str]


def targets(wave: int, count: int) -> list[str]:
    return [f"{wave:02d}{number:010d}/eu-west-1" for number in range(count)]


def in_waves(
    waves: Sequence[Sequence[str]], *, tolerance: Any = 0, failing: Iterable[str] = (), chain: Sequence[str] = ("net", "app"),
    fails: str = "net", **fields: Any,
) -> Plan:  # fmt: skip
    """A chain in every target, as the compiler puts it into waves; `failing` targets fail in the action `fails`."""
    bad = set(failing)
    actions: list[PlanAction] = []
    shown: list[PlanWave] = []
    gate: tuple[str, ...] = ()
    for number, members in enumerate(waves):
        for target in members:
            above = gate
            for name in chain:
                spec = {"Fails": target in bad and name == fails}
                made = action(name, "TEST::Script", target=target, after=above, spec=spec, **fields)
                actions.append(made)
                above = (made.id,)
        ends = tuple(action_id(chain[-1], target) for target in members)
        judge = action(
            f"wave:{number}:gate", "SYSTEM::WaveGate", target=members[0], after=ends, waits_for="end",
            spec={"Wave": str(number), "Actions": ends, "Tolerance": tolerance, "Next": str(number + 1)},
        )  # fmt: skip
        last = number == len(waves) - 1
        actions += [] if last else [judge]
        gate = (judge.id,)
        shown.append(PlanWave(name=str(number), targets=tuple(members), tolerance=tolerance, gates=() if last else gate))
    return plan_of(actions).but(waves=tuple(shown)).sealed()


def row(cmdb: MemoryCmdb, identity: str) -> Row:
    found = cmdb.ledger.load(cmdb.runs.run.run_id)[identity]
    return found.status, found.message or ""


async def test_wave_when_a_target_fails_then_its_gate_says_so_and_the_next_wave_is_blocked() -> None:
    cmdb, world = MemoryCmdb(Options(concurrency=1)), World()
    first, second = targets(0, 3), targets(1, 2)
    plan = in_waves([first, second], tolerance=1, failing=first[1:], chain=("net",))
    await drive_all(plan, cmdb, world)
    status, message = row(cmdb, f"wave:0:gate@{first[0]}")
    assert status is ActionStatus.FAILED
    one, other = (f"net@{target}: it broke" for target in first[1:])
    assert message == f"2 of 3 targets of wave 0 failed: {one}; {other}. Wave 1 was not started"
    assert {row(cmdb, f"net@{target}")[0] for target in second} == {ActionStatus.BLOCKED}
    assert not {identity for what, identity in world.log if identity.partition("@")[2] in second}


@pytest.mark.parametrize(
    ("size", "bad", "tolerance", "goes_on"),
    [
        (3, 0, 0, True), (3, 1, 0, False), (3, 1, 1, True), (3, 2, 1, False), (20, 1, "5%", True), (19, 1, "5%", False),
        (20, 2, "5%", False), (4, 2, "50%", True), (4, 3, "50%", False), (2, 2, "100%", True), (5, 1, "10%", False),
    ],
)  # fmt: skip
async def test_tolerance_of_a_wave_when_targets_fail_then_it_is_counted_in_targets_and_rounded_down(
    size: int, bad: int, tolerance: str | int, goes_on: bool
) -> None:
    cmdb, world = MemoryCmdb(), World()
    first, second = targets(0, size), targets(1, 2)
    await drive_all(in_waves([first, second], tolerance=tolerance, failing=first[:bad]), cmdb, world)
    gate, _ = row(cmdb, f"wave:0:gate@{first[0]}")
    assert (gate is ActionStatus.SUCCEEDED) is goes_on
    assert (row(cmdb, f"app@{second[0]}")[0] is ActionStatus.SUCCEEDED) is goes_on


async def test_tolerance_when_several_actions_of_a_target_fail_then_the_target_counts_once() -> None:
    cmdb, world = MemoryCmdb(), World()
    first, second = targets(0, 4), targets(1, 1)
    plan = in_waves([first, second], tolerance=1)
    broken = [
        one.but(spec={"Fails": True}, depends_on=()) if one.target == first[0] and one.kind == "TEST::Script" else one
        for one in plan.actions
    ]
    await drive_all(plan.but(actions=tuple(broken)).sealed(), cmdb, world)
    assert row(cmdb, f"net@{first[0]}")[0] is row(cmdb, f"app@{first[0]}")[0] is ActionStatus.FAILED
    assert row(cmdb, f"wave:0:gate@{first[0]}")[0] is ActionStatus.SUCCEEDED


async def test_wave_when_it_has_too_many_failures_then_nothing_more_of_it_starts_and_its_gate_still_judges() -> None:
    cmdb, world = MemoryCmdb(Options(concurrency=1)), World()
    first, second = targets(0, 10), targets(1, 2)
    await drive_all(in_waves([first, second], failing=first[:1]), cmdb, world)
    assert len(world.named("start")) == 1
    assert row(cmdb, f"net@{first[5]}") == (
        ActionStatus.BLOCKED,
        "not started: 1 of 10 targets of wave 0 failed, the wave tolerates 0",
    )
    status, message = row(cmdb, f"wave:0:gate@{first[0]}")
    assert status is ActionStatus.FAILED
    assert message.startswith(f"1 of 10 targets of wave 0 failed, 9 more could not be done: net@{first[0]}: it broke.")


async def test_last_wave_when_it_has_too_many_failures_then_nothing_more_of_it_starts() -> None:
    cmdb, world = MemoryCmdb(Options(concurrency=1)), World()
    first, second = targets(0, 1), targets(1, 10)
    await drive_all(in_waves([first, second], failing=second[:1]), cmdb, world)
    assert len(world.named("start")) == 3


async def test_tolerance_of_the_run_when_given_then_it_holds_beside_those_of_the_waves() -> None:
    cmdb, world = MemoryCmdb(Options(tolerance=1, concurrency=1)), World()
    first, second = targets(0, 4), targets(1, 4)
    await drive_all(in_waves([first, second], tolerance=2, failing=[first[0], second[0]]), cmdb, world)
    assert row(cmdb, f"wave:0:gate@{first[0]}")[0] is ActionStatus.SUCCEEDED
    status, message = row(cmdb, f"net@{second[3]}")
    assert (status, message) == (ActionStatus.BLOCKED, "not started: 2 of 8 targets failed, the run tolerates 1")


async def test_resume_when_the_cause_is_gone_then_the_gate_counts_again_and_the_next_wave_runs() -> None:
    cmdb, world = MemoryCmdb(), World()
    first, second = targets(0, 3), targets(1, 2)
    await drive_all(in_waves([first, second], failing=first[:1]), cmdb, world)
    cmdb.runs.run = cmdb.runs.take()
    await drive_all(in_waves([first, second]), cmdb, world)
    assert set(cmdb.statuses().values()) == {ActionStatus.SUCCEEDED}


async def test_resume_when_the_cause_is_still_there_then_the_next_wave_stays_blocked() -> None:
    cmdb, world = MemoryCmdb(), World()
    first, second = targets(0, 2), targets(1, 2)
    plan = in_waves([first, second], failing=first[:1])
    await drive_all(plan, cmdb, world)
    cmdb.runs.run = cmdb.runs.take().but(options=Options(only="failed"))
    await drive_all(plan, cmdb, world)
    assert row(cmdb, f"wave:0:gate@{first[0]}")[0] is ActionStatus.FAILED
    assert "start" not in {what for what, identity in world.log if identity.partition("@")[2] in second}


async def test_resume_when_only_what_never_ran_is_asked_for_then_a_failed_gate_stays_shut() -> None:
    cmdb, world = MemoryCmdb(), World()
    first, second = targets(0, 2), targets(1, 2)
    await drive_all(in_waves([first, second], failing=first[:1]), cmdb, world)
    cmdb.runs.run = cmdb.runs.take().but(options=Options(only="unstarted"))
    await drive_all(in_waves([first, second]), cmdb, world)
    assert row(cmdb, f"net@{second[0]}") == (
        ActionStatus.BLOCKED,
        f"waits for wave:0:gate@{first[0]}, which failed",
    )


async def test_undo_when_a_target_of_a_wave_fails_then_it_is_undone_before_the_gate_judges() -> None:
    cmdb, world = MemoryCmdb(), World()
    first, second = targets(0, 1), targets(1, 2)
    plan = in_waves([first, second], failing=first, fails="app", on_failure="undo")
    await drive_all(plan, cmdb, world)
    assert world.named("undo") == ["net"]
    assert row(cmdb, f"net@{first[0]}")[0] is ActionStatus.CANCELLED
    assert row(cmdb, f"wave:0:gate@{first[0]}")[0] is ActionStatus.FAILED
    rows = [entry.action_id for entry in cmdb.ledger.transitions if entry.status.ended]
    assert rows.index(f"net@{first[0]}", rows.index(f"net@{first[0]}") + 1) < rows.index(f"wave:0:gate@{first[0]}")
    assert row(cmdb, f"net@{second[0]}")[0] is ActionStatus.BLOCKED


async def test_cancel_when_a_wave_is_under_way_then_its_gate_and_the_next_wave_are_cancelled() -> None:
    cmdb, world = MemoryCmdb(Options(concurrency=1)), World()
    first, second = targets(0, 3), targets(1, 2)
    plan = in_waves([first, second])
    await drive_all(plan, cmdb, world, during=lambda engine: world.cancel_after(2, engine))
    assert row(cmdb, f"wave:0:gate@{first[0]}")[0] is ActionStatus.CANCELLED
    assert row(cmdb, f"net@{second[0]}")[0] is ActionStatus.CANCELLED


async def test_gate_when_somebody_else_did_the_wave_then_it_reads_their_rows() -> None:
    cmdb, world = MemoryCmdb(), World()
    first, second = targets(0, 3), targets(1, 1)
    plan = in_waves([first, second], failing=first[2:])
    *before, gate_unit, last = units(plan)
    async with engine_for(plan, cmdb, world) as other, engine_for(plan, cmdb, world, only=gate_unit.action_ids) as judge:
        for unit in before:
            await other.drive(unit)
        await judge.drive(gate_unit)
        await judge.drive(last)
    assert row(cmdb, f"wave:0:gate@{first[0]}")[1].startswith("1 of 3 targets of wave 0 failed: net@")
    assert row(cmdb, f"net@{second[0]}")[0] is ActionStatus.BLOCKED


@settings(max_examples=40, deadline=None)
@given(st.data())
async def test_waves_whatever_fails_then_no_action_starts_after_a_wave_with_too_many_failures(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(1, 4), min_size=2, max_size=4), label="targets per wave")
    waves = [targets(number, count) for number, count in enumerate(shape)]
    everywhere = [target for wave in waves for target in wave]
    failing = data.draw(st.sets(st.sampled_from(everywhere)), label="failing")
    tolerance = data.draw(st.sampled_from([0, 1, "30%", "50%"]), label="tolerance")
    cap = data.draw(st.integers(1, 4), label="cap")
    cmdb, world = MemoryCmdb(Options(concurrency=cap)), World()
    await drive_all(in_waves(waves, tolerance=tolerance, failing=failing), cmdb, world)
    started = {identity.partition("@")[2] for what, identity in world.log if what == "start"}
    shut = False
    for wave in waves:
        if shut:
            assert not started & set(wave)
        most = int(tolerance[:-1]) * len(wave) // 100 if isinstance(tolerance, str) else tolerance
        shut = shut or len(failing & set(wave)) > most
    assert all(status.ended for status in cmdb.statuses().values())
    assert len(cmdb.statuses()) == len(in_waves(waves).actions)


@pytest.mark.example("SYSTEM::WaveGate")
async def test_gate_when_the_example_runs_then_half_of_its_targets_may_fail() -> None:
    cmdb, world = MemoryCmdb(), World()
    gate = example("gate", "SYSTEM::WaveGate")
    apps = [
        action("app", "TEST::Script", target=name.partition("@")[2], spec={"Fails": name == gate.spec["Actions"][1]})
        for name in gate.spec["Actions"]
    ]
    await drive_all(plan_of([*apps, gate.but(depends_on=tuple(app.id for app in apps), waits_for="end")]), cmdb, world)
    assert row(cmdb, gate.id) == (ActionStatus.SUCCEEDED, "1 of 2 targets of wave canary are good")
