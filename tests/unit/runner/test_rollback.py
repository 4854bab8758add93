"""The way back of a run, as plans: what goes back to what, and in which order."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.db import StackRecord
from core_lib.execute import StackBefore
from core_lib.framework.errors import MovedError
from core_lib.framework.models import ActionState, ActionStatus, FileRef, Plan, PlanAction, PlanWave, Task
from core_lib.runner import WayBack, way_back
from tests.builders.plans import action, plan_of

HUB, SPOKE = "111111111111/eu-west-1", "222222222222/eu-west-1"
RUN = "20261123-070000-abcdef"


def deploy(name: str, *after: str, target: str = HUB, **spec: Any) -> PlanAction:
    body = {"StackName": name, "Template": f"{name}.yaml", **spec}
    return action(name, "AWS::CreateStack", target=target, after=after, spec=body)


def was(name: str, target: str = HUB, **fields: Any) -> StackBefore:
    """The stack existed before the run, with these peculiarities."""
    ref = FileRef(path=f"{name}-old.template", key=f"files/{name}", sha256="0" * 64, size=2)
    values = {"template": ref, "parameters": {"Value": "old"}, **fields}
    return StackBefore(target=target, stack_name=name, action_id=f"{name}@{target}", existed=True, **values)


def was_not(name: str, target: str = HUB) -> StackBefore:
    return StackBefore(target=target, stack_name=name, action_id=f"{name}@{target}", existed=False)


def record(name: str, run_id: str | None, target: str = HUB) -> dict[str, StackRecord]:
    made = StackRecord(target=target, stack_name=name, fingerprint="f", stack_id="arn", run_id=run_id)
    return {f"{target}/{name}": made}


def executed(way: WayBack) -> Plan:
    assert way.plan is not None
    return way.plan


def test_way_back_when_stacks_waited_for_each_other_then_they_go_back_in_reverse_also_across_targets() -> None:
    plan = plan_of(
        [
            deploy("hub"),
            action("wait", after=["hub"]),
            deploy("net", f"wait@{HUB}", target=SPOKE),
            deploy("app", "net", target=SPOKE),
        ]
    )
    way = way_back(RUN, plan, [was("hub"), was_not("net", SPOKE), was_not("app", SPOKE)], {}, {})
    actions = executed(way).action_by_id
    assert actions[f"hub@{HUB}"].depends_on == (f"net@{SPOKE}",), "the action between them changed nothing and stands in no way"
    assert actions[f"net@{SPOKE}"].depends_on == (f"app@{SPOKE}",)
    assert actions[f"app@{SPOKE}"].depends_on == ()
    assert [actions[key].kind for key in sorted(actions)] == ["AWS::DeleteStack", "AWS::ApplyChangeSet", "AWS::DeleteStack"]


def test_way_back_when_the_run_had_waves_then_they_are_not_repeated() -> None:
    plan = plan_of([deploy("net"), action("gate", after=["net"]), deploy("net", f"gate@{HUB}", target=SPOKE)])
    waves = (PlanWave(name="canary", targets=(HUB,), gates=(f"gate@{HUB}",)), PlanWave(name="rest", targets=(SPOKE,)))
    way = way_back(RUN, plan.but(waves=waves), [was("net"), was("net", SPOKE)], {}, {})
    assert [each.depends_on for each in executed(way).actions] == [(), ()]


def test_way_back_when_made_then_the_review_looks_at_exactly_the_same_stacks_and_changes_none() -> None:
    plan = plan_of([deploy("net"), deploy("app", "net")])
    way = way_back(RUN, plan, [was("net"), was_not("app")], {}, {})
    assert way.review is not None
    assert (way.review.task, executed(way).task) == (Task.PLAN, Task.ROLLBACK)
    assert {each.kind for each in way.review.actions} == {"AWS::CreateChangeSet", "AWS::ReviewDeletion"}
    seen, done = (each.action_by_id[f"net@{HUB}"].spec for each in (way.review, executed(way)))
    assert seen == done, "the same request, so that the reviewed change set fits"


def test_way_back_when_a_stack_is_restored_then_template_values_tags_and_protection_are_the_earlier_ones() -> None:
    before = was("net", tags={"Owner": "a"}, protected=True, hidden=("Secret",), role_arn="arn:aws:iam::1:role/cfn")
    way = way_back(RUN, plan_of([deploy("net")]), [before], {}, {})
    assert executed(way).actions[0].spec == {
        "StackName": "net", "Template": "net-old.template", "Parameters": {"Value": "old"}, "KeepParameters": ["Secret"],
        "Tags": {"Owner": "a"}, "TerminationProtection": True, "ChangeSetName": f"rollback-{RUN}",
        "RoleArn": "arn:aws:iam::1:role/cfn",
    }  # fmt: skip
    assert executed(way).file_by_path["net-old.template"].key == "files/net"
    assert way.warnings == (
        "net: Secret is secret (NoEcho), its earlier value is not known: it keeps the value it has now (1 targets)",
    )


def test_way_back_when_the_run_set_a_first_stack_policy_then_one_that_allows_everything_takes_its_place() -> None:
    way = way_back(RUN, plan_of([deploy("net", StackPolicy={"Statement": []})]), [was("net")], {}, {})
    assert '"Action":"Update:*","Effect":"Allow"' in executed(way).actions[0].spec["StackPolicy"]


def test_way_back_when_a_later_run_changed_the_stack_then_it_is_named() -> None:
    plan = plan_of([deploy("net")])
    with pytest.raises(MovedError, match="run later changed 111111111111/eu-west-1/net"):
        way_back(RUN, plan, [was("net", run_id="earlier")], {}, record("net", "later"))
    assert way_back(RUN, plan, [was("net")], {}, record("net", "later"), force=True).plan is not None


@pytest.mark.parametrize("last", [RUN, "earlier", None])
def test_way_back_when_only_this_run_or_the_one_before_deployed_it_then_nothing_is_in_the_way(last: str | None) -> None:
    way = way_back(RUN, plan_of([deploy("net")]), [was("net", run_id="earlier")], {}, record("net", last))
    assert way.plan is not None


def test_way_back_when_nothing_was_touched_then_there_is_no_plan() -> None:
    way = way_back(RUN, plan_of([deploy("net")]), [], {}, {})
    assert (way.plan, way.review, way.left) == (None, None, ())


def test_way_back_when_other_kinds_changed_something_then_they_are_named_as_left() -> None:
    plan = plan_of([deploy("net"), action("old", "AWS::DeleteStack", spec={"StackName": "old"}, target=HUB)])
    states = {
        f"old@{HUB}": ActionState(run_id=RUN, action_id=f"old@{HUB}", status=ActionStatus.SUCCEEDED, changed=True),
        f"net@{HUB}": ActionState(run_id=RUN, action_id=f"net@{HUB}", status=ActionStatus.SUCCEEDED, changed=True),
    }
    way = way_back(RUN, plan, [was("net")], states, {})
    assert [(each.action_id, each.reason) for each in way.left] == [(f"old@{HUB}", "AWS::DeleteStack is not rolled back")]
