"""SYSTEM::Approval: asked once, answered by those who may, and a run that leaves while only people are waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from core_lib.execute import Again, Done, Failed, Shift, build_params, catalogue, units
from core_lib.execute import shift as shifts
from core_lib.execute.actions.approval import Approval
from core_lib.framework.errors import ApprovalError, SchemaError
from core_lib.framework.models import ActionStatus, ApprovalStatus, Cause, Options, Verdict
from tests.builders.contexts import ACCOUNT, REGION, context_of
from tests.builders.memory_cmdb import MemoryCmdb
from tests.builders.plans import HERE, action, plan_of
from tests.unit.execute.engines import World, drive_all, engine_for, states_of
from tests.unit.execute.test_resume import script

ID = f"it@{ACCOUNT}/{REGION}"


def test_approval_when_it_starts_then_people_are_asked_once_and_the_action_parks() -> None:
    ctx = context_of(Approval, Approvers=["bob"], Message="on?")
    step = Approval().start(ctx)
    assert isinstance(step, Again)
    assert step.parked
    assert step.scratch
    assert Approval().start(ctx) == step, "killed before the ledger knew, it asks nothing new"
    assert [event["status"] for event in ctx.run.events] == ["APPROVAL_REQUESTED"]


def test_approval_when_enough_people_say_yes_then_it_tells_who_and_when() -> None:
    ctx = context_of(Approval, Approvers=["bob", "eve", "joe"], Quorum=2)
    Approval().start(ctx)
    ctx.run.approvals.decide(ID, "bob")
    again = Approval().check(ctx)
    assert isinstance(again, Again)
    assert again.message == "waits for 2 of bob, eve, joe, 1 given"
    ctx.run.approvals.decide(ID, "eve")
    done = Approval().check(ctx)
    assert isinstance(done, Done)
    assert done.outputs["ApprovedBy"] == ["bob", "eve"]
    assert done.outputs["ApprovedAt"] == ctx.run.approvals.asked["run-1", ID, 1].decisions[-1].at.isoformat()


@pytest.mark.example("SYSTEM::Approval")
def test_approval_when_the_example_runs_then_one_of_those_asked_lets_it_go_on() -> None:
    ctx = context_of(Approval, **Approval.example)
    assert isinstance(Approval().start(ctx), Again)
    ctx.run.approvals.decide(ID, "bob")
    done = Approval().check(ctx)
    assert isinstance(done, Done)
    assert done.outputs["ApprovedBy"] == ["bob"]


def test_approval_when_one_says_no_then_it_fails_and_says_who() -> None:
    ctx = context_of(Approval, Approvers=["bob", "eve"], Quorum=2)
    Approval().start(ctx)
    ctx.run.approvals.decide(ID, "bob")
    ctx.run.approvals.decide(ID, "eve", Verdict.REJECTED)
    step = Approval().check(ctx)
    assert isinstance(step, Failed)
    assert (step.code, step.message) == ("CORE-5007", "eve said no")


def test_approval_when_nobody_answers_in_time_then_it_fails_as_timed_out() -> None:
    ctx = context_of(Approval, Timeout="PT0.01S")
    Approval().start(ctx)
    asyncio.run(asyncio.sleep(0.02))
    step = Approval().check(ctx)
    assert isinstance(step, Failed)
    assert step.cause is Cause.TIMEOUT
    with pytest.raises(ApprovalError, match="time to answer was over"):
        ctx.run.approvals.decide(ID, "bob")


@pytest.mark.cancel("SYSTEM::Approval")
def test_approval_when_cancelled_then_nobody_is_asked_any_more_and_a_resumed_run_asks_again() -> None:
    ctx = context_of(Approval)
    Approval().start(ctx)
    assert isinstance(Approval().cancel(ctx), Done)
    assert ctx.run.approvals.asked["run-1", ID, 1].status is ApprovalStatus.WITHDRAWN
    assert isinstance(Approval().check(ctx), Again)
    assert ctx.run.approvals.asked["run-1", ID, 1].status is ApprovalStatus.OPEN


@pytest.mark.parametrize(
    ("params", "by", "reason"),
    [
        ({"Approvers": ["bob"]}, "eve", "eve is not asked"),
        ({}, "ann", "ann asked for this run"),
        ({"Approvers": ["bob", "eve"], "Quorum": 2}, "bob", "bob has answered already"),
    ],
)
def test_approval_when_somebody_may_not_answer_then_it_is_refused(params: dict[str, object], by: str, reason: str) -> None:
    ctx = context_of(Approval, **params)
    Approval().start(ctx)
    if "already" in reason:
        ctx.run.approvals.decide(ID, by)
    with pytest.raises(ApprovalError, match=reason):
        ctx.run.approvals.decide(ID, by)


def test_approval_when_the_one_who_asked_may_answer_then_self_approval_says_so() -> None:
    ctx = context_of(Approval, SelfApproval=True)
    Approval().start(ctx)
    ctx.run.approvals.decide(ID, "ann")
    assert isinstance(Approval().check(ctx), Done)


def test_approval_when_the_quorum_cannot_be_reached_then_the_compile_says_so() -> None:
    with pytest.raises(SchemaError, match="3 people are needed, and 1 are asked"):
        build_params(catalogue()["SYSTEM::Approval"], {"Approvers": ["bob"], "Quorum": 3})


def gate(**spec: object) -> object:
    return action("gate", "SYSTEM::Approval", after=("net",), spec=spec)


def once_asked(cmdb: MemoryCmdb, then: Callable[[], object]) -> None:
    """Do this as soon as somebody is asked."""
    if cmdb.approvals.asked:
        then()
    else:
        asyncio.get_running_loop().call_later(0.01, once_asked, cmdb, then)


async def test_run_when_its_worker_stays_then_an_answer_lets_it_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core_lib.execute.actions.approval.LOOK_SECONDS", 0.01)
    cmdb, world = MemoryCmdb(), World()
    plan = plan_of([script("net"), gate(), script("app", after=("gate",))])  # type: ignore[list-item]

    def answer() -> None:
        cmdb.approvals.decide(f"gate@{HERE}", "bob")

    await drive_all(plan, cmdb, world, during=lambda _: once_asked(cmdb, answer))
    assert {row.status for row in states_of(cmdb).values()} == {ActionStatus.SUCCEEDED}
    assert world.named("start") == ["net", "app"]


async def test_run_when_only_people_are_left_then_it_leaves_without_locks_and_goes_on_after_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core_lib.execute.actions.approval.LOOK_SECONDS", 0.01)
    monkeypatch.setattr(shifts, "QUIET_SECONDS", 0.05)
    cmdb, world = MemoryCmdb(Options(tolerance=1)), World()
    plan = plan_of(
        [
            script("net", StackName="net"),
            script("bad", Fails=True),
            gate(),  # type: ignore[list-item]
            script("slow", Looks=20),
            script("app", after=("gate",), StackName="app"),
        ]
    )
    async with engine_for(plan, cmdb, world, shift=Shift(parks=True)) as engine:
        results = [await engine.drive(unit) for unit in units(plan)]
        assert engine.unfinished
    assert (results[0].for_people, results[0].ok) == (True, False)
    assert states_of(cmdb)["slow"].status is ActionStatus.SUCCEEDED, "machines are waited for"
    assert cmdb.locks.holders == {}

    cmdb.approvals.decide(f"gate@{HERE}", "bob")
    cmdb.runs.take(same_visit=True)
    async with engine_for(plan, cmdb, world, shift=Shift(parks=True)) as engine:
        results = [await engine.drive(unit) for unit in units(plan)]
        assert not engine.unfinished
    assert results[0].waiting is None
    assert states_of(cmdb)["app"].status is ActionStatus.SUCCEEDED
    assert world.named("start").count("bad") == 1, "what failed before the answer stays failed"


async def test_run_when_cancelled_while_people_are_asked_then_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core_lib.execute.actions.approval.LOOK_SECONDS", 0.01)
    cmdb, world = MemoryCmdb(), World()
    plan = plan_of([script("net"), gate(), script("app", after=("gate",))])  # type: ignore[list-item]
    await drive_all(plan, cmdb, world, during=lambda engine: once_asked(cmdb, engine.cancel))
    rows = states_of(cmdb)
    assert (rows["gate"].status, rows["app"].status) == (ActionStatus.CANCELLED, ActionStatus.CANCELLED)
    assert cmdb.approvals.asked["run-1", f"gate@{HERE}", 1].status is ApprovalStatus.WITHDRAWN


async def test_run_when_the_action_has_a_timeout_then_it_counts_while_people_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core_lib.execute.actions.approval.LOOK_SECONDS", 0.01)
    cmdb, world = MemoryCmdb(), World()
    plan = plan_of([action("gate", "SYSTEM::Approval", timeout=timedelta(seconds=0.1))])
    await drive_all(plan, cmdb, world)
    row = states_of(cmdb)["gate"]
    assert row.error is not None
    assert row.error.cause is Cause.TIMEOUT
