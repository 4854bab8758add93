"""What large runs and large organizations ask of the CMDB, against the embedded cloud."""

from __future__ import annotations

import time
from typing import Any

import boto3
import pytest
from botocore.config import Config

from core_lib.db import AppFact, ClientCmdb, ClientFact, Event, PortfolioFact, sync_accounts
from core_lib.framework.models import Account, AccountState
from deployments.local import EmbeddedCloud
from tests.unit.db.builders import EARLY, a_run, a_state, details


def test_ledger_when_fifty_rows_are_written_then_it_is_one_call_hardly_dearer_than_bare_boto3(
    aws: EmbeddedCloud, acme: ClientCmdb
) -> None:
    acme.runs.create(a_run("run-1"))
    acme.runs.take("run-1")
    scratch = {"ChangeSetId": "arn:aws:cloudformation:eu-west-1:111111111111:changeSet/core-0123456789/0123", "Since": str(EARLY)}
    states = [a_state(f"baseline-{number}@111111111111/eu-west-1", "run-1", scratch=scratch) for number in range(50)]
    states = acme.ledger.write(states, epoch=1)
    table = acme._tables.ledger.Meta.table_name
    bare = boto3.client("dynamodb", region_name="eu-west-1", config=Config(parameter_validation=False))
    rows = bare.query(TableName=table, KeyConditionExpression="run_id = :r", ExpressionAttributeValues={":r": {"S": "run-1"}})[
        "Items"
    ]
    puts = [{"Put": {"TableName": table, "Item": row | {"run_id": {"S": "bare"}}}} for row in rows]
    ours: list[float] = []
    theirs: list[float] = []
    aws.reset_calls()
    for _ in range(15):
        began = time.thread_time()
        states = acme.ledger.write(states, epoch=1)
        ours.append(time.thread_time() - began)
        began = time.thread_time()
        bare.transact_write_items(TransactItems=puts)
        theirs.append(time.thread_time() - began)
    bare.close()
    assert aws.count("dynamodb", "TransactWriteItems") == 30
    assert min(ours) / min(theirs) < 2


def test_accounts_when_there_are_a_thousand_then_they_are_read_within_two_seconds(acme: ClientCmdb) -> None:
    accounts = [Account(id=f"{number:012}", name=f"a{number}", organizational_unit="/workloads/prod") for number in range(1000)]
    acme.accounts.put_many(accounts)
    began = time.perf_counter()
    assert acme.accounts.all() == accounts
    assert time.perf_counter() - began < 2


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
