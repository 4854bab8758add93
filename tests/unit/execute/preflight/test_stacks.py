"""States of stacks and room for new ones. Limits come from a stand-in: no emulator implements DescribeAccountLimits."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.execute.preflight.stacks import NEARLY_FULL, quota, states
from core_lib.execute.preflight.survey import Change
from core_lib.execute.stacks.live import LiveStack
from tests.builders.plans import action


class Limits:
    """Answers DescribeAccountLimits in the shape of botocore's service model, over two pages."""

    def __init__(self, stacks: int) -> None:
        self.asked = 0
        self.pages = [{"AccountLimits": [{"Name": "ConcurrentResourcesLimit", "Value": 2500}], "NextToken": "2"}]
        self.pages.append({"AccountLimits": [{"Name": "StackLimit", "Value": stacks}]})

    def get_paginator(self, operation: str) -> Limits:
        assert operation == "describe_account_limits"
        return self

    def paginate(self) -> list[dict[str, Any]]:
        self.asked += 1
        return self.pages


def change(status: str | None = None, *, recorded: bool = True, kind: str = "AWS::CreateStack", **fields: Any) -> Change:
    live = LiveStack(name="app", id="arn", status=status, **fields) if status else None
    return Change(action("app", kind, spec={"StackName": "app"}), "app", live, recorded)


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED", "CREATE_FAILED"])
def test_state_when_the_stack_is_stuck_then_an_error_with_advice(status: str) -> None:
    (found,) = states([change(status, reason="it broke")])
    assert (found.check, found.severity) == ("state", "error")
    assert f"{status}: it broke" in found.message
    assert found.hint


@pytest.mark.parametrize(
    "status", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_IN_PROGRESS", "ROLLBACK_COMPLETE", None]
)
def test_state_when_the_stack_can_be_changed_waited_for_or_made_then_nothing(status: str | None) -> None:
    assert list(states([change(status)])) == []


def test_deletion_when_the_stack_is_protected_then_an_error() -> None:
    (found,) = states([change("CREATE_COMPLETE", kind="AWS::DeleteStack", protected=True)])
    assert "termination protection" in found.message


def test_quota_when_there_is_plenty_of_room_or_nothing_new_then_aws_is_not_asked() -> None:
    limits = Limits(stacks=10)
    assert list(quota(limits, NEARLY_FULL - 1, [change()])) == []
    assert list(quota(limits, 5000, [change("CREATE_COMPLETE"), change("X", kind="AWS::DeleteStack")])) == []
    assert limits.asked == 0


def test_quota_when_the_new_stacks_do_not_fit_then_an_error_with_the_numbers() -> None:
    (found,) = quota(Limits(stacks=200), 199, [change(), change("REVIEW_IN_PROGRESS")])
    assert found.message == "2 new stacks are too many: there are 199, and the quota is 200"
    assert list(quota(Limits(stacks=200), 198, [change(), change()])) == []
