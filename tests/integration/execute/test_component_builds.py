"""Builds of components, from their definitions to the cloud and back: deploy, persist, release, teardown.

DNS is left out: neither emulator takes imported zones. Everything else is as it is: compiler, engine, CMDB, roles, stacks.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from core_lib.component import Released, compile_components
from core_lib.db import Facts
from core_lib.framework.models import ActionStatus, DeploymentDetails, Plan, Task, TaskPayload
from tests.builders.component_facts import component_facts
from tests.builders.components import package_of
from tests.integration.execute.conftest import REGION, Outcome, Rehearsal

ORDERS = """
orders:
  Type: AWS::DynamoDB
  {persist}
  Configuration:
    Table:
      Properties:
        AttributeDefinitions: [{{AttributeName: id, AttributeType: S}}]
        KeySchema: [{{AttributeName: id, KeyType: HASH}}]
"""
NEWS = """
news:
  Type: AWS::SNS::Topic
  DependsOn: [orders]
  Configuration:
    Topic: {}
"""
OLDER = """
news:
  Type: AWS::Custom
  Persist: true
  Configuration:
    Template:
      Properties:
        Body:
          Resources:
            Item: {Type: AWS::SSM::Parameter, Properties: {Type: String, Name: /demo/news, Value: one}}
          Outputs:
            Name: {Value: !Ref Item}
"""


class App:
    """One app of two components over the rehearsal's account."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.rehearsal = rehearsal

    def plan(
        self, task: Task, build: str, released: Released | None = None, *, persist: str | bool = False, news: str = NEWS
    ) -> Plan:
        values = component_facts(AwsAccountId=self.rehearsal.account, AwsRegion=REGION, Build=build, HostedZoneName=None)
        details = DeploymentDetails(portfolio="shop", app="web", branch="main", build=build)
        payload = TaskPayload(client="acme", task=task, type="pipeline", deployment_details=details)
        persisting = persist if isinstance(persist, str) else f"Persist: {str(persist).lower()}"
        package = package_of({"orders.yaml": ORDERS.format(persist=persisting), "news.yaml": news})
        facts = Facts({key: value for key, value in values.items() if value is not None})
        made = compile_components(payload, package=package, facts=facts, accounts=(), released=released, linter=None)
        for key, body in made.files.items():
            self.rehearsal.store.put(key, body)
        return made.plan(task)

    async def run(self, *args: Any, **more: Any) -> Outcome:
        return await self.rehearsal.carry_out(self.plan(*args, **more))

    @property
    def stacks(self) -> set[str]:
        pages = self.rehearsal.cloudformation.get_paginator("describe_stacks").paginate()
        return {stack["StackName"] for page in pages for stack in page["Stacks"]}


@pytest.fixture
def app(rehearsal: Rehearsal) -> App:
    return App(rehearsal)


def succeeded(outcome: Outcome) -> bool:
    bad = {row.action_id: (row.status, row.error) for row in outcome.rows.values() if row.status not in GOOD}
    assert not bad
    return True


GOOD = (ActionStatus.SUCCEEDED, ActionStatus.SKIPPED)


async def test_builds_when_two_are_deployed_released_and_torn_down_then_nothing_is_left(app: App) -> None:
    assert succeeded(await app.run(Task.DEPLOY, "1"))
    assert {"shop-web-prod-kms", "shop-web-main-1-orders-resources", "shop-web-main-1-news-pointers"} <= app.stacks
    assert succeeded(await app.run(Task.RELEASE, "1"))
    assert outputs(app, "shop-web-main-orders-release")["Build"] == "1"

    assert succeeded(await app.run(Task.DEPLOY, "2"))
    assert succeeded(await app.run(Task.RELEASE, "2"))
    assert outputs(app, "shop-web-main-orders-release")["ResourcesStackName"] == "shop-web-main-2-orders-resources"

    first = await app.run(Task.TEARDOWN, "1", Released("2"))
    assert succeeded(first)
    assert first["_application.kms"].status is ActionStatus.SKIPPED
    assert "shop-web-main-2-orders-pointers" in (first["_application.users"].message or "")
    assert not {name for name in app.stacks if "main-1-" in name}
    assert {"shop-web-prod-kms", "shop-web-main-2-orders-resources", "shop-web-main-orders-release"} <= app.stacks

    assert succeeded(await app.run(Task.TEARDOWN, "2", Released("2")))
    assert app.stacks == set()


async def test_resources_when_they_persist_then_the_next_build_uses_them_and_the_last_user_deletes_them(app: App) -> None:
    stack = "shop-web-main-1-orders-resources"
    assert succeeded(await app.run(Task.DEPLOY, "1", persist=True))
    used = Released("1", {"orders": stack})
    assert succeeded(await app.run(Task.DEPLOY, "2", used, persist=True))
    assert "shop-web-main-2-orders-resources" not in app.stacks
    assert outputs(app, "shop-web-main-2-orders-pointers")["ResourcesStackName"] == stack
    assert succeeded(await app.run(Task.RELEASE, "2", used, persist=True))

    first = await app.run(Task.TEARDOWN, "1", Released("2"), persist=True)
    assert succeeded(first)
    assert first["orders.resources"].status is ActionStatus.SKIPPED
    assert first["orders.users"].outputs["References"] == ["shop-web-main-2-orders-pointers"]
    assert stack in app.stacks
    assert "shop-web-main-1-news-resources" not in app.stacks

    assert succeeded(await app.run(Task.TEARDOWN, "2", Released("2", {"orders": stack}), persist=True))
    assert app.stacks == set()


async def test_resources_when_they_are_updated_in_place_then_no_build_takes_them_from_another(app: App) -> None:
    stack, version = "shop-web-main-1-orders-resources", "PersistUpdateVersion: 1"
    assert succeeded(await app.run(Task.DEPLOY, "1", persist=version))
    assert succeeded(await app.run(Task.DEPLOY, "2", Released("1"), persist=version))
    assert succeeded(await app.run(Task.RELEASE, "2", Released("1"), persist=version))

    assert succeeded(await app.run(Task.TEARDOWN, "1", Released("2"), persist=version))
    assert {stack, "shop-web-main-2-orders-pointers"} <= app.stacks
    assert succeeded(await app.run(Task.DEPLOY, "3", Released("2"), persist=version))
    assert succeeded(await app.run(Task.TEARDOWN, "3", Released("2"), persist=version))
    assert {stack, "shop-web-main-2-orders-pointers"} <= app.stacks

    assert succeeded(await app.run(Task.TEARDOWN, "2", Released("2"), persist=version))
    assert app.stacks == set()


async def test_release_when_the_next_build_lacks_a_component_then_it_goes_with_the_build_that_it_leads_to(app: App) -> None:
    fewer = "{}"
    assert succeeded(await app.run(Task.DEPLOY, "1"))
    assert succeeded(await app.run(Task.RELEASE, "1"))
    assert succeeded(await app.run(Task.DEPLOY, "2", Released("1"), news=fewer))
    assert succeeded(await app.run(Task.RELEASE, "2", Released("1"), news=fewer))
    assert outputs(app, "shop-web-main-news-release")["Build"] == "1"

    assert succeeded(await app.run(Task.TEARDOWN, "1", Released("2")))
    assert "shop-web-main-news-release" not in app.stacks
    assert outputs(app, "shop-web-main-orders-release")["Build"] == "2"


async def test_resources_when_they_persist_from_an_older_definition_then_outputs_that_they_lack_are_empty(app: App) -> None:
    newer = OLDER.replace("Outputs:", "Outputs:\n            More: {Value: new}")
    assert succeeded(await app.run(Task.DEPLOY, "1", news=OLDER))
    used = Released("1", {"news": "shop-web-main-1-news-resources"})
    assert succeeded(await app.run(Task.DEPLOY, "2", used, news=newer))
    assert outputs(app, "shop-web-main-2-news-pointers")["Name"] == "/demo/news"
    assert succeeded(await app.run(Task.RELEASE, "2", used, news=newer))


async def test_stack_when_a_build_holds_it_then_cloudformation_itself_refuses_to_delete_it(app: App) -> None:
    assert succeeded(await app.run(Task.DEPLOY, "1"))
    with pytest.raises(ClientError, match=r"in use|imported"):
        app.rehearsal.cloudformation.delete_stack(StackName="shop-web-main-1-orders-resources")


async def test_release_when_the_build_is_not_there_then_nothing_is_switched(app: App) -> None:
    outcome = await app.run(Task.RELEASE, "1")
    failed = [row for row in outcome.rows.values() if row.status is ActionStatus.FAILED]
    assert failed
    assert all("there is no stack" in row.error.message for row in failed if row.error)
    assert {outcome[f"{name}.release"].status for name in ("news", "orders")} == {ActionStatus.BLOCKED}
    assert app.stacks == set()


async def test_teardown_when_a_deploy_stopped_half_way_then_what_is_there_is_deleted(app: App) -> None:
    plan = app.plan(Task.DEPLOY, "1")
    half = [action for action in plan.actions if not action.name.startswith(("news.", "orders.pointers", "_build.complete"))]
    kept = {action.id for action in half}
    whole = [action for action in half if set(action.depends_on) <= kept]
    await app.rehearsal.carry_out(plan.model_copy(update={"actions": tuple(whole)}).sealed())
    assert "shop-web-main-1-orders-resources" in app.stacks
    assert succeeded(await app.run(Task.TEARDOWN, "1"))
    assert app.stacks == set()


def outputs(app: App, stack: str) -> dict[str, str]:
    found = app.rehearsal.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    return {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}
