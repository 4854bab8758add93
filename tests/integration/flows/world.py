"""A registered client with an organization, in which payloads can be carried out."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from core_lib.db import AppFact, ClientCmdb, ClientFact, Cmdb, PortfolioFact, ZoneFact
from core_lib.framework.models import Account, DeploymentDetails, InlineSpec, PackageDetails, Task, TaskPayload
from core_lib.framework.settings import load_settings

DETAILS = DeploymentDetails(portfolio="payments", app="ledger", branch="main", build="7")


def accounts(count: int) -> list[Account]:
    """So many fresh active accounts under /workloads."""
    first = random.SystemRandom().randrange(200_000_000, 999_000_000) * 1000
    return [Account(id=f"{first + n}", name=f"team-{n:03}", organizational_unit="/workloads") for n in range(count)]


@contextmanager
def registered(members: Sequence[Account]) -> Iterator[ClientCmdb]:
    """A client of its own with these accounts, and one app in one zone. Its CMDB is on the default endpoint."""
    client = f"acme-{uuid.uuid4().hex[:8]}"
    with Cmdb(load_settings()) as cmdb:
        cmdb.create_tables(client)
        acme = cmdb.for_client(client)
        acme.registry.put(ClientFact(client=client))
        acme.registry.put(PortfolioFact(portfolio="payments"))
        acme.registry.put(AppFact(portfolio="payments", app="ledger", zone="main", region="home"))
        zone = {
            "Zone": "main",
            "AccountFacts": {"AwsAccountId": members[0].id},
            "RegionFacts": {"home": {"AwsRegion": "eu-west-1"}},
        }
        acme.registry.put(ZoneFact.model_validate(zone))
        acme.accounts.put_many(members)
        yield acme


def payload(client: str, files: dict[str, str], task: Task = Task.DEPLOY, **fields: Any) -> TaskPayload:
    """A request for the app of that client with an inline package."""
    package = PackageDetails(inline=InlineSpec(files=files))
    return TaskPayload(client=client, task=task, deployment_details=DETAILS, package=package, **fields)


def noop_spec(actions: int, regions: Sequence[str] = ("eu-west-1",), **spec: Any) -> str:
    """A chain of so many actions that do nothing, in every workload account and these regions."""
    lines = ["Targets:", "  OrganizationalUnits: [/workloads]", f"  Regions: [{', '.join(regions)}]", "Actions:"]
    for n in range(actions):
        lines += [f"  - Name: step-{n}", "    Kind: SYSTEM::NoOp"]
        if n:
            lines.append(f"    DependsOn: [step-{n - 1}]")
        if spec:
            lines += ["    Spec:", *(f"      {key}: {value}" for key, value in spec.items())]
    return "\n".join(lines) + "\n"
