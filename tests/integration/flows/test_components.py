"""A build of components through the platform: compiled, deployed, released, torn down, and what the CMDB says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest

from core_lib.component.lifecycle import known_of
from core_lib.db import ClientCmdb, PortfolioFact
from core_lib.framework.models import DeploymentDetails, Options, RunStatus, Task
from deployments.local import EmbeddedCloud
from flows import door
from tests.integration.flows import world

TABLE = """
orders:
  Type: AWS::DynamoDB
  Persist: true
  Configuration:
    Table:
      Properties:
        AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
        KeySchema: [{AttributeName: id, KeyType: HASH}]
"""
FILES = {"platform/components/orders.yaml": TABLE, "platform/files/index.html": "one"}
STACK = "payments-ledger-main-{}-orders-{}"


def details(build: str) -> DeploymentDetails:
    return DeploymentDetails(portfolio="payments", app="ledger", branch="main", build=build)


def carry_out(acme: ClientCmdb, task: Task, build: str, files: dict[str, str] | None = None, **fields: Any) -> door.FlowEnd:
    asked = world.payload(acme.client, files or FILES, task, type="pipeline", **fields)
    return door.run_here(asked.but(deployment_details=details(build)))


def stacks(acme: ClientCmdb, platform: EmbeddedCloud) -> set[str]:
    """Names of the stacks in the app's account, as somebody outside of the platform sees them."""
    account = next(iter(acme.accounts.all())).id
    client = boto3.client(
        "cloudformation", endpoint_url=platform.endpoint, region_name="eu-west-1", aws_access_key_id=account,
        aws_secret_access_key="x",
    )  # fmt: skip
    return {stack["StackName"] for stack in client.describe_stacks()["Stacks"]}


def status(acme: ClientCmdb, build: str) -> tuple[str | None, str | None]:
    prn = details(build).prn
    return acme.items.get(prn).status, acme.items.get(f"{prn}:orders").status


@pytest.mark.slow
def test_builds_when_they_live_then_the_cmdb_knows_and_the_released_one_is_guarded(
    acme: ClientCmdb, platform: EmbeddedCloud, tmp_path: Path
) -> None:
    files = tmp_path / "artefacts/files/payments/ledger/main"
    assert carry_out(acme, Task.COMPILE, "1").completed
    assert status(acme, "1") == ("COMPILE_COMPLETE", "COMPILE_COMPLETE")
    refused = carry_out(acme, Task.RELEASE, "1")
    assert "CORE-5008" in (refused.message or "")
    assert acme.runs.get(refused.run_id).error is not None

    assert carry_out(acme, Task.DEPLOY, "1").completed
    assert status(acme, "1") == ("DEPLOY_COMPLETE", "DEPLOY_COMPLETE")
    assert (files / "1/index.html").read_text() == "one"
    changed = {**FILES, "platform/files/index.html": "two"}
    assert carry_out(acme, Task.DEPLOY, "1", changed).completed
    assert (files / "1/index.html").read_text() == "two"
    assert carry_out(acme, Task.RELEASE, "1").completed
    assert status(acme, "1") == ("RELEASE_COMPLETE", "RELEASE_COMPLETE")

    assert carry_out(acme, Task.DEPLOY, "2").completed
    assert STACK.format("2", "resources") not in stacks(acme, platform)
    assert known_of(acme.items, details("2")).stacks == {"orders": STACK.format("1", "resources")}
    refused = carry_out(acme, Task.TEARDOWN, "1")
    assert "released build of the branch" in (refused.message or "")
    assert acme.runs.get(refused.run_id).status is RunStatus.FAILED
    assert STACK.format("1", "pointers") in stacks(acme, platform)

    assert carry_out(acme, Task.RELEASE, "2").completed
    assert carry_out(acme, Task.TEARDOWN, "1").completed
    assert STACK.format("1", "resources") in stacks(acme, platform)
    assert "payments-ledger-main-2-orders-pointers" in (acme.items.get(f"{details('1').prn}:orders").message or "")
    assert (files / "1/index.html").exists()

    acme.registry.put(acme.registry.get(PortfolioFact, "payments").but(approvers=[{"Name": "ann"}]))
    insisting = Options(force=True)
    assert "may not tear down" in (carry_out(acme, Task.TEARDOWN, "2", options=insisting, requested_by="eve").message or "")
    assert carry_out(acme, Task.TEARDOWN, "2", options=insisting, requested_by="ann").completed
    assert stacks(acme, platform) == set()
    assert known_of(acme.items, details("3")).build is None
    assert not (files / "2").exists() or not any((files / "2").iterdir())
