"""A run is taken back: every stack it touched is as it was before, whatever became of the run."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from core_lib.execute import units
from core_lib.framework.errors import MovedError
from core_lib.framework.models import ActionStatus, Options, Plan, PlanAction, StackReview
from core_lib.runner import WayBack, read_befores, way_back
from tests.builders.plans import action, plan_of
from tests.integration.execute.conftest import Outcome, Rehearsal, never_ready, parameter

State = dict[str, tuple[Any, ...]]


def stack(rehearsal: Rehearsal, name: str, *after: str, **spec: Any) -> PlanAction:
    body = {"StackName": name, "Template": f"{name}.json", **spec}
    return action(name, "AWS::CreateStack", target=rehearsal.target, after=after, spec=body)


def templates(rehearsal: Rehearsal, *names: str, **more: Any) -> None:
    for name in names:
        rehearsal.put(f"{name}.json", parameter(f"/demo/{name}", **more))


def world(rehearsal: Rehearsal) -> State:
    """Every stack with its parameters, tags, protection and outputs, and every SSM parameter with its value."""
    found: State = {}
    for each in rehearsal.cloudformation.describe_stacks()["Stacks"]:
        given = {item["ParameterKey"]: item["ParameterValue"] for item in each.get("Parameters", [])}
        tags = {item["Key"]: item["Value"] for item in each.get("Tags", [])}
        outputs = {item["OutputKey"]: item["OutputValue"] for item in each.get("Outputs", [])}
        found[each["StackName"]] = (each["StackId"], given, tags, each.get("EnableTerminationProtection", False), outputs)
    for each in rehearsal.direct("ssm").describe_parameters()["Parameters"]:
        found[each["Name"]] = (rehearsal.direct("ssm").get_parameter(Name=each["Name"])["Parameter"]["Value"],)
    return found


def back(rehearsal: Rehearsal, plan: Plan, run_id: str, **how: Any) -> WayBack:
    """The way back of a run; rehearsed runs have no stored plan, so it is given here."""
    cmdb = rehearsal.cmdb
    records = {f"{rehearsal.target}/{name}": record for name, record in cmdb.stacks.get_many(rehearsal.target).items()}
    return way_back(run_id, plan, read_befores(rehearsal.store, plan, run_id), cmdb.ledger.load(run_id), records, **how)


async def take_back(rehearsal: Rehearsal, way: WayBack) -> tuple[dict[str, StackReview], Outcome, Plan]:
    """The preview, then exactly that."""
    assert way.review is not None
    assert way.plan is not None
    seen = await rehearsal.carry_out(way.review)
    assert {row.status for row in seen.rows.values()} == {ActionStatus.SUCCEEDED}
    return seen.reviews, await rehearsal.carry_out(way.plan, reviews=seen.reviews), way.plan


async def carried_out(rehearsal: Rehearsal, *actions: PlanAction, options: Options | None = None) -> tuple[Plan, Outcome]:
    plan = plan_of(actions, files=rehearsal.files)
    return plan, await rehearsal.carry_out(plan, options=options)


def outcomes(reviews: dict[str, StackReview]) -> dict[str, str]:
    return {review.stack_name: review.outcome for review in reviews.values()}


async def test_rollback_when_a_run_updated_and_created_then_values_are_back_and_new_stacks_gone(rehearsal: Rehearsal) -> None:
    templates(rehearsal, "net", "app", "extra")
    await rehearsal.run(stack(rehearsal, "net", Parameters={"Value": "1"}, Tags={"Owner": "a"}), stack(rehearsal, "app", "net"))
    before = world(rehearsal)
    templates(rehearsal, "net", Handle={"Type": "AWS::CloudFormation::WaitConditionHandle"})
    plan, outcome = await carried_out(
        rehearsal,
        stack(rehearsal, "net", Parameters={"Value": "2"}, Tags={"Owner": "b"}, TerminationProtection=True),
        stack(rehearsal, "app", "net"),
        stack(rehearsal, "extra", "net", TerminationProtection=True),
    )
    assert world(rehearsal)["/demo/net"] == ("2",)
    way = back(rehearsal, plan, outcome.run_id)
    reviews, result, executed = await take_back(rehearsal, way)
    assert outcomes(reviews) == {"net": "update", "extra": "delete"}, "app was not changed, so it is not touched"
    assert [change.logical_id for change in reviews[f"{rehearsal.target}/extra"].changes] == ["Item"]
    assert {row.status for row in result.rows.values()} == {ActionStatus.SUCCEEDED}
    assert world(rehearsal) == before
    assert executed.action_by_id[f"net@{rehearsal.target}"].depends_on == (f"extra@{rehearsal.target}",)


async def test_rollback_when_the_run_failed_halfway_then_everything_it_touched_is_back(rehearsal: Rehearsal) -> None:
    templates(rehearsal, "net", "app", "last")
    await rehearsal.run(*(stack(rehearsal, name, Parameters={"Value": "1"}) for name in ("net", "app", "last")))
    before = world(rehearsal)
    templates(rehearsal, "app", **never_ready())
    templates(rehearsal, "new", **never_ready())
    plan, outcome = await carried_out(
        rehearsal,
        stack(rehearsal, "net", Parameters={"Value": "2"}),
        stack(rehearsal, "app", "net", Parameters={"Value": "2"}),
        stack(rehearsal, "new", "net"),
        stack(rehearsal, "last", "app", Parameters={"Value": "2"}),
    )
    ends = {name: outcome[name].status.value for name in ("net", "app", "new", "last")}
    assert ends == {"net": "succeeded", "app": "failed", "new": "failed", "last": "blocked"}
    reviews, result, _ = await take_back(rehearsal, back(rehearsal, plan, outcome.run_id))
    assert outcomes(reviews)["new"] == "delete"
    assert "last" not in outcomes(reviews)
    assert {row.status for row in result.rows.values()} == {ActionStatus.SUCCEEDED}
    assert world(rehearsal) == before


async def test_rollback_when_somebody_else_made_the_stack_then_their_template_comes_back(rehearsal: Rehearsal) -> None:
    theirs = parameter("/demo/theirs")
    rehearsal.cloudformation.create_stack(
        StackName="app", TemplateBody=json.dumps(theirs), Parameters=[{"ParameterKey": "Value", "ParameterValue": "theirs"}]
    )
    before = world(rehearsal)
    templates(rehearsal, "app")
    plan, outcome = await carried_out(rehearsal, stack(rehearsal, "app", Parameters={"Value": "ours"}))
    assert set(world(rehearsal)) == {"app", "/demo/app"}
    await take_back(rehearsal, back(rehearsal, plan, outcome.run_id))
    assert world(rehearsal) == before


async def test_rollback_when_it_is_rolled_back_itself_then_the_run_is_in_force_again(rehearsal: Rehearsal) -> None:
    templates(rehearsal, "app")
    await rehearsal.run(stack(rehearsal, "app", Parameters={"Value": "1"}))
    plan, outcome = await carried_out(rehearsal, stack(rehearsal, "app", Parameters={"Value": "2"}))
    after = world(rehearsal)
    _, undone, executed = await take_back(rehearsal, back(rehearsal, plan, outcome.run_id))
    assert world(rehearsal)["/demo/app"] == ("1",)
    await take_back(rehearsal, back(rehearsal, executed, undone.run_id))
    assert world(rehearsal) == after


async def test_rollback_when_a_later_run_changed_the_stack_then_it_is_refused_by_name_unless_forced(rehearsal: Rehearsal) -> None:
    templates(rehearsal, "app")
    await rehearsal.run(stack(rehearsal, "app", Parameters={"Value": "1"}))
    before = world(rehearsal)
    plan, outcome = await carried_out(rehearsal, stack(rehearsal, "app", Parameters={"Value": "2"}))
    _, later = await carried_out(rehearsal, stack(rehearsal, "app", Parameters={"Value": "3"}))
    with pytest.raises(MovedError, match=later.run_id):
        back(rehearsal, plan, outcome.run_id)
    await take_back(rehearsal, back(rehearsal, plan, outcome.run_id, force=True))
    assert world(rehearsal) == before


async def test_rollback_when_the_run_deleted_a_stack_then_only_recreate_makes_it_again(rehearsal: Rehearsal) -> None:
    templates(rehearsal, "app")
    await rehearsal.run(stack(rehearsal, "app", Parameters={"Value": "1"}, Tags={"Owner": "a"}))
    (_, *before), value = world(rehearsal)["app"], world(rehearsal)["/demo/app"]
    plan, outcome = await carried_out(
        rehearsal, action("app", "AWS::DeleteStack", target=rehearsal.target, spec={"StackName": "app"})
    )
    assert world(rehearsal) == {}
    left = back(rehearsal, plan, outcome.run_id)
    assert left.plan is None
    assert "--recreate" in left.left[0].reason
    await take_back(rehearsal, back(rehearsal, plan, outcome.run_id, recreate=True))
    (_, *again) = world(rehearsal)["app"]
    assert (again, world(rehearsal)["/demo/app"]) == (before, value)


async def test_rollback_when_a_value_is_secret_then_it_stays_as_it_is_and_a_warning_says_so(rehearsal: Rehearsal) -> None:
    template = parameter("/demo/app")
    template["Parameters"]["Secret"] = {"Type": "String", "NoEcho": True}
    template["Resources"]["Hidden"] = {
        "Type": "AWS::SSM::Parameter", "Properties": {"Name": "/demo/hidden", "Type": "String", "Value": {"Ref": "Secret"}},
    }  # fmt: skip
    rehearsal.put("app.json", template)
    await rehearsal.run(stack(rehearsal, "app", Parameters={"Value": "1", "Secret": "s3cret-one"}))
    plan, outcome = await carried_out(rehearsal, stack(rehearsal, "app", Parameters={"Value": "2", "Secret": "s3cret-two"}))
    way = back(rehearsal, plan, outcome.run_id)
    assert "Secret is secret (NoEcho)" in way.warnings[0]
    await take_back(rehearsal, way)
    assert world(rehearsal)["/demo/app"] == ("1",)
    assert world(rehearsal)["/demo/hidden"] == ("s3cret-two",)
    kept = [path.read_text() for path in rehearsal.folder.rglob("before/**/*.json")]
    assert kept
    assert not any("s3cret" in text for text in kept)


@pytest.mark.parametrize(("at", "after"), [(2, True), (4, True), (6, False)])
async def test_rollback_when_the_run_was_killed_and_resumed_then_it_is_the_same(
    rehearsal: Rehearsal, tmp_path: Path, at: int, after: bool
) -> None:
    templates(rehearsal, "net", "app")
    await rehearsal.run(stack(rehearsal, "net", Parameters={"Value": "1"}))
    before = world(rehearsal)
    plan = plan_of([stack(rehearsal, "net", Parameters={"Value": "2"}), stack(rehearsal, "app", "net")], files=rehearsal.files)
    run = rehearsal.register(plan)
    await _killed(rehearsal, plan, run.run_id, tmp_path, at=at, after=after)
    async with rehearsal.engine(plan, run) as engine:
        for unit in units(plan):
            await engine.drive(unit)
    assert world(rehearsal)["/demo/net"] == ("2",)
    await take_back(rehearsal, back(rehearsal, plan, run.run_id))
    assert world(rehearsal) == before


async def _killed(rehearsal: Rehearsal, plan: Plan, run_id: str, folder: Path, *, at: int, after: bool) -> None:
    path = folder / "plan.json"
    path.write_text(plan.to_json(), encoding="utf-8")
    order = {
        "run_id": run_id, "plan": str(path), "store": str(rehearsal.folder), "overrides": rehearsal.overrides, "at": at,
        "after": after,
    }  # fmt: skip
    worker = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.integration.execute.victim", json.dumps(order))
    assert await worker.wait() == -signal.SIGKILL
