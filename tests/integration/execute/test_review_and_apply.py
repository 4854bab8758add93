"""Plan and apply: what a change set shows, and that apply executes exactly that or nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from core_lib.framework.models import ActionStatus, PlanAction
from tests.builders.plans import action
from tests.integration.execute.conftest import Outcome, Rehearsal, never_ready, parameter

NAME = "review-1"


def step(rehearsal: Rehearsal, kind: str, name: str = "app", template: str = "app.json", **spec: Any) -> PlanAction:
    fields = {key: spec.pop(key) for key in ("after", "references") if key in spec}
    body = {"StackName": name, "Template": template, "ChangeSetName": NAME, **spec}
    return action(name, kind, target=rehearsal.target, spec=body, **fields)


async def plan(rehearsal: Rehearsal, **spec: Any) -> Outcome:
    return await rehearsal.run(step(rehearsal, "AWS::CreateChangeSet", **spec))


async def apply(rehearsal: Rehearsal, reviewed: Outcome, **spec: Any) -> Outcome:
    return await rehearsal.run(step(rehearsal, "AWS::ApplyChangeSet", **spec), reviews=reviewed.reviews)


def stacks(rehearsal: Rehearsal) -> dict[str, str]:
    return {stack["StackName"]: stack["StackStatus"] for stack in rehearsal.cloudformation.describe_stacks()["Stacks"]}


async def test_plan_when_the_stack_is_new_then_every_resource_is_shown_and_nothing_is_created(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    reviewed = await plan(rehearsal)
    (review,) = reviewed.reviews.values()
    assert (review.outcome, review.change_set_name, review.stack_id) == ("create", NAME, None)
    assert [(change.action, change.logical_id) for change in review.changes] == [("Add", "Item")]
    assert stacks(rehearsal) == {"app": "REVIEW_IN_PROGRESS"}


async def test_apply_when_nothing_moved_then_the_reviewed_change_set_is_executed(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    reviewed = await plan(rehearsal)
    rehearsal.cloud.reset_calls()
    applied = await apply(rehearsal, reviewed)
    assert (applied["app"].status, applied["app"].message) == (ActionStatus.SUCCEEDED, "created")
    assert applied["app"].outputs["Value"] == "one"
    assert rehearsal.cloud.count("cloudformation", "CreateChangeSet") == 0
    again = await plan(rehearsal)
    assert next(iter(again.reviews.values())).outcome == "unchanged"


async def test_plan_when_a_parameter_changes_then_the_property_is_shown_and_apply_changes_it(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    await apply(rehearsal, await plan(rehearsal))
    reviewed = await plan(rehearsal, Parameters={"Value": "two"})
    (review,) = reviewed.reviews.values()
    (change,) = review.changes
    assert (review.outcome, change.action, change.replacement) == ("update", "Modify", "False")
    assert [prop.path for prop in change.properties] == ["Properties.Value"]
    applied = await apply(rehearsal, reviewed, Parameters={"Value": "two"})
    assert applied["app"].outputs["Value"] == "two"


async def test_plan_when_repeated_then_the_old_change_set_of_that_name_is_replaced(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    await plan(rehearsal)
    reviewed = await plan(rehearsal, Parameters={"Value": "two"})
    applied = await apply(rehearsal, reviewed, Parameters={"Value": "two"})
    assert applied["app"].outputs["Value"] == "two"


async def test_plan_when_all_is_unchanged_then_it_costs_one_call_and_apply_does_nothing(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    await apply(rehearsal, await plan(rehearsal))
    rehearsal.cloud.reset_calls()
    reviewed = await plan(rehearsal)
    assert rehearsal.cloud.count("cloudformation") == 1
    applied = await apply(rehearsal, reviewed)
    assert (applied["app"].message, applied["app"].changed) == ("unchanged", False)


async def test_apply_when_the_stack_was_changed_meanwhile_then_it_refuses(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    await apply(rehearsal, await plan(rehearsal))
    reviewed = await plan(rehearsal, Parameters={"Value": "two"})
    rehearsal.cloudformation.update_stack(
        StackName="app", TemplateBody=json.dumps(parameter()), Parameters=[{"ParameterKey": "Value", "ParameterValue": "theirs"}]
    )
    applied = await apply(rehearsal, reviewed, Parameters={"Value": "two"})
    error = applied["app"].error
    assert error is not None
    assert error.code == "CORE-5002"
    assert "has moved" in error.message
    assert rehearsal.direct("ssm").get_parameter(Name="/demo/value")["Parameter"]["Value"] == "theirs"


async def test_apply_when_the_change_set_is_gone_then_it_refuses(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    await apply(rehearsal, await plan(rehearsal))
    reviewed = await plan(rehearsal, Parameters={"Value": "two"})
    rehearsal.cloudformation.delete_change_set(StackName="app", ChangeSetName=NAME)
    applied = await apply(rehearsal, reviewed, Parameters={"Value": "two"})
    assert applied["app"].error is not None
    assert applied["app"].error.code == "CORE-5002"
    assert f"{NAME} is gone" in applied["app"].error.message


async def test_apply_when_somebody_created_the_stack_meanwhile_then_it_refuses(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    reviewed = await plan(rehearsal)
    rehearsal.cloudformation.delete_stack(StackName="app")
    rehearsal.cloudformation.create_stack(StackName="app", TemplateBody=json.dumps(parameter()))
    applied = await apply(rehearsal, reviewed)
    assert applied["app"].error is not None
    assert "did not exist" in applied["app"].error.message


async def test_apply_when_it_asks_for_something_else_than_was_reviewed_then_it_refuses(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    reviewed = await plan(rehearsal)
    applied = await apply(rehearsal, reviewed, Parameters={"Value": "sneaked in"})
    assert applied["app"].error is not None
    assert applied["app"].error.code == "CORE-5002"
    assert stacks(rehearsal) == {"app": "REVIEW_IN_PROGRESS"}


async def test_plan_when_parameters_need_outputs_of_a_new_stack_then_it_is_deferred_and_apply_creates_it(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.put("hub.json", parameter("/demo/hub"))
    rehearsal.put("app.json", parameter())
    hub_id = f"hub@{rehearsal.target}"
    late = {"Parameters": {"Value": "{{ outputs.hub.Name }}"}, "after": ("hub",), "references": {"hub": hub_id}}
    reviewed = await rehearsal.run(
        step(rehearsal, "AWS::CreateChangeSet", "hub", "hub.json"), step(rehearsal, "AWS::CreateChangeSet", **late)
    )
    reviews = {review.stack_name: review for review in reviewed.reviews.values()}
    assert reviews["app"].outcome == "deferred"
    assert "Value" in (reviews["app"].reason or "")
    applied = await rehearsal.run(
        step(rehearsal, "AWS::ApplyChangeSet", "hub", "hub.json"), step(rehearsal, "AWS::ApplyChangeSet", **late),
        reviews=reviewed.reviews,
    )  # fmt: skip
    assert applied["app"].outputs["Value"] == "/demo/hub"
    second = await rehearsal.run(
        step(rehearsal, "AWS::CreateChangeSet", "hub", "hub.json"), step(rehearsal, "AWS::CreateChangeSet", **late)
    )
    assert {review.outcome for review in second.reviews.values()} == {"unchanged"}


async def test_apply_when_the_update_rolls_back_then_it_fails_with_the_reason(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    await apply(rehearsal, await plan(rehearsal))
    rehearsal.put("app.json", parameter(**never_ready()))
    applied = await apply(rehearsal, await plan(rehearsal))
    assert applied["app"].error is not None
    assert "WaitCondition" in applied["app"].error.message


async def test_delete_change_set_when_it_was_for_a_new_stack_then_the_shell_goes_with_it(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    await plan(rehearsal)
    drop = action("drop", "AWS::DeleteChangeSet", target=rehearsal.target, spec={"StackName": "app", "ChangeSetName": NAME})
    outcome = await rehearsal.run(drop)
    assert outcome["drop"].changed is True
    assert stacks(rehearsal) == {}
    assert (await rehearsal.run(drop))["drop"].changed is False


async def test_plan_when_a_failed_creation_is_in_the_way_then_it_is_deferred_and_left_alone(rehearsal: Rehearsal) -> None:
    rehearsal.cloudformation.create_stack(StackName="app", TemplateBody=json.dumps(parameter(**never_ready())))
    rehearsal.put("app.json", parameter())
    for _ in range(100):
        if stacks(rehearsal)["app"] == "ROLLBACK_COMPLETE":
            break
        await asyncio.sleep(0.1)
    reviewed = await plan(rehearsal)
    (review,) = reviewed.reviews.values()
    assert review.outcome == "deferred"
    assert stacks(rehearsal)["app"] == "ROLLBACK_COMPLETE"


def failing(rehearsal: Rehearsal) -> PlanAction:
    """Fails after `app`, and takes the target back."""
    spec = {"StackName": "nowhere"}
    return action("bad", "AWS::GetStackOutputs", target=rehearsal.target, after=["app"], spec=spec, on_failure="undo")


@pytest.mark.undo("AWS::ApplyChangeSet")
async def test_apply_when_undone_then_the_new_stack_is_gone_and_an_updated_one_is_as_before(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    run = rehearsal.run(step(rehearsal, "AWS::ApplyChangeSet"), failing(rehearsal), reviews=(await plan(rehearsal)).reviews)
    assert (await run)["app"].status is ActionStatus.CANCELLED
    assert stacks(rehearsal) == {}
    await apply(rehearsal, await plan(rehearsal))
    reviews = (await plan(rehearsal, Parameters={"Value": "two"})).reviews
    await rehearsal.run(step(rehearsal, "AWS::ApplyChangeSet", Parameters={"Value": "two"}), failing(rehearsal), reviews=reviews)
    assert rehearsal.direct("ssm").get_parameter(Name="/demo/value")["Parameter"]["Value"] == "one"


@pytest.mark.undo("AWS::CreateChangeSet")
async def test_plan_when_undone_then_change_set_and_shell_are_gone(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter())
    outcome = await rehearsal.run(step(rehearsal, "AWS::CreateChangeSet"), failing(rehearsal))
    assert outcome["app"].status is ActionStatus.CANCELLED
    assert stacks(rehearsal) == {}
