"""Keeping the account directory like AWS Organizations: a walk over roots, units, accounts and their tags."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core_lib.db.accounts import Accounts
from core_lib.framework.models import Account, AccountState

_STATES = {
    "ACTIVE": AccountState.ACTIVE,
    "SUSPENDED": AccountState.SUSPENDED,
    "PENDING_CLOSURE": AccountState.CLOSED,
    "CLOSED": AccountState.CLOSED,
    "PENDING_ACTIVATION": AccountState.CREATING,
}
_OURS = frozenset({AccountState.REQUESTED, AccountState.CREATING, AccountState.WARMING, AccountState.QUARANTINED})


@dataclass(frozen=True)
class SyncResult:
    """What a sync found: ids of accounts that are new, changed or gone, and how many are as they were."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    unchanged: int


def sync_accounts(organizations: Any, accounts: Accounts) -> SyncResult:
    """Bring the directory to what the organization says. Only rows that differ are written.

    `organizations` is a boto3 client of the management or a delegated account; its own pacing and retries apply. What the
    platform itself knows about an account (regions, deploy role, external id, that it is still warming or in quarantine) is kept.
    Accounts that have left the organization become `closed`; they are not forgotten.

    Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html
    """
    known = {account.id: account for account in accounts.all()}
    found = {account.id: account for account in _walk(organizations)}
    merged = {number: _keeping_ours(account, known.get(number)) for number, account in found.items()}
    left = {
        number: account.but(state=AccountState.CLOSED)
        for number, account in known.items()
        if number not in found and account.state not in (AccountState.CLOSED, AccountState.REQUESTED)
    }
    added = sorted(number for number in merged if number not in known)
    changed = sorted(number for number, account in merged.items() if number in known and account != known[number])
    accounts.put_many([*(merged[number] for number in (*added, *changed)), *(left[number] for number in sorted(left))])
    return SyncResult(tuple(added), tuple(changed), tuple(sorted(left)), len(merged) - len(added) - len(changed))


def _keeping_ours(fresh: Account, known: Account | None) -> Account:
    if known is None:
        return fresh
    state = known.state if fresh.state is AccountState.ACTIVE and known.state in _OURS else fresh.state
    return fresh.but(state=state, regions=known.regions, deploy_role=known.deploy_role, external_id=known.external_id)


def _walk(organizations: Any) -> Iterator[Account]:
    """Every account of the organization with the path of its unit, breadth first, in a stable order."""
    waiting = [(root["Id"], "/") for root in _pages(organizations, "list_roots", "Roots")]
    while waiting:
        parent, path = waiting.pop(0)
        for entry in _pages(organizations, "list_accounts_for_parent", "Accounts", ParentId=parent):
            yield _account(organizations, entry, path)
        units = _pages(organizations, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent)
        waiting += sorted((unit["Id"], f"{path.rstrip('/')}/{unit['Name']}") for unit in units)


def _account(organizations: Any, entry: dict[str, Any], path: str) -> Account:
    tags = _pages(organizations, "list_tags_for_resource", "Tags", ResourceId=entry["Id"])
    return Account(
        id=entry["Id"],
        name=entry["Name"],
        email=entry.get("Email"),
        organizational_unit=path,
        state=_STATES.get(entry.get("State") or entry.get("Status") or "ACTIVE", AccountState.SUSPENDED),
        tags={tag["Key"]: tag["Value"] for tag in tags},
    )


def _pages(organizations: Any, operation: str, result: str, **arguments: str) -> Iterator[dict[str, Any]]:
    for page in organizations.get_paginator(operation).paginate(**arguments):
        yield from page[result]
