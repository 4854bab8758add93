"""A rollout on the embedded cloud: a bad change in ring 1 leaves ring 1 as it was and never reaches ring 2."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

import boto3
import pytest

from core_lib.db import merge_layers
from core_lib.deployspec import Compilation, compile_deployspec
from core_lib.execute import units
from core_lib.framework.models import Account, ActionState, ActionStatus, DeploymentDetails, Options, Task, TaskPayload
from core_lib.framework.package import Package
from tests.integration.execute.conftest import REGION, ROLE, Rehearsal, never_ready, parameter

pytestmark = pytest.mark.asyncio

SPEC = """
Targets: {OrganizationalUnits: [/], Regions: [eu-west-1]}
Waves:
  - {Name: canary, Targets: {Accounts: [canary]}}
Actions:
  - Name: base
    Kind: AWS::CreateStack
    OnFailure: undo
    Spec: {StackName: base, Template: base.json, Parameters: {Value: "{{ Value }}"}}
  - Name: app
    Kind: AWS::CreateStack
    DependsOn: [base]
    OnFailure: undo
    Spec: {StackName: app, Template: app.json, Parameters: {Value: "{{ Value }}"}}
"""


class Fleet:
    """One canary and two more accounts, and rollouts over them."""

    def __init__(self, rehearsal: Rehearsal, account_id: str) -> None:
        self._rehearsal = rehearsal
        numbers = random.SystemRandom().sample(range(200_000_000_000, 999_999_999_999), 3)
        names = ("canary", "shop", "bank")
        self.accounts = tuple(
            Account(id=str(number), name=name, organizational_unit="/", deploy_role=ROLE)
            for number, name in zip(numbers, names, strict=True)
        )
        for account in self.accounts:
            rehearsal.cloud.add_role(account.id, ROLE, trusts=account_id)

    def compile(self, value: str, *, bad: bool = False) -> Compilation:
        files = {
            "deployspec.yaml": SPEC,
            "base.json": json.dumps(parameter("/base/value")),
            "app.json": json.dumps(parameter("/app/value", **(never_ready() if bad else {}))),
        }
        facts = merge_layers([("client", {"Client": "acme", "Value": value})])
        payload = TaskPayload(client="acme", task=Task.DEPLOY, deployment_details=DeploymentDetails(portfolio="web", app="shop"))
        package = Package.from_files(files)
        return compile_deployspec(payload, package=package, facts=facts, accounts=self.accounts, linter=None)

    async def deploy(self, made: Compilation, options: Options | None = None) -> Mapping[str, ActionState]:
        """Roll out; the rows by `action@account name`."""
        for key, body in made.files.items():
            self._rehearsal.store.put(key, body)
        plan = made.plan(Task.DEPLOY)
        run = self._rehearsal.register(plan, options)
        async with self._rehearsal.engine(plan, run) as engine:
            for unit in units(plan):
                await engine.drive(unit)
        names = {account.id: account.name for account in self.accounts}
        rows = self._rehearsal.cmdb.ledger.load(run.run_id).values()
        return {f"{row.action_id.partition('@')[0]}@{names[row.action_id.partition('@')[2][:12]]}": row for row in rows}

    def values(self) -> dict[str, tuple[str | None, str | None]]:
        """What the stacks made in each account: the values of base and app."""
        return {
            account.name: (self._value(account.id, "/base/value"), self._value(account.id, "/app/value"))
            for account in self.accounts
        }

    def _value(self, account: str, name: str) -> str | None:
        ssm: Any = boto3.client(
            "ssm", endpoint_url=self._rehearsal.cloud.endpoint, region_name=REGION, aws_access_key_id=account,
            aws_secret_access_key="x",
        )  # fmt: skip
        found = ssm.get_parameters(Names=[name])["Parameters"]
        return found[0]["Value"] if found else None


@pytest.fixture
def fleet(rehearsal: Rehearsal, account_id: str) -> Fleet:
    return Fleet(rehearsal, account_id)


async def test_rollout_when_all_is_well_then_every_ring_gets_it_and_a_second_run_costs_one_call_per_target(
    fleet: Fleet, rehearsal: Rehearsal
) -> None:
    rows = await fleet.deploy(fleet.compile("one"))
    assert {row.status for row in rows.values()} == {ActionStatus.SUCCEEDED}
    assert fleet.values() == dict.fromkeys(("canary", "shop", "bank"), ("one", "one"))
    began = [rows[name].started_at for name in ("app@canary", "wave:canary:gate@canary", "base@shop")]
    assert began == sorted(began, key=str)
    rehearsal.cloud.reset_calls()
    rows = await fleet.deploy(fleet.compile("one"))
    assert not [name for name, row in rows.items() if row.changed]
    assert sum(call.count for call in rehearsal.cloud.calls("cloudformation")) == 3


async def test_bad_change_in_ring_one_when_it_is_to_be_undone_then_ring_one_is_as_before_and_ring_two_untouched(
    fleet: Fleet, rehearsal: Rehearsal
) -> None:
    await fleet.deploy(fleet.compile("one"))
    rehearsal.cloud.reset_calls()
    rows = await fleet.deploy(fleet.compile("two", bad=True))
    assert {name: row.status for name, row in rows.items()} == {
        "base@canary": ActionStatus.CANCELLED,
        "app@canary": ActionStatus.FAILED,
        "wave:canary:gate@canary": ActionStatus.FAILED,
        **{f"{name}@{account}": ActionStatus.BLOCKED for name in ("base", "app") for account in ("shop", "bank")},
    }
    assert (rows["wave:canary:gate@canary"].message or "").startswith("1 of 1 targets of wave canary failed: app@")
    assert fleet.values() == dict.fromkeys(("canary", "shop", "bank"), ("one", "one"))
    assert "undone" in (rows["base@canary"].message or "")


async def test_first_rollout_when_ring_one_fails_then_nothing_of_it_is_left_anywhere(fleet: Fleet) -> None:
    rows = await fleet.deploy(fleet.compile("one", bad=True))
    assert rows["base@canary"].status is ActionStatus.CANCELLED
    assert fleet.values() == dict.fromkeys(("canary", "shop", "bank"), (None, None))
