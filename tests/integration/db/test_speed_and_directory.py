"""What large runs and large organizations ask of the CMDB, against the embedded cloud."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import boto3
import pytest

from core_lib.db import AppFact, ClientCmdb, ClientFact, Event, PortfolioFact, sync_accounts
from core_lib.framework.models import Account, AccountState
from deployments.local import EmbeddedCloud
from tests.unit.db.builders import a_run, a_state, details


def test_ledger_when_fifty_rows_are_written_then_it_is_one_call(aws: EmbeddedCloud, acme: ClientCmdb) -> None:
    acme.runs.create(a_run("run-1"))
    acme.runs.take("run-1")
    aws.reset_calls()
    acme.ledger.write([a_state(f"baseline-{number}@111111111111/eu-west-1", "run-1") for number in range(50)], epoch=1)
    assert {(call.operation, call.count) for call in aws.calls("dynamodb")} == {("TransactWriteItems", 1)}


def test_accounts_when_there_are_a_thousand_then_one_page_holds_them(aws: EmbeddedCloud, acme: ClientCmdb) -> None:
    accounts = [Account(id=f"{number:012}", name=f"a{number}", organizational_unit="/workloads/prod") for number in range(1000)]
    acme.accounts.put_many(accounts)
    aws.reset_calls()
    assert acme.accounts.all() == accounts
    assert {(call.operation, call.count) for call in aws.calls("dynamodb")} == {("Query", 1)}


def created(client: Any, request: str) -> str:
    """The id of a requested account, once it is there."""
    for _ in range(100):
        status = client.describe_create_account_status(CreateAccountRequestId=request)["CreateAccountStatus"]
        if status["State"] == "SUCCEEDED":
            return str(status["AccountId"])
        time.sleep(0.05)
    raise AssertionError(status)


@pytest.fixture
def organization(aws: EmbeddedCloud, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Root > workloads > prod with two accounts; ids by name."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", aws.account)
    client = boto3.client("organizations", region_name="us-east-1")
    with contextlib.suppress(client.exceptions.AlreadyInOrganizationException):  # the cloud is shared
        client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    workloads = client.create_organizational_unit(ParentId=root, Name="workloads")["OrganizationalUnit"]["Id"]
    prod = client.create_organizational_unit(ParentId=workloads, Name="prod")["OrganizationalUnit"]["Id"]
    found = {"root": root, "prod": prod}
    for name in ("one", "two"):
        request = client.create_account(AccountName=name, Email=f"{name}@acme.example", Tags=[{"Key": "tier", "Value": "1"}])
        found[name] = created(client, request["CreateAccountStatus"]["Id"])
        client.move_account(AccountId=found[name], SourceParentId=root, DestinationParentId=prod)
    client.close()
    return found


def test_directory_when_synced_then_it_is_like_the_organization_and_writes_differences_only(
    aws: EmbeddedCloud, organization: dict[str, str], acme: ClientCmdb
) -> None:
    client = boto3.client("organizations", region_name="us-east-1")
    first = sync_accounts(client, acme.accounts)
    assert {organization["one"], organization["two"]} <= set(first.added)
    one = acme.accounts.get(organization["one"])
    assert (one.name, one.organizational_unit, one.tags) == ("one", "/workloads/prod", {"tier": "1"})

    kept = one.but(regions=("eu-west-1",), deploy_role="Deploy", state=AccountState.QUARANTINED)
    acme.accounts.put_many([kept, Account(id="999999999999", name="left")])
    aws.reset_calls()
    again = sync_accounts(client, acme.accounts)
    assert (again.added, again.changed, again.gone) == ((), (), ("999999999999",))
    assert again.unchanged == len(first.added)
    assert acme.accounts.get(organization["one"]) == kept
    assert acme.accounts.get("999999999999").state is AccountState.CLOSED
    assert aws.count("dynamodb", "BatchWriteItem") == 1

    client.tag_resource(ResourceId=organization["two"], Tags=[{"Key": "tier", "Value": "2"}])
    client.close_account(AccountId=organization["two"])
    assert sync_accounts(client, acme.accounts).changed == (organization["two"],)
    assert acme.accounts.get(organization["two"]).state is not AccountState.ACTIVE
    client.close()


def test_cmdb_when_everything_is_read_then_no_table_is_scanned(aws: EmbeddedCloud, acme: ClientCmdb) -> None:
    acme.registry.put(ClientFact(client="acme"))
    acme.registry.put(PortfolioFact(portfolio="payments"))
    acme.registry.put(AppFact(portfolio="payments", app="ledger"))
    item = acme.items.register(details())
    acme.events.append(Event(prn=item.prn))
    acme.runs.create(a_run("run-1"))
    epoch = acme.runs.take("run-1").epoch
    acme.ledger.write([a_state("a", "run-1")], epoch=epoch)
    aws.reset_calls()
    acme.facts(details())
    acme.items.children()
    acme.items.history(item.prn)
    acme.events.list(item.prn)
    acme.runs.list()
    acme.runs.list(item.prn)
    acme.ledger.load("run-1")
    acme.ledger.failures("run-1")
    acme.accounts.all()
    acme.stacks.get_many("111111111111/eu-west-1")
    acme.locks.holders(["a"])
    assert {call.operation for call in aws.calls("dynamodb")} == {"GetItem", "Query", "BatchGetItem"}
    assert aws.count("dynamodb") == 13
