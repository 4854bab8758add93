"""What the medic proposes, and how it groups what it found."""

from __future__ import annotations

import pytest

from core_lib.execute import Failed, build_params, find_kind
from core_lib.fleet import Fleet, Round, StuckStack, diagnose, medic_plan
from core_lib.framework.models import SkippedTarget, Target
from tests.unit.execute.actions.test_stack_kinds import CloudFormation, run


def ill(status: str, account: str = "111111111111", name: str = "app", **more: object) -> StuckStack:
    fields = {"target": f"{account}/eu-west-1", "stack_name": name, "stack_id": "arn", "status": status}
    return StuckStack.model_validate(fields | more)


@pytest.mark.parametrize(
    ("stack", "kind", "destructive"),
    [
        (ill("ROLLBACK_COMPLETE"), "AWS::DeleteStack", True),
        (ill("CREATE_FAILED"), "AWS::DeleteStack", True),
        (ill("ROLLBACK_FAILED"), "AWS::DeleteStack", True),
        (ill("DELETE_FAILED"), "AWS::DeleteStack", True),
        (ill("UPDATE_ROLLBACK_FAILED"), "AWS::ContinueUpdateRollback", False),
        (ill("REVIEW_IN_PROGRESS", change_sets=("a", "b")), "AWS::DeleteChangeSet", False),
        (ill("REVIEW_IN_PROGRESS"), "AWS::DeleteStack", True),
        (ill("UPDATE_COMPLETE", change_sets=("a",)), "AWS::DeleteChangeSet", False),
    ],
)
def test_proposal_when_a_stack_is_stuck_then_it_fits_its_state_and_its_kind_takes_it(
    stack: StuckStack, kind: str, destructive: bool
) -> None:
    (repair,) = diagnose(Round(targets=1, stuck=(stack,))).repairs
    assert (repair.kind, repair.destructive) == (kind, destructive)
    for spec in repair.specs:
        build_params(find_kind(kind), spec)
    assert len(repair.specs) == max(1, len(stack.change_sets))


def test_proposal_when_skipping_is_allowed_then_it_counts_as_giving_something_up() -> None:
    found = Round(targets=1, stuck=(ill("UPDATE_ROLLBACK_FAILED"),))
    assert diagnose(found, allow_skip=True).repairs[0].destructive
    assert diagnose(found).repairs[0].specs[0]["AllowSkip"] is False


def test_wards_when_causes_differ_only_in_place_then_they_are_one() -> None:
    causes = [f"Role (AWS::IAM::Role) CREATE_FAILED: {account} may not" for account in ("111111111111", "222222222222")]
    alike = [
        ill("ROLLBACK_COMPLETE", account, causes=(cause,)) for account, cause in zip(("1" * 12, "2" * 12), causes, strict=True)
    ]
    other = ill("ROLLBACK_COMPLETE", "3" * 12, causes=("Queue (AWS::SQS::Queue) CREATE_FAILED: limit",))
    left = SkippedTarget(account="4" * 12, region="eu-west-1", reason="denied")
    diagnosis = diagnose(Round(targets=4, stuck=(*alike, other), unreachable=(left,)))
    assert [len(ward.stacks) for ward in diagnosis.wards] == [2, 1]
    assert diagnosis.unreachable == ("444444444444/eu-west-1: denied",)


def test_plan_when_repairs_are_chosen_then_each_is_an_action_of_its_own_that_others_do_not_wait_for() -> None:
    target = Target(account="111111111111", region="eu-west-1")
    fleet = Fleet({target.key: target}, ())
    stuck = (ill("REVIEW_IN_PROGRESS", change_sets=("a", "b")), ill("ROLLBACK_COMPLETE", name="net"))
    plan = medic_plan("acme", fleet, diagnose(Round(targets=1, stuck=stuck)).repairs)
    assert [(action.name, action.kind) for action in plan.actions] == [
        ("app-1", "AWS::DeleteChangeSet"), ("app-2", "AWS::DeleteChangeSet"), ("net-1", "AWS::DeleteStack"),
    ]  # fmt: skip
    assert not any(action.depends_on for action in plan.actions)


def test_deletion_when_the_stack_has_recovered_meanwhile_then_it_is_left_alone() -> None:
    client = CloudFormation("UPDATE_COMPLETE")
    step = run("AWS::DeleteStack", "start", client, only_in=["ROLLBACK_COMPLETE", "DELETE_FAILED"])
    assert isinstance(step, Failed)
    assert (step.code, client.asked) == ("CORE-5002", [])
