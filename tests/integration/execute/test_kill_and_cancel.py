"""kill -9 and cancel against real stacks: nothing is lost, nothing is done twice, nothing stays `running`."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from core_lib.execute import Engine, units
from core_lib.framework.models import ActionStatus, Options, PlanAction
from tests.builders.plans import action, plan_of
from tests.integration.execute.conftest import Rehearsal, never_ready, parameter


def create(rehearsal: Rehearsal, name: str, *after: str, **spec: Any) -> PlanAction:
    body = {"StackName": name, "Template": f"{name}.json", **spec}
    return action(name, "AWS::CreateStack", target=rehearsal.target, after=after, spec=body)


def chain(rehearsal: Rehearsal) -> list[PlanAction]:
    for name in ("one", "two", "side"):
        rehearsal.put(f"{name}.json", parameter(f"/demo/{name}"))
    return [create(rehearsal, "one"), create(rehearsal, "two", "one"), create(rehearsal, "side", TerminationProtection=True)]


@pytest.mark.parametrize(
    ("at", "after"), [(1, True), (2, False), (2, True), (3, False), (3, True), (4, False), (5, True), (6, False), (8, True)]
)
async def test_run_when_its_worker_is_killed_then_the_next_one_ends_it_and_no_stack_is_made_twice(
    rehearsal: Rehearsal, tmp_path: Path, at: int, after: bool
) -> None:
    plan = plan_of(chain(rehearsal), files=rehearsal.files)
    run = rehearsal.register(plan)
    path = tmp_path / "plan.json"
    path.write_text(plan.to_json(), encoding="utf-8")
    order = {
        "run_id": run.run_id,
        "plan": str(path),
        "store": str(rehearsal.folder),
        "overrides": rehearsal.overrides,
        "at": at,
        "after": after,
    }
    worker = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.integration.execute.victim", json.dumps(order))
    assert await worker.wait() == -signal.SIGKILL
    async with rehearsal.engine(plan, run) as engine:
        results = [await engine.drive(unit) for unit in units(plan)]
    assert [result.succeeded for result in results] == [3]
    rows = rehearsal.cmdb.ledger.load(run.run_id)
    assert {row.status for row in rows.values()} == {ActionStatus.SUCCEEDED}
    assert all(row.attempt == 1 for row in rows.values()), "a killed attempt is continued, not repeated"
    assert rehearsal.cmdb.locks.holders(f"{rehearsal.target}/{name}" for name in ("one", "two", "side")) == {}
    for name in ("one", "two", "side"):
        (stack,) = rehearsal.cloudformation.describe_stacks(StackName=name)["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        assert stack["StackId"] == rehearsal.cmdb.stacks.get_many(rehearsal.target)[name].stack_id
        events = rehearsal.cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        made = [event for event in events if (event["LogicalResourceId"], event["ResourceStatus"]) == ("Item", "CREATE_COMPLETE")]
        assert len(made) == 1
    assert len(rehearsal.cloudformation.list_stacks()["StackSummaries"]) == 3


@pytest.mark.cancel("AWS::CreateStack")
async def test_cancel_when_a_creation_is_under_way_then_its_true_end_is_recorded_and_nothing_else_starts(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.put("one.json", parameter(**never_ready(2)))
    rehearsal.put("two.json", parameter("/demo/two"))
    plan = plan_of([create(rehearsal, "one"), create(rehearsal, "two", "one")], files=rehearsal.files)
    run = rehearsal.register(plan)
    async with rehearsal.engine(plan, run) as engine:
        task = asyncio.create_task(engine.drive(units(plan)[0]))
        await _under_way(engine)
        engine.cancel()
        result = await task
    rows = {row.action_id.partition("@")[0]: row for row in rehearsal.cmdb.ledger.load(run.run_id).values()}
    assert (result.cancelled, result.succeeded) == (2, 0)
    assert "ROLLBACK_COMPLETE" in (rows["one"].message or "")
    assert rows["two"].message == "cancelled before it started"
    assert [s["StackName"] for s in rehearsal.cloudformation.describe_stacks()["Stacks"]] == ["one"]


async def _under_way(engine: Engine) -> None:
    for _ in range(200):
        if any(row.scratch.get("phase") == "executing" for row in engine.states.values()):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("nothing is being executed")


async def test_cancelled_run_when_resumed_then_it_is_finished(rehearsal: Rehearsal) -> None:
    plan = plan_of(chain(rehearsal), files=rehearsal.files)
    run = rehearsal.register(plan)
    async with rehearsal.engine(plan, run) as engine:
        engine.cancel()
        result = await engine.drive(units(plan)[0])
    assert result.cancelled == 3
    async with rehearsal.engine(plan, run) as engine:
        result = await engine.drive(units(plan)[0])
    assert result.succeeded == 3


@pytest.mark.undo("AWS::CreateStack")
async def test_failure_when_the_target_is_undone_then_created_stacks_are_gone_and_updated_ones_as_before(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.put("old.json", parameter("/demo/old"))
    await rehearsal.run(create(rehearsal, "old"))
    rehearsal.put("new.json", parameter("/demo/new"))
    rehearsal.put("bad.json", parameter("/demo/bad", **never_ready()))
    bad = create(rehearsal, "bad", "old", "new").but(on_failure="undo")
    outcome = await rehearsal.run(
        create(rehearsal, "old", Parameters={"Value": "two"}), create(rehearsal, "new", TerminationProtection=True), bad,
        options=Options(tolerance=1),
    )  # fmt: skip
    assert outcome["bad"].status is ActionStatus.FAILED
    assert outcome["new"].status is outcome["old"].status is ActionStatus.CANCELLED
    assert rehearsal.direct("ssm").get_parameter(Name="/demo/old")["Parameter"]["Value"] == "one"
    assert "undone because bad failed" in (outcome["old"].message or "")
    names = {stack["StackName"]: stack["StackStatus"] for stack in rehearsal.cloudformation.describe_stacks()["Stacks"]}
    assert names == {"old": "UPDATE_COMPLETE", "bad": "ROLLBACK_COMPLETE"}


async def test_two_runs_when_they_want_the_same_stack_then_one_is_refused_with_the_name_of_the_other(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.put("one.json", parameter(**never_ready(2)))
    plan = plan_of([create(rehearsal, "one")], files=rehearsal.files)
    first = rehearsal.register(plan)
    async with rehearsal.engine(plan, first) as engine:
        task = asyncio.create_task(engine.drive(units(plan)[0]))
        await _under_way(engine)
        refused = await rehearsal.run(create(rehearsal, "one"), options=Options(when_locked="refuse"))
        await task
    error = refused["one"].error
    assert error is not None
    assert error.code == "CORE-5001"
    assert first.run_id in error.message
    assert "ann" in error.message


async def test_two_runs_when_the_newer_supersedes_then_the_older_winds_down_and_its_record_says_by_whom(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.put("one.json", parameter(**never_ready(2)))
    plan = plan_of([create(rehearsal, "one")], files=rehearsal.files)
    older = rehearsal.register(plan)
    rehearsal.settings = rehearsal.settings.model_copy(
        update={"cmdb": rehearsal.settings.cmdb.model_copy(update={"heartbeat_seconds": 0.2})}
    )
    async with rehearsal.engine(plan, older) as engine:
        task = asyncio.create_task(engine.drive(units(plan)[0]))
        await _under_way(engine)
        rehearsal.put("one.json", parameter())
        newer = await rehearsal.run(create(rehearsal, "one"), options=Options(when_locked="supersede"))
        ended = await task
    assert (ended.cancelled, ended.failed) == (1, 0)
    assert newer["one"].status is ActionStatus.SUCCEEDED
    assert rehearsal.cmdb.runs.get(older.run_id).superseded_by == newer.run_id
    (stack,) = rehearsal.cloudformation.describe_stacks(StackName="one")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
