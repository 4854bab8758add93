"""A package of components becomes plans and files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from core_lib.component import Released, compile_components, is_component_package
from core_lib.db import Facts
from core_lib.deployspec import Compilation
from core_lib.framework.errors import PayloadError, SchemaError, TargetError
from core_lib.framework.models import Account, AccountState, DeploymentDetails, Selection, Task, TaskPayload
from core_lib.framework.package import Package
from tests.builders.component_facts import ACCOUNT, component_facts
from tests.builders.components import package_of

ORDERS = """
orders:
  Type: AWS::DynamoDB
  Persist: true
  Configuration:
    Table:
      Properties:
        AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
        KeySchema: [{AttributeName: id, KeyType: HASH}]
"""
FILES: Mapping[str, str | bytes] = {"orders.yaml": ORDERS, "platform/files/app/index.html": b"<html>"}
DETAILS = DeploymentDetails(portfolio="shop", app="web", branch="main", build="7")


def compiled(
    *,
    files: Mapping[str, str | bytes] = FILES,
    details: DeploymentDetails = DETAILS,
    released: Released | None = None,
    accounts: Sequence[Account] = (),
    targets: Selection | None = None,
    **facts: Any,
) -> Compilation:
    payload = TaskPayload(client="acme", task=Task.DEPLOY, type="pipeline", deployment_details=details, targets=targets)
    values = Facts(component_facts(**facts))
    return compile_components(
        payload, package=package_of(files), facts=values, accounts=accounts, released=released, linter=None
    )  # fmt: skip


def test_compile_when_a_package_has_a_component_then_there_are_five_plans_and_its_templates() -> None:
    made = compiled()
    assert set(made.plans) == {Task.PLAN, Task.APPLY, Task.DEPLOY, Task.RELEASE, Task.TEARDOWN}
    deploy = made.plan(Task.DEPLOY)
    names = {action.name for action in deploy.actions}
    assert {"_application.kms", "orders.resources", "orders.pointers", "orders.complete", "_build.complete"} <= names
    body = json.loads(made.files[deploy.file_by_path["orders/resources.yaml"].key])
    assert body["Resources"]["Table"]["Type"] == "AWS::DynamoDB::Table"
    assert deploy.provenance.sources == ("platform/components/orders.yaml",)


def test_compile_when_made_twice_then_the_plans_are_the_same() -> None:
    assert {task: plan.hash for task, plan in compiled().plans.items()} == {
        task: plan.hash for task, plan in compiled().plans.items()
    }


def test_files_when_the_package_has_some_then_they_are_stored_for_the_build() -> None:
    assert compiled().files["files/shop/web/main/7/app/index.html"] == b"<html>"


def test_persist_when_a_build_is_released_then_its_stack_is_used_and_no_own_one_made() -> None:
    released = Released("6", {"orders": "shop-web-main-6-orders-resources"})
    deploy = compiled(released=released).plan(Task.DEPLOY)
    (found,) = [action for action in deploy.actions if action.name == "orders.resources"]
    assert (found.kind, found.spec) == ("AWS::GetStackOutputs", {"StackName": "shop-web-main-6-orders-resources"})


def test_check_when_a_component_has_one_then_the_release_asks_before_it_switches() -> None:
    files = {"orders.yaml": ORDERS.replace("  Persist: true\n", "  Options: {Check: {Lambda: smoke}}\n")}
    (check,) = [action for action in compiled(files=files).plan(Task.RELEASE).actions if action.name == "orders.check"]
    assert (check.kind, check.spec["FunctionName"]) == ("AWS::InvokeLambda", "smoke")
    wrong = {"orders.yaml": files["orders.yaml"].replace("Lambda", "Lambada")}
    with pytest.raises(SchemaError, match="did you mean Lambda"):
        compiled(files=wrong)


def test_component_when_the_package_lost_it_then_a_warning_says_that_its_stacks_stay() -> None:
    made = compiled(released=Released(deployed=frozenset({"orders", "carts"})))
    assert ["'carts' was deployed with this build" in str(each) for each in made.warnings] == [True]


def test_build_when_the_deployment_names_none_or_a_component_then_it_is_refused() -> None:
    for details in (DETAILS.but(build=None), DETAILS.but(component="orders")):
        with pytest.raises(PayloadError, match="components are deployed as a build"):
            compiled(details=details)


def test_targets_when_the_run_is_narrowed_then_it_is_refused() -> None:
    with pytest.raises(TargetError, match="components have one target"):
        compiled(targets=Selection(regions=("us-east-1",)))


def test_target_when_the_facts_name_none_or_one_that_is_closed_then_it_is_refused() -> None:
    with pytest.raises(TargetError, match="the fact AwsAccountId is not known"):
        compiled(AwsAccountId=None)
    closed = Account(id=ACCOUNT, name="shop", state=AccountState.CLOSED)
    with pytest.raises(TargetError, match=r"account shop \(111111111111\) is closed"):
        compiled(accounts=[closed])


@pytest.mark.parametrize(
    ("path", "holds"), [("platform/components/a.yaml", True), ("components/a.yaml", True), ("deployspec.yaml", False)]
)
def test_package_when_it_has_a_folder_of_components_then_it_is_one(path: str, holds: bool) -> None:
    assert is_component_package(Package.from_files({path: "x"})) is holds
