"""What the engine promises about a run that nobody interrupts."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from core_lib.execute import units
from core_lib.framework.errors import FencedError
from core_lib.framework.models import ActionStatus, Hook, Options, PlanAction, Retry
from core_lib.framework.settings import CmdbSettings, Settings
from tests.builders.memory_cmdb import MemoryCmdb
from tests.builders.plans import HERE, action, plan_of
from tests.unit.execute.engines import World, drive_all, engine_for, states_of

THERE = "222222222222/eu-west-1"


def script(name: str, *, after: tuple[str, ...] = (), target: str = HERE, **fields: Any) -> PlanAction:
    spec = {key: fields.pop(key) for key in list(fields) if key[0].isupper()}
    return action(name, "TEST::Script", after=after, target=target, spec=spec, **fields)


@pytest.fixture
def world() -> World:
    return World()


async def test_chain_when_all_goes_well_then_each_starts_after_its_dependency_ended(world: World) -> None:
    cmdb = MemoryCmdb()
    plan = plan_of([script("a", Looks=2), script("b", after=("a",)), script("c", after=("b",))])
    (result,) = await drive_all(plan, cmdb, world)
    steps = [who.partition("@")[0] for what, who in world.log if what != "check"]
    assert steps == ["a", "a", "b", "b", "c", "c"]
    assert (result.succeeded, result.changed, result.ok) == (3, 3, True)
    rows = [(row.action_id[0], row.status.value) for row in cmdb.ledger.transitions if not row.scratch]
    assert rows == [
        ("a", "running"), ("b", "running"), ("b", "succeeded"), ("c", "running"), ("c", "succeeded"),
    ]  # fmt: skip


async def test_running_row_when_an_action_starts_then_it_was_committed_before(world: World) -> None:
    cmdb = MemoryCmdb()
    seen: list[tuple[str, list[str]]] = []
    cmdb.ledger.before_write = lambda states: seen.append((states[0].status.value, world.named("start")))
    await drive_all(plan_of([script("a")]), cmdb, world)
    assert seen == [("running", []), ("succeeded", ["a"])]


async def test_independent_actions_when_driven_then_no_barrier_holds_them(world: World) -> None:
    plan = plan_of([script("slow", Looks=20), script("fast"), script("next", after=("fast",))])
    await drive_all(plan, MemoryCmdb(), world)
    assert world.named("end") == ["fast", "next", "slow"]


async def test_group_commit_when_many_actions_run_then_few_transactions_carry_their_rows(world: World) -> None:
    cmdb = MemoryCmdb(Options(concurrency=500, account_concurrency=100))
    targets = [f"{number:012d}/eu-west-1" for number in range(1, 101)]
    await drive_all(plan_of(script("a", target=target) for target in targets), cmdb, world)
    assert sum(cmdb.ledger.groups) == 200
    assert len(cmdb.ledger.groups) < 60


async def test_outputs_when_a_later_action_refers_to_them_then_it_gets_them_with_their_type(world: World) -> None:
    first = script("hub", Outputs={"Arn": "arn:x", "Zones": [1, 2]})
    second = action(
        "use",
        "SYSTEM::SetVariables",
        after=("hub",),
        spec={"Variables": {"arn": "{{ outputs.hub.Arn }}-1", "n": "{{ outputs.hub.Zones }}"}},
        references={"hub": f"hub@{HERE}"},
    )
    third = action(
        "last", "SYSTEM::NoOp", after=("use",), spec={"Message": "{{ vars.n | length }} {{ vars.arn }} {{ Team }}"},
        references={"vars.n": f"use@{HERE}", "vars.arn": f"use@{HERE}"}, bindings={"Team": "ops"},
    )  # fmt: skip
    cmdb = MemoryCmdb()
    await drive_all(plan_of([first, second, third]), cmdb, world)
    rows = states_of(cmdb)
    assert rows["use"].variables == {"arn": "arn:x-1", "n": [1, 2]}
    assert rows["last"].message == "2 arn:x-1 ops"


async def test_missing_output_when_referred_to_then_the_action_fails_with_a_code(world: World) -> None:
    cmdb = MemoryCmdb()
    use = action("use", after=("hub",), spec={"Message": "{{ outputs.hub.Nope }}"}, references={"hub": f"hub@{HERE}"})
    await drive_all(plan_of([script("hub"), use]), cmdb, world)
    error = states_of(cmdb)["use"].error
    assert error is not None
    assert error.code == "CORE-1007"
    assert "Nope" in error.message


@pytest.mark.parametrize(("value", "expected"), [("prod", ActionStatus.SUCCEEDED), ("dev", ActionStatus.SKIPPED)])
async def test_condition_when_it_depends_on_outputs_then_it_decides_at_run_time(
    world: World, value: str, expected: ActionStatus
) -> None:
    cmdb = MemoryCmdb()
    maybe = script("maybe", after=("env",), condition="outputs.env.Stage == 'prod'", references={"env": f"env@{HERE}"})
    await drive_all(plan_of([script("env", Outputs={"Stage": value}), maybe, script("then", after=("maybe",))]), cmdb, world)
    rows = states_of(cmdb)
    assert rows["maybe"].status is expected
    assert rows["then"].status is ActionStatus.SUCCEEDED
    assert ("maybe" in world.named("start")) == (expected is ActionStatus.SUCCEEDED)


async def test_failure_when_policy_is_stop_then_dependents_are_blocked_and_others_go_on(world: World) -> None:
    cmdb = MemoryCmdb(Options(tolerance=1))
    actions = [
        script("bad", Fails=True),
        script("child", after=("bad",)),
        script("grandchild", after=("child", "other")),
        script("other"),
    ]
    (result,) = await drive_all(plan_of(actions), cmdb, world)
    rows = states_of(cmdb)
    assert (result.failed, result.blocked, result.succeeded) == (1, 2, 1)
    assert rows["child"].message == "waits for bad, which failed"
    assert rows["grandchild"].message == "waits for child, which is blocked"
    assert world.named("start") == ["bad", "other"]


async def test_failure_when_policy_is_continue_then_dependents_go_on(world: World) -> None:
    cmdb = MemoryCmdb(Options(tolerance=1))
    await drive_all(plan_of([script("bad", Fails=True, on_failure="continue"), script("child", after=("bad",))]), cmdb, world)
    assert states_of(cmdb)["child"].status is ActionStatus.SUCCEEDED


async def test_failure_when_policy_is_undo_then_the_target_is_taken_back_in_reverse(world: World) -> None:
    cmdb = MemoryCmdb(Options(tolerance=1))
    actions = [
        script("a"), script("b", after=("a",)), script("bad", after=("b",), Fails=True, on_failure="undo"),
        script("never", after=("bad",)), action("calm"),
    ]  # fmt: skip
    (result,) = await drive_all(plan_of(actions), cmdb, world)
    rows = states_of(cmdb)
    assert world.named("undo") == ["b", "a"]
    assert rows["a"].status is rows["b"].status is ActionStatus.CANCELLED
    assert "bad failed" in (rows["a"].message or "")
    assert rows["calm"].status is ActionStatus.SUCCEEDED, "an action that changed nothing has nothing to undo"
    assert (result.failed, result.blocked, result.cancelled, result.succeeded) == (1, 1, 2, 1)


async def test_tolerance_when_too_many_targets_fail_then_nothing_new_starts_anywhere(world: World) -> None:
    cmdb = MemoryCmdb(Options(tolerance=1, concurrency=1))
    targets = [f"{number:012d}/eu-west-1" for number in range(1, 7)]
    plan = plan_of(script("a", target=target, Fails=number < 2) for number, target in enumerate(targets))
    results = await drive_all(plan, cmdb, world)
    assert sum(result.failed for result in results) == 2
    assert sum(result.blocked for result in results) == 4
    messages = {row.message for row in cmdb.ledger.load("run-1").values() if row.status is ActionStatus.BLOCKED}
    assert messages == {"not started: 2 of 6 targets failed, the run tolerates 1"}


async def test_tolerance_when_it_is_a_percentage_then_that_share_of_targets_may_fail(world: World) -> None:
    cmdb = MemoryCmdb(Options(tolerance="50%", concurrency=1))
    targets = [f"{number:012d}/eu-west-1" for number in range(1, 5)]
    plan = plan_of(script("a", target=target, Fails=number < 2) for number, target in enumerate(targets))
    results = await drive_all(plan, cmdb, world)
    assert sum(result.succeeded for result in results) == 2


async def test_lost_connection_when_transient_then_the_same_step_is_repeated_with_the_same_token(world: World) -> None:
    cmdb = MemoryCmdb()
    await drive_all(plan_of([script("a", Slips=2)]), cmdb, world)
    row = states_of(cmdb)["a"]
    assert row.status is ActionStatus.SUCCEEDED
    assert row.attempt == 1
    assert world.named("start") == ["a", "a", "a"]


async def test_lost_connection_when_it_stays_lost_then_the_action_fails_with_its_cause(world: World) -> None:
    cmdb = MemoryCmdb()
    await drive_all(plan_of([script("a", Slips=99)]), cmdb, world)
    row = states_of(cmdb)["a"]
    assert row.status is ActionStatus.FAILED
    assert row.error is not None
    assert row.error.cause == "transient"
    assert len(world.named("start")) == 3


async def test_failure_when_its_cause_is_retried_then_a_new_attempt_has_new_tokens(world: World) -> None:
    cmdb = MemoryCmdb()
    await drive_all(plan_of([script("a", Failures=2, Cause="transient")]), cmdb, world)
    row = states_of(cmdb)["a"]
    assert (row.status, row.attempt) == (ActionStatus.SUCCEEDED, 3)
    assert sorted(world.effects.values()) == [1, 1, 1]


async def test_failure_when_permanent_then_it_is_not_tried_again(world: World) -> None:
    cmdb = MemoryCmdb()
    await drive_all(plan_of([script("a", Failures=1, retry=Retry(attempts=5))]), cmdb, world)
    row = states_of(cmdb)["a"]
    assert (row.status, row.attempt) == (ActionStatus.FAILED, 1)


async def test_timeout_when_an_action_never_ends_then_it_is_stopped_and_fails(world: World) -> None:
    cmdb = MemoryCmdb()
    await drive_all(plan_of([script("a", Endless=True, timeout=timedelta(seconds=0.05))]), cmdb, world)
    row = states_of(cmdb)["a"]
    assert row.status is ActionStatus.FAILED
    assert row.error is not None
    assert row.error.cause == "timeout"
    assert "timed out after 0:00:00.05" in row.error.message
    assert world.named("cancel") == ["a"]


async def test_caps_when_set_then_no_more_actions_are_in_flight(world: World) -> None:
    cmdb = MemoryCmdb(Options(concurrency=3, account_concurrency=2))
    plan = plan_of(script(f"a{number}", target=target, Looks=2) for number in range(5) for target in (HERE, THERE))
    await drive_all(plan, cmdb, world)
    assert world.most_running <= 3


async def test_account_cap_when_one_account_waits_then_the_other_uses_the_rest(world: World) -> None:
    cmdb = MemoryCmdb(Options(concurrency=10, account_concurrency=1))
    plan = plan_of([script(f"a{number}", Looks=3) for number in range(4)])
    await drive_all(plan, cmdb, world)
    assert world.most_running == 1


async def test_cancel_when_requested_then_running_actions_stop_and_nothing_new_starts(world: World) -> None:
    cmdb = MemoryCmdb()
    plan = plan_of([script("a", Endless=True), script("b", after=("a",))])

    (result,) = await drive_all(plan, cmdb, world, during=partial(world.cancel_after, 1))
    rows = states_of(cmdb)
    assert rows["a"].message == "cancelled: stopped"
    assert rows["b"].message == "cancelled before it started"
    assert world.named("start") == ["a"]
    assert result.succeeded == 0
    assert not any(row.status is ActionStatus.RUNNING for row in rows.values())


async def test_timeout_when_stopping_fails_at_first_then_it_is_asked_again_and_nothing_goes_on_meanwhile(world: World) -> None:
    cmdb = MemoryCmdb()
    await drive_all(plan_of([script("a", Endless=True, CancelSlips=2, timeout=timedelta(seconds=0.05))]), cmdb, world)
    assert world.named("cancel") == ["a"] * 3
    happened = [what for what, _ in world.log]
    assert "check" not in happened[happened.index("cancel") :]
    assert states_of(cmdb)["a"].status is ActionStatus.FAILED


async def test_cancel_when_an_action_cannot_be_stopped_then_its_true_end_is_recorded(world: World) -> None:
    cmdb = MemoryCmdb()
    plan = plan_of([script("ends", Looks=3, Stoppable=False), script("hangs", Endless=True, Stoppable=False)])

    await drive_all(plan, cmdb, world, during=partial(world.cancel_after, 2))
    rows = states_of(cmdb)
    assert rows["ends"].status is ActionStatus.SUCCEEDED
    assert rows["hangs"].status is ActionStatus.CANCELLED
    assert "still going on" in (rows["hangs"].message or "")


async def test_cancel_flag_when_it_comes_with_a_heartbeat_then_the_run_winds_down(world: World) -> None:
    cmdb = MemoryCmdb()
    settings = Settings(cmdb=CmdbSettings(heartbeat_seconds=0.02))
    asyncio.get_running_loop().call_later(0.03, cmdb.runs.request_cancel)
    await drive_all(plan_of([script("a", Endless=True)]), cmdb, world, settings=settings)
    assert states_of(cmdb)["a"].status is ActionStatus.CANCELLED


async def test_fenced_worker_when_another_takes_over_then_it_stops_at_once_and_leaves_its_locks(world: World) -> None:
    cmdb = MemoryCmdb()
    plan = plan_of([script("a", StackName="net", Looks=3), script("b", after=("a",))])
    cmdb.ledger.after_write = lambda states: cmdb.runs.take() if len(cmdb.ledger.transitions) == 2 else None
    with pytest.raises(FencedError):
        await drive_all(plan, cmdb, world)
    assert world.named("start") == ["a"]
    assert cmdb.locks.holders == {f"{HERE}/net": "run-1"}
    assert cmdb.statuses()[f"a@{HERE}"] is ActionStatus.RUNNING


async def test_cross_target_dependency_when_upstream_fails_then_the_spoke_is_blocked_naming_it(world: World) -> None:
    cmdb = MemoryCmdb(Options(tolerance=2))
    plan = plan_of([script("hub", Fails=True), script("spoke", target=THERE, after=(f"hub@{HERE}",))])
    results = await drive_all(plan, cmdb, world)
    assert [result.blocked for result in results] == [0, 1]
    assert states_of(cmdb)[f"spoke@{THERE}"].message == f"waits for hub@{HERE}, which failed"


async def test_unit_when_its_upstream_has_not_run_then_it_is_blocked_and_not_started(world: World) -> None:
    cmdb = MemoryCmdb()
    plan = plan_of([script("hub"), script("spoke", target=THERE, after=(f"hub@{HERE}",))])
    async with engine_for(plan, cmdb, world) as engine:
        result = await engine.drive(units(plan)[1])
    assert result.blocked == 1
    assert world.log == []


async def test_upstream_when_another_process_did_it_then_its_end_is_read_from_the_ledger(world: World) -> None:
    cmdb = MemoryCmdb()
    plan = plan_of([script("hub"), script("spoke", target=THERE, after=(f"hub@{HERE}",))])
    first, second = units(plan)
    async with engine_for(plan, cmdb, world) as late, engine_for(plan, cmdb, world) as early:
        await early.drive(first)
        result = await late.drive(second)
    assert result.succeeded == 1


async def test_locks_when_a_unit_touches_stacks_then_all_are_taken_at_once_and_given_back(world: World) -> None:
    cmdb = MemoryCmdb()
    plan = plan_of([script("a", StackName="net"), script("b", after=("a",), StackName="app"), action("c")])
    await drive_all(plan, cmdb, world)
    keys = (f"{HERE}/app", f"{HERE}/net")
    assert cmdb.locks.history == [("acquire", keys), ("release", keys)]


async def test_locks_when_another_run_holds_one_and_the_run_refuses_then_the_action_fails_naming_it(world: World) -> None:
    cmdb = MemoryCmdb(Options(when_locked="refuse"))
    cmdb.locks.holders[f"{HERE}/net"] = "run-0"
    await drive_all(plan_of([script("a", StackName="net"), action("free")]), cmdb, world)
    rows = states_of(cmdb)
    assert rows["a"].error is not None
    assert rows["a"].error.code == "CORE-5001"
    assert "run-0" in rows["a"].error.message
    assert world.log == []
    assert cmdb.locks.holders == {f"{HERE}/net": "run-0"}


async def test_locks_when_another_run_gives_them_back_then_a_waiting_unit_goes_on(world: World) -> None:
    cmdb = MemoryCmdb()
    cmdb.locks.holders[f"{HERE}/net"] = "run-0"
    asyncio.get_running_loop().call_later(0.05, cmdb.locks.holders.clear)
    (result,) = await drive_all(plan_of([script("a", StackName="net")]), cmdb, world)
    assert result.succeeded == 1


async def test_locks_when_the_stack_name_is_known_at_run_time_then_it_is_locked_before_the_action(world: World) -> None:
    cmdb = MemoryCmdb()
    late = script("b", after=("a",), StackName="{{ outputs.a.Name }}", references={"a": f"a@{HERE}"})
    await drive_all(plan_of([script("a", Outputs={"Name": "made-up"}), late]), cmdb, world)
    assert ("acquire", (f"{HERE}/made-up",)) in cmdb.locks.history
    assert cmdb.locks.holders == {}


async def test_dry_run_when_asked_for_then_nothing_is_started_or_locked(world: World) -> None:
    cmdb = MemoryCmdb(Options(dry_run=True))
    (result,) = await drive_all(plan_of([script("a", StackName="net"), script("b", after=("a",))]), cmdb, world)
    assert (result.skipped, world.log, cmdb.locks.history) == (2, [], [])


async def test_around_when_given_then_it_wraps_every_action(world: World) -> None:
    cmdb = MemoryCmdb()
    wrapped: list[tuple[str, str]] = []

    async def around(each: PlanAction, work: Any) -> Any:
        state = await work()
        wrapped.append((each.name, state.status.value))
        return state

    plan = plan_of([script("a"), script("bad", after=("a",), Fails=True)])
    async with engine_for(plan, cmdb, world) as engine:
        await engine.drive(units(plan)[0], around)
    assert wrapped == [("a", "succeeded"), ("bad", "failed")]


async def test_events_when_hooks_ask_for_them_then_each_transition_is_told_once(world: World) -> None:
    cmdb = MemoryCmdb()
    hooks = (Hook(on=("running", "complete"), status="DEPLOY", message="look"), Hook(on=("failed",)))
    await drive_all(plan_of([script("a", hooks=hooks), script("bad", after=("a",), Fails=True, hooks=hooks)]), cmdb, world)
    told = sorted((event.details["Action"], event.status, event.event_type) for event in cmdb.events.events.values())
    assert told == [("a", "DEPLOY", "STATUS"), ("a", "DEPLOY", "STATUS"), ("bad", "DEPLOY", "STATUS"), ("bad", "FAILED", "ERROR")]
    assert {str(event.prn) for event in cmdb.events.events.values()} == {"prn:web:shop:main:7"}


async def test_events_when_a_hook_names_a_component_then_they_are_about_it(world: World) -> None:
    cmdb = MemoryCmdb()
    await drive_all(plan_of([script("web.start", hooks=(Hook(on=("complete",), component="web"),))]), cmdb, world)
    assert {str(event.prn) for event in cmdb.events.events.values()} == {"prn:web:shop:main:7:web"}


async def test_on_event_when_given_then_it_sees_every_transition_after_its_commit(world: World) -> None:
    cmdb = MemoryCmdb()
    seen: list[str] = []
    await drive_all(plan_of([script("a", Looks=1)]), cmdb, world, on_event=lambda state: seen.append(state.status.value))
    assert seen == ["running", "succeeded"]


async def test_counts_when_the_run_ends_then_the_last_heartbeat_carries_them(world: World) -> None:
    cmdb = MemoryCmdb(Options(tolerance=1))
    await drive_all(plan_of([script("a"), script("bad", Fails=True), script("c", after=("bad",))]), cmdb, world)
    assert cmdb.runs.beats[0] == {"pending": 3}
    assert cmdb.runs.beats[-1] == {"succeeded": 1, "failed": 1, "blocked": 1, "changed": 1}


async def test_broken_action_when_it_raises_anything_then_it_fails_and_the_engine_lives(world: World) -> None:
    cmdb = MemoryCmdb(Options(tolerance=1))
    await drive_all(plan_of([script("a", Looks=1, Outputs={"x": 1}), script("other")]), cmdb, _Broken())
    assert states_of(cmdb)["a"].status is ActionStatus.FAILED


class _Broken(World):
    def note(self, what: str, action_id: str) -> None:
        raise KeyError("a bug")
