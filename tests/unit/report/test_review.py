"""The review of a plan: identical changes once, dangerous ones first, nothing left out."""

from __future__ import annotations

import pytest

from core_lib.framework.errors import RunStateError
from core_lib.framework.models import ActionState, ActionStatus, Plan, PropertyChange, ResourceChange, SkippedTarget, Task
from core_lib.report import headline, render_markdown, render_text, review, stack_reviews
from tests.unit.report.builders import account, failed, make_plan, reviewed, row


def change_plan(targets: int = 3, names: tuple[str, ...] = ("net",)) -> Plan:
    return make_plan(targets, names, kind="AWS::CreateChangeSet", task=Task.PLAN)


def bucket(action: str = "Add", **fields: object) -> ResourceChange:
    values = {"action": action, "logical_id": "Bucket", "resource_type": "AWS::S3::Bucket"} | fields
    return ResourceChange.model_validate(values)


def states_of(*rows: ActionState) -> dict[str, ActionState]:
    return {state.action_id: state for state in rows}


def all_reviewed(plan: Plan, *changes: ResourceChange, outcome: str = "create") -> dict[str, ActionState]:
    return states_of(*(reviewed(a.id, stack_name=a.spec["StackName"], outcome=outcome, changes=changes) for a in plan.actions))


def test_review_when_120_targets_change_the_same_then_one_group() -> None:
    plan = change_plan(targets=120)
    found = review(plan, all_reviewed(plan, bucket()))
    (group,) = found.groups
    assert len(group.targets) == 120
    assert group.stack_name == "<name>-net"
    assert headline(found) == "120 targets: 1 different change"


def test_review_when_values_only_name_the_target_then_still_one_group() -> None:
    plan = change_plan(targets=3)
    rows = []
    for n, action in enumerate(plan.actions):
        value = f"arn:aws:s3:::logs-{account(n)}-eu-west-1-team-{n}"
        item = PropertyChange(path="BucketName", before=None, after=value)
        changes = (bucket("Modify", replacement="False", properties=(item,)),)
        rows.append(reviewed(action.id, stack_name=action.spec["StackName"], outcome="update", changes=changes))
    (group,) = review(plan, states_of(*rows)).groups
    assert group.changes[0].properties[0].after == "arn:aws:s3:::logs-<account>-<region>-<name>"


def test_review_when_values_really_differ_then_different_changes() -> None:
    plan = change_plan(targets=2)
    rows = [
        reviewed(
            action.id,
            stack_name=action.spec["StackName"],
            outcome="update",
            changes=(bucket("Modify", properties=(PropertyChange(path="Size", before=1, after=10 + n),)),),
        )
        for n, action in enumerate(plan.actions)
    ]
    assert len(review(plan, states_of(*rows)).groups) == 2


def test_review_when_changes_are_dangerous_then_they_come_first() -> None:
    plan = change_plan(targets=4)
    kinds = [
        ("create", bucket("Add")),
        ("update", bucket("Modify", replacement="False")),
        ("update", bucket("Modify", replacement="True")),
        ("update", bucket("Remove")),
    ]
    rows = [
        reviewed(action.id, stack_name=action.spec["StackName"], outcome=outcome, changes=(change,))
        for action, (outcome, change) in zip(plan.actions, kinds, strict=True)
    ]
    found = review(plan, states_of(*rows))
    assert [group.severity for group in found.groups] == ["removes", "replaces", "updates", "creates"]


def test_review_when_one_stack_removes_and_adds_then_the_removal_is_listed_first() -> None:
    plan = change_plan(targets=1)
    changes = (bucket("Add", logical_id="A"), bucket("Modify", logical_id="B"), bucket("Remove", logical_id="Z"))
    (group,) = review(plan, all_reviewed(plan, *changes, outcome="update")).groups
    assert [change.logical_id for change in group.changes] == ["Z", "B", "A"]


def test_review_when_stacks_are_unchanged_or_deferred_then_they_are_counted() -> None:
    plan = change_plan(targets=3)
    first, second, third = (action.id for action in plan.actions)
    rows = states_of(
        reviewed(first, stack_name="a", outcome="unchanged"),
        reviewed(second, stack_name="a", outcome="deferred", reason="waits for hub"),
        reviewed(third, stack_name="a", outcome="unchanged"),
    )
    found = review(plan, rows)
    assert (found.unchanged, found.changed_target_count, found.not_reviewed) == (2, 1, 0)
    assert found.deferred[0].reason == "waits for hub"
    assert not found.empty
    assert found.complete


def test_review_when_nothing_changes_then_it_is_empty_and_says_so() -> None:
    plan = change_plan(targets=2)
    found = review(plan, all_reviewed(plan, outcome="unchanged"))
    assert found.empty
    assert headline(found) == "2 targets: no changes"


def test_review_when_an_action_failed_or_never_ran_then_it_is_not_complete() -> None:
    plan = change_plan(targets=3)
    first, second, _ = (action.id for action in plan.actions)
    found = review(plan, states_of(failed(first, "denied"), reviewed(second, stack_name="a", outcome="unchanged")))
    assert found.not_reviewed == 2
    assert len(found.failures) == 1
    assert not found.complete


def test_review_when_an_action_was_skipped_by_its_condition_then_its_stack_does_not_count() -> None:
    plan = change_plan(targets=1)
    found = review(plan, states_of(row(plan.actions[0].id, ActionStatus.SKIPPED)))
    assert (found.stack_count, found.not_reviewed) == (0, 0)


def test_review_when_a_record_cannot_be_read_then_it_says_which() -> None:
    plan = change_plan(targets=1)
    broken = row(plan.actions[0].id, outputs={"Review": {"Nonsense": 1}})
    with pytest.raises(RunStateError, match="cannot be read") as caught:
        review(plan, states_of(broken))
    assert plan.actions[0].id in str(caught.value)


def test_stack_reviews_when_asked_then_keyed_by_target_and_stack() -> None:
    plan = change_plan(targets=1)
    found = stack_reviews(plan, all_reviewed(plan, bucket()))
    assert list(found) == [f"{account(0)}/eu-west-1/team-0-net"]


def test_render_text_when_a_resource_is_replaced_then_it_is_marked() -> None:
    plan = change_plan(targets=2)
    item = PropertyChange(path="BucketName", before="old", after="new")
    changes = (bucket("Modify", replacement="True", properties=(item,)),)
    text = render_text(review(plan, all_reviewed(plan, *changes, outcome="update")))
    assert "REPLACES  net: update <name>-net in 2 targets" in text
    assert "~ Bucket  AWS::S3::Bucket  (replacement)" in text
    assert "BucketName: old -> new" in text


def test_render_markdown_when_targets_were_left_out_then_the_review_is_still_readable() -> None:
    plan = change_plan(targets=1).model_copy(update={"skipped": (SkippedTarget(account=account(5), reason="suspended"),)})
    assert "1 target: 1 different change" in render_markdown(review(plan, all_reviewed(plan, bucket())))
