"""The way back of an updated stack, step by step; CloudFormation is a small fake with the shapes of its real answers."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from botocore.exceptions import ClientError

from core_lib.execute import Again, Done, Failed, Step
from core_lib.execute.actions.create_stack import CreateStack
from core_lib.execute.stacks.before import StackBefore
from core_lib.framework.models import FileRef
from tests.builders.contexts import ACCOUNT, REGION, MemoryOfRun, context_of

HERE = f"{ACCOUNT}/{REGION}"
TEMPLATE = b'{"Resources": {}}'


class CloudFormation:
    """One stack."""

    def __init__(self, status: str = "UPDATE_COMPLETE", *, same: bool = False) -> None:
        self.status = status
        self.updated = "2026-01-01T00:00:00"
        self.same = same
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def describe_stacks(self, **_: Any) -> dict[str, Any]:
        stack = {"StackName": "app", "StackId": "arn:app", "StackStatus": self.status, "LastUpdatedTime": self.updated}
        return {"Stacks": [stack | {"EnableTerminationProtection": True}]}

    def update_stack(self, **arguments: Any) -> dict[str, Any]:
        self.calls.append(("update_stack", arguments))
        if self.same:
            error = {"Code": "ValidationError", "Message": "No updates are to be performed."}
            raise ClientError({"Error": error}, "UpdateStack")
        return {"StackId": "arn:app"}

    def update_termination_protection(self, **arguments: Any) -> None:
        self.calls.append(("protection", arguments))

    def set_stack_policy(self, **arguments: Any) -> None:
        self.calls.append(("policy", arguments))

    def describe_stack_events(self, **_: Any) -> dict[str, Any]:
        return {"StackEvents": []}


def run_with(**changes: Any) -> MemoryOfRun:
    digest = hashlib.sha256(TEMPLATE).hexdigest()
    before = StackBefore(
        target=HERE, stack_name="app", action_id=f"it@{HERE}", existed=True, stack_id="arn:app", protected=True,
        template=FileRef(path="t", key="old-template", sha256=digest, size=len(TEMPLATE)), parameters={"Size": "1"},
        hidden=("Password",), tags={"Owner": "ann"},
    ).but(**changes)  # fmt: skip
    memory = MemoryOfRun()
    memory.artefacts["old-template"] = TEMPLATE
    memory.keep(f"before/{HERE}/app.json", json.dumps(before.as_dict()).encode())
    return memory


def undo(cloud: CloudFormation, memory: MemoryOfRun, **scratch: Any) -> Step:
    context = context_of(
        CreateStack, {"cloudformation": cloud}, run=memory, scratch={"type": "UPDATE", **scratch}, StackName="app", Template="t",
        Capabilities=["CAPABILITY_IAM"],
    )  # fmt: skip
    return CreateStack().undo(context)


def test_undo_when_the_stack_was_updated_then_it_gets_back_what_it_had() -> None:
    cloud = CloudFormation()
    step = undo(cloud, run_with())
    assert isinstance(step, Again)
    (call, request) = cloud.calls[0]
    assert call == "update_stack"
    assert request.pop("ClientRequestToken").startswith("core-")
    assert request == {
        "StackName": "arn:app", "TemplateBody": TEMPLATE.decode(), "Capabilities": ["CAPABILITY_IAM"],
        "Parameters": [
            {"ParameterKey": "Size", "ParameterValue": "1"}, {"ParameterKey": "Password", "UsePreviousValue": True},
        ],
        "Tags": [{"Key": "Owner", "Value": "ann"}],
    }  # fmt: skip
    assert isinstance(undo(cloud, run_with(), **dict(step.scratch or {})), Again), "the stack still shows its last end"
    cloud.updated = "2026-01-01T00:01:00"
    step = undo(cloud, run_with(), **dict(step.scratch or {}))
    assert isinstance(step, Done)
    assert step.changed
    assert step.message == "as it was before; values that CloudFormation hides stay: Password"
    assert len(cloud.calls) == 1


def test_undo_when_it_was_done_but_not_written_down_then_it_ends_well() -> None:
    assert isinstance(undo(CloudFormation(same=True), run_with()), Done)


def test_undo_when_protection_and_policy_were_changed_then_they_go_back_too() -> None:
    cloud = CloudFormation(same=True)
    undo(cloud, run_with(protected=False, stack_policy='{"Statement": []}'))
    assert [name for name, _ in cloud.calls] == ["update_stack", "policy", "protection"]


def test_undo_when_the_way_back_fails_then_it_says_how_the_stack_ended() -> None:
    cloud = CloudFormation()
    step = undo(cloud, run_with())
    assert isinstance(step, Again)
    cloud.status, cloud.updated = "UPDATE_ROLLBACK_COMPLETE", "2026-01-01T00:01:00"
    step = undo(cloud, run_with(), **dict(step.scratch or {}))
    assert isinstance(step, Failed)
    assert "UPDATE_ROLLBACK_COMPLETE" in step.message


def test_undo_when_the_stack_is_busy_or_stuck_then_it_waits_or_says_so() -> None:
    assert isinstance(undo(CloudFormation("UPDATE_IN_PROGRESS"), run_with()), Again)
    assert isinstance(undo(CloudFormation("UPDATE_ROLLBACK_FAILED"), run_with()), Failed)


def test_undo_when_another_action_changed_the_stack_first_then_that_one_takes_it_back() -> None:
    cloud = CloudFormation()
    step = undo(cloud, run_with(action_id=f"first@{HERE}"))
    assert step == Done(changed=False, message=f"first@{HERE} changed the stack first and takes it back")
    assert cloud.calls == []


def test_undo_when_nothing_was_kept_then_it_leaves_the_stack_alone() -> None:
    step = undo(CloudFormation(), MemoryOfRun())
    assert isinstance(step, Done)
    assert not step.changed


def test_undo_when_the_old_template_is_too_long_for_a_request_then_its_url_is_given() -> None:
    memory = run_with(template=FileRef(path="t", key="large", sha256="0" * 64, size=60_000))
    cloud = CloudFormation()
    undo(cloud, memory)
    assert cloud.calls[0][1]["TemplateURL"] == "https://bucket/large"
