"""Stack set kinds, step by step, against a script that answers in the shapes of botocore's model: busy sets, failing instances,
pages, lost answers. moto, the only emulator that has stack sets, knows none of these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from core_lib.execute import Again, Done, Failed, build_params, find_kind
from core_lib.execute.stacks.stack_sets import OperationPreferences, rectangles
from core_lib.framework.errors import SchemaError
from tests.builders.contexts import context_of

A, B, C = "111111111111", "222222222222", "333333333333"


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "Operation")


class StackSets:
    """One set with its instances; operations end as `status` says, with `results` in pages of one."""

    def __init__(self, *instances: tuple[str, str, str]) -> None:
        self.found: dict[str, Any] | None = {"StackSetId": "base:1", "Status": "ACTIVE", "PermissionModel": "SELF_MANAGED"}
        self.instances = instances
        self.units: dict[str, str] = {}
        self.status = "SUCCEEDED"
        self.results: list[dict[str, Any]] = [{"Account": A, "Region": "eu-west-1", "Status": "SUCCEEDED"}]
        self.refuses: list[ClientError] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def describe_stack_set(self, **_: Any) -> dict[str, Any]:
        if self.found is None:
            raise refusal("StackSetNotFoundException")
        return {"StackSet": self.found}

    def list_stack_instances(self, NextToken: str | None = None, **_: Any) -> dict[str, Any]:  # noqa: N803
        listed = [
            {"Account": account, "Region": region, "Status": status, "OrganizationalUnitId": self.units.get(account, "")}
            for account, region, status in self.instances
        ]
        return {"Summaries": listed[1:]} if NextToken else {"Summaries": listed[:1], "NextToken": "2"}

    def _operation(self, call: str, arguments: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((call, arguments))
        if self.refuses:
            raise self.refuses.pop(0)
        return {"OperationId": arguments["OperationId"]}

    def create_stack_instances(self, **arguments: Any) -> dict[str, Any]:
        return self._operation("create", arguments)

    def update_stack_instances(self, **arguments: Any) -> dict[str, Any]:
        return self._operation("update", arguments)

    def delete_stack_instances(self, **arguments: Any) -> dict[str, Any]:
        return self._operation("delete", arguments)

    def update_stack_set(self, **arguments: Any) -> dict[str, Any]:
        return self._operation("update-set", arguments)

    def stop_stack_set_operation(self, **arguments: Any) -> dict[str, Any]:
        return self._operation("stop", arguments)

    def delete_stack_set(self, **arguments: Any) -> dict[str, Any]:
        return self._operation("delete-set", {"OperationId": "", **arguments})

    def create_stack_set(self, **arguments: Any) -> dict[str, Any]:
        self._operation("create-set", {"OperationId": "", **arguments})
        return {"StackSetId": "base:1"}

    def describe_stack_set_operation(self, **_: Any) -> dict[str, Any]:
        return {"StackSetOperation": {"Status": self.status, "StatusReason": "too many failures"}}

    def list_stack_set_operation_results(self, NextToken: str = "0", **_: Any) -> dict[str, Any]:  # noqa: N803
        number = int(NextToken)
        more = {"NextToken": str(number + 1)} if number + 1 < len(self.results) else {}
        return {"Summaries": self.results[number : number + 1], **more}


def run(kind: str, method: str, client: StackSets, scratch: Mapping[str, Any] | None = None, **params: Any) -> Any:
    context = context_of(kind, {"cloudformation": client}, scratch=scratch, stack_set_name="base", **params)
    return getattr(find_kind(kind)(), method)(context)


def deploy(client: StackSets, method: str = "start", scratch: Mapping[str, Any] | None = None, **more: Any) -> Any:
    given = {"accounts": [A, B], "regions": ["eu-west-1", "us-east-1"]} | more
    return run("AWS::DeployStackInstances", method, client, scratch, **given)


def test_rectangles_when_regions_differ_then_every_pair_is_covered_once() -> None:
    pairs = [(A, "x"), (A, "y"), (B, "x"), (C, "y"), (C, "x")]
    groups = rectangles(pairs)
    assert groups == [([B], ["x"]), ([A, C], ["x", "y"])]
    assert sorted((account, region) for accounts, regions in groups for account in accounts for region in regions) == sorted(
        pairs
    )


def test_preferences_when_nothing_is_said_then_soft_mode_at_full_speed() -> None:
    assert OperationPreferences().as_arguments() == {
        "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE", "RegionConcurrencyType": "PARALLEL", "MaxConcurrentPercentage": 100,
        "FailureToleranceCount": 0,
    }  # fmt: skip
    said = OperationPreferences(max_concurrent_count=3, failure_tolerance_percentage=5).as_arguments()
    assert (said["MaxConcurrentCount"], said["FailureTolerancePercentage"]) == (3, 5)
    assert "MaxConcurrentPercentage" not in said


def test_deploy_when_some_are_there_and_outdated_then_missing_are_created_and_those_updated_one_operation_at_a_time() -> None:
    client = StackSets((A, "eu-west-1", "CURRENT"), (B, "eu-west-1", "OUTDATED"))
    step = deploy(client)
    assert isinstance(step, Again)
    assert [call for call, _ in client.asked] == ["create"]
    second = deploy(client, "check", step.scratch)
    assert [call for call, _ in client.asked] == ["create", "update"]
    (_, created), (_, updated) = client.asked
    assert (created["Accounts"], created["Regions"]) == ([A, B], ["us-east-1"])
    assert (updated["Accounts"], updated["Regions"]) == ([B], ["eu-west-1"])
    assert created["OperationId"] != updated["OperationId"]
    assert isinstance(deploy(client, "check", second.scratch), Done)


def test_deploy_when_another_operation_is_running_then_it_waits_and_asks_with_the_same_id() -> None:
    client = StackSets()
    client.refuses = [refusal("OperationInProgressException"), refusal("OperationIdAlreadyExistsException")]
    waiting = deploy(client)
    assert isinstance(waiting, Again)
    assert waiting.scratch is not None
    begun = deploy(client, "check", waiting.scratch)
    assert begun.scratch["operation"] == client.asked[0][1]["OperationId"] == client.asked[1][1]["OperationId"]


def test_deploy_when_instances_fail_within_the_tolerance_then_the_action_fails_all_the_same_and_names_them() -> None:
    client = StackSets()
    client.results.append({"Account": B, "Region": "eu-west-1", "Status": "FAILED", "StatusReason": "role missing"})
    client.results.append({"Account": C, "Region": "eu-west-1", "Status": "CANCELLED"})
    step = deploy(client, "check", deploy(client).scratch)
    assert isinstance(step, Failed)
    assert f"{B}/eu-west-1: role missing" in step.message
    assert f"{C}/eu-west-1: CANCELLED" in step.message


def test_deploy_when_the_operation_itself_fails_then_nothing_more_is_asked() -> None:
    client = StackSets((A, "eu-west-1", "OUTDATED"))
    begun = deploy(client)
    client.status = "FAILED"
    step = deploy(client, "check", begun.scratch)
    assert isinstance(step, Failed)
    assert "too many failures" in step.message
    assert len(client.asked) == 1


@pytest.mark.cancel("AWS::DeployStackInstances")
def test_deploy_when_it_is_cancelled_then_the_operation_is_stopped_and_its_end_awaited() -> None:
    client = StackSets()
    begun = deploy(client)
    assert isinstance(deploy(client, "cancel", begun.scratch), Again)
    assert client.asked[-1][0] == "stop"
    client.refuses = [refusal("InvalidOperationException")]
    assert isinstance(deploy(client, "cancel", begun.scratch), Again)
    client.status = "STOPPING"
    assert isinstance(deploy(client, "check", begun.scratch), Again)
    client.status = "STOPPED"
    assert isinstance(deploy(client, "check", begun.scratch), Failed)
    assert isinstance(deploy(client, "cancel", {"listed": [], "token": "2"}), Done)


@pytest.mark.undo("AWS::DeployStackInstances")
def test_deploy_when_undone_then_only_what_was_created_is_deleted_again() -> None:
    client = StackSets((A, "eu-west-1", "OUTDATED"))
    begun = deploy(client, accounts=[A], regions=["eu-west-1", "us-east-1"])
    undoing = deploy(client, "undo", begun.scratch, accounts=[A])
    assert isinstance(undoing, Again)
    call, arguments = client.asked[-1]
    assert (call, arguments["Accounts"], arguments["Regions"], arguments["RetainStacks"]) == ("delete", [A], ["us-east-1"], False)
    done = deploy(client, "undo", undoing.scratch, accounts=[A])
    assert isinstance(done, Done)
    assert done.changed


def test_deploy_when_units_are_named_then_cloudformation_resolves_them_and_undo_says_that_it_cannot() -> None:
    client = StackSets()
    units = {"organizational_units": ["ou-ab12-cdefghij"], "account_filter": "DIFFERENCE"}
    begun = deploy(client, **units)
    assert client.asked[0][1]["DeploymentTargets"] == {
        "OrganizationalUnitIds": ["ou-ab12-cdefghij"], "Accounts": [A, B], "AccountFilterType": "DIFFERENCE",
    }  # fmt: skip
    assert deploy(client, "undo", begun.scratch, **units).changed is False


def test_deploy_when_the_set_is_missing_or_nobody_is_named_then_it_says_so() -> None:
    client = StackSets()
    client.found = None
    assert isinstance(deploy(client), Failed)
    with pytest.raises(SchemaError, match="Accounts or OrganizationalUnits"):
        build_params(find_kind("AWS::DeployStackInstances"), {"StackSetName": "base", "Regions": ["eu-west-1"]})


def test_delete_instances_when_the_set_is_service_managed_then_they_are_addressed_through_their_units() -> None:
    client = StackSets((A, "eu-west-1", "CURRENT"), (B, "eu-west-1", "CURRENT"), (C, "us-east-1", "CURRENT"))
    client.units = {A: "ou-1", B: "ou-2", C: "ou-1"}
    step = run("AWS::DeleteStackInstances", "start", client, regions=["eu-west-1"], retain_stacks=True)
    assert isinstance(step, Again)
    assert client.asked[0][1]["DeploymentTargets"] == {
        "OrganizationalUnitIds": ["ou-1", "ou-2"], "Accounts": [A, B], "AccountFilterType": "INTERSECTION",
    }  # fmt: skip
    assert client.asked[0][1]["RetainStacks"] is True


@pytest.mark.undo("AWS::DeleteStackSet")
@pytest.mark.cancel("AWS::DeleteStackSet")
def test_delete_set_when_an_operation_is_running_then_it_waits_and_an_earlier_request_counts() -> None:
    client = StackSets()
    client.refuses = [refusal("OperationInProgressException")]
    waiting = run("AWS::DeleteStackSet", "start", client)
    assert isinstance(waiting, Again)
    client.found = None
    assert run("AWS::DeleteStackSet", "check", client, waiting.scratch).changed is True
    assert run("AWS::DeleteStackSet", "undo", client).changed is False
    assert run("AWS::DeleteStackSet", "cancel", client).changed is False


TEMPLATE = {"base.yaml": b"Resources: {}\n"}


def create(client: StackSets, method: str = "start", scratch: Mapping[str, Any] | None = None, **more: Any) -> Any:
    return run("AWS::CreateStackSet", method, client, scratch, files=TEMPLATE, template="base.yaml", **more)


def test_create_set_when_the_answer_was_lost_then_the_set_is_found_and_a_hidden_parameter_is_no_change() -> None:
    client = StackSets()
    known, client.found = client.found, None
    client.refuses = [refusal("NameAlreadyExistsException")]

    def describe(**_: Any) -> dict[str, Any]:
        if client.asked:
            return {"StackSet": known}
        raise refusal("StackSetNotFoundException")

    client.describe_stack_set = describe  # type: ignore[method-assign]
    assert create(client).outputs["StackSetId"] == "base:1"

    other = StackSets()
    hidden = [{"ParameterKey": "Password", "ParameterValue": "****"}]
    same = {
        "TemplateBody": "Resources: {}\n",
        "Parameters": hidden,
        "Tags": [],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    }
    other.found = {**(other.found or {}), **same}
    assert create(other, parameters={"Password": "x"}).message == "no changes"
    assert isinstance(create(other, parameters={"Password": "x"}, tags={"A": "b"}), Again)
    assert create(other, "undo", {"stack_set_id": "base:1"}).changed is False


def test_create_set_when_its_permission_model_would_change_then_it_fails_with_the_way_out() -> None:
    step = create(StackSets(), permission_model="SERVICE_MANAGED")
    assert isinstance(step, Failed)
    assert "cannot be changed" in step.message


@pytest.mark.cancel("AWS::CreateStackSet", "AWS::DeleteStackInstances")
@pytest.mark.undo("AWS::DeleteStackInstances")
def test_operations_when_cancelled_then_they_are_stopped_and_a_deletion_is_not_undone() -> None:
    client = StackSets((A, "eu-west-1", "CURRENT"))
    client.found = {**(client.found or {}), "TemplateBody": "Resources: {Old: {}}"}
    updating = create(client)
    assert isinstance(create(client, "cancel", updating.scratch), Again)
    assert create(StackSets(), "cancel").changed is False
    deleting = run("AWS::DeleteStackInstances", "start", client)
    assert isinstance(run("AWS::DeleteStackInstances", "cancel", client, deleting.scratch), Again)
    asked = [(call, arguments["OperationId"]) for call, arguments in client.asked]
    (update, first), stop, (delete, second), last = asked
    assert (update, stop, delete, last) == ("update-set", ("stop", first), "delete", ("stop", second))
    assert run("AWS::DeleteStackInstances", "undo", client, deleting.scratch).changed is False
    assert len(client.asked) == 4
