"""Drift grouped by cause."""

from __future__ import annotations

from core_lib.framework.models import ActionState, ActionStatus, ResourceDrift, StackDrift
from core_lib.report import drift_groups, drift_headline, drift_report, group_id, render_drift
from tests.builders.plans import action, plan_of

QUEUE = "AWS::SQS::Queue"


def resource(*paths: str, kind: str = "NOT_EQUAL", actual: str = "2", logical: str = "Queue", **more: str) -> ResourceDrift:
    properties = [{"Path": path, "Kind": kind, "Expected": "1", "Actual": actual} for path in paths]
    fields = {"LogicalId": logical, "ResourceType": QUEUE, "Status": "MODIFIED", "Properties": properties, **more}
    return ResourceDrift.model_validate(fields)


def test_group_when_only_place_value_and_position_differ_then_it_is_the_same() -> None:
    same = {group_id(resource("/Tags/0/Value", actual="a")), group_id(resource("/Tags/7/Value", actual="b", logical="Other"))}
    assert len(same) == 1
    others = [resource("/Tags/0/Key"), resource("/Tags/0/Value", kind="REMOVE"), resource(Status="DELETED"), resource("/A", "/B")]
    assert len({group_id(each) for each in [resource("/Tags/0/Value"), *others]}) == 5


def test_group_when_properties_come_in_another_order_then_it_is_the_same() -> None:
    assert group_id(resource("/A", "/B")) == group_id(resource("/B", "/A"))


def test_groups_when_some_are_ignored_then_these_come_last_and_large_ones_first() -> None:
    common, rare = resource("/A"), resource("/B")
    drifts = [("1/r/app", [common, rare]), ("2/r/app", [common]), ("3/r/app", [resource("/C")])]
    ignored = {group_id(common): ("2999-01-01", "known")}
    groups = drift_groups(drifts, ignored)
    assert [(len(group.stacks), group.ignored_because) for group in groups] == [(1, None), (1, None), (2, "known")]


def test_report_when_looks_ended_differently_then_every_stack_is_in_one_place() -> None:
    found = {
        "good": StackDrift(stack_name="good", status="IN_SYNC", checked_stacks=1),
        "bad": StackDrift(stack_name="bad", status="DRIFTED", checked_stacks=1, resources=(resource("/A", kind="ADD"),)),
        "gone": StackDrift(stack_name="gone", status="DELETED"),
        "busy": StackDrift(stack_name="busy", status="NOT_CHECKED", reason="the stack is UPDATE_IN_PROGRESS"),
    }
    plan = plan_of([action(name, "AWS::DetectDrift", spec={"StackName": name}) for name in (*found, "failed", "unseen")])
    states = {
        each.id: ActionState(
            run_id="r", action_id=each.id, status=ActionStatus.SUCCEEDED, outputs={"Drift": found[each.name].as_dict()}
        )
        for each in plan.actions
        if each.name in found
    }
    failed = next(each.id for each in plan.actions if each.name == "failed")
    states[failed] = ActionState(run_id="r", action_id=failed, status=ActionStatus.FAILED, message="denied")
    report = drift_report(plan, states, run_id="r")
    assert (report.checked, report.in_sync, report.drifted, len(report.gone)) == (2, 1, 1, 1)
    assert [group.reason for group in report.not_checked] == ["the stack is UPDATE_IN_PROGRESS"]
    assert [failure.message for failure in report.failures] == ["denied"]
    assert not report.clean
    assert drift_headline(report) == "1 of 2 stacks drifted: 1 group, 1 stack gone"
    text = render_drift(report)
    for words in ("MODIFIED AWS::SQS::Queue", "/A  ADD: 1 -> 2", "GONE  1 stack", "NOT CHECKED  1 stack", "FAILED  1 look"):
        assert words in text


def test_report_when_all_drift_is_ignored_then_it_is_clean() -> None:
    drift = StackDrift(stack_name="a", status="DRIFTED", checked_stacks=1, resources=(resource("/A"),))
    plan = plan_of([action("a", "AWS::DetectDrift", spec={"StackName": "a"})])
    identity = plan.actions[0].id
    states = {
        identity: ActionState(run_id="r", action_id=identity, status=ActionStatus.SUCCEEDED, outputs={"Drift": drift.as_dict()})
    }
    assert not drift_report(plan, states).clean
    assert drift_report(plan, states, {group_id(resource("/A")): ("2999-01-01", "known")}).clean
