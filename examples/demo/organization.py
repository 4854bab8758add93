"""An organization to try things on: management, audit, network, 60 workload accounts in nested units, and two suspended ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

WORKLOADS = 60
SUSPENDED = ("workload-061", "workload-062")
UNITS = ("/core", "/workloads", "/workloads/prod", "/workloads/prod/payments", "/workloads/test", "/workloads/dev")
WORKLOAD_UNITS = ("/workloads/prod", "/workloads/prod/payments", "/workloads/test", "/workloads/dev")


def create(progress: Callable[[str], None]) -> None:
    """Create the organization. What is there already stays, so doing it again after a stop is harmless."""
    organizations = boto3.client(
        "organizations", region_name="us-east-1", config=Config(retries={"mode": "standard"}, max_pool_connections=8)
    )
    try:
        organizations.create_organization(FeatureSet="ALL")
    except organizations.exceptions.AlreadyInOrganizationException:
        progress("the organization is there already")
    units = _units(organizations)
    existing = {account["Name"]: account["Id"] for account in _pages(organizations, "list_accounts", "Accounts")}
    wanted = dict(_accounts())
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda name: _account(organizations, name, wanted[name], units, existing), wanted))
    for name in SUSPENDED:
        account = dict(zip(wanted, made, strict=True))[name]
        if organizations.describe_account(AccountId=account)["Account"]["Status"] == "ACTIVE":
            organizations.close_account(AccountId=account)
    progress(f"{len(made) + 1} accounts in {len(units)} organizational units, {len(SUSPENDED)} of them suspended")


def _accounts() -> Iterator[tuple[str, str]]:
    """Names of the accounts and the unit each lies in."""
    yield from (("audit", "/core"), ("network", "/core"))
    for number in range(1, WORKLOADS + len(SUSPENDED) + 1):
        yield f"workload-{number:03}", WORKLOAD_UNITS[number % len(WORKLOAD_UNITS)]


def _units(organizations: Any) -> dict[str, str]:
    """Ids of the root and the units by path, created where they are missing."""
    units = {"/": organizations.list_roots()["Roots"][0]["Id"]}
    for path in UNITS:
        parent, _, name = path.rpartition("/")
        above = units[parent or "/"]
        children = _pages(organizations, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=above)
        found = {child["Name"]: child["Id"] for child in children}
        if name not in found:
            made = organizations.create_organizational_unit(ParentId=above, Name=name)["OrganizationalUnit"]
            found[name] = made["Id"]
        units[path] = found[name]
    return units


def _account(organizations: Any, name: str, unit: str, units: dict[str, str], existing: dict[str, str]) -> str:
    """Id of the account, created, tagged and moved into its unit unless that has been done."""
    account = existing.get(name) or _create_account(organizations, name)
    parent = organizations.list_parents(ChildId=account)["Parents"][0]["Id"]
    if parent != units[unit]:
        tags = [{"Key": "unit", "Value": unit}, {"Key": "tier", "Value": "1" if unit.startswith("/workloads/prod") else "2"}]
        organizations.tag_resource(ResourceId=account, Tags=tags)
        organizations.move_account(AccountId=account, SourceParentId=parent, DestinationParentId=units[unit])
    return account


def _create_account(organizations: Any, name: str) -> str:
    status = organizations.create_account(Email=f"{name}@example.com", AccountName=name)["CreateAccountStatus"]
    while status["State"] == "IN_PROGRESS":
        time.sleep(0.1)
        status = organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])["CreateAccountStatus"]
    if status["State"] != "SUCCEEDED":
        raise SystemExit(f"account {name} was not created: {status.get('FailureReason')}")
    return str(status["AccountId"])


def _pages(organizations: Any, operation: str, key: str, **arguments: str) -> Iterator[dict[str, Any]]:
    for page in organizations.get_paginator(operation).paginate(**arguments):
        yield from page[key]


if __name__ == "__main__":
    create(print)
