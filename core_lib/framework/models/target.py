"""Targets, and the accounts they lie in."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from core_lib.framework.models.base import Message


class AccountState(StrEnum):
    """Life of an account as targeting sees it; only `active` accounts receive actions."""

    REQUESTED = "requested"
    CREATING = "creating"
    WARMING = "warming"
    ACTIVE = "active"
    QUARANTINED = "quarantined"
    SUSPENDED = "suspended"
    CLOSED = "closed"


class Account(Message):
    """One account of an organization, as the CMDB knows it. `OrganizationalUnit` is a path such as `/workloads/prod`."""

    id: str = Field(pattern=r"^[0-9]{12}$")
    name: str
    email: str | None = None
    organizational_unit: str = "/"
    state: AccountState = AccountState.ACTIVE
    tags: dict[str, str] = Field(default_factory=dict)
    regions: tuple[str, ...] = ()
    deploy_role: str | None = None
    external_id: str | None = None


class Target(Message):
    """One (account, region). Its key is `account/region`."""

    account: str = Field(pattern=r"^[0-9]{12}$")
    region: str
    account_name: str | None = None
    organizational_unit: str | None = None
    deploy_role: str | None = None
    external_id: str | None = None

    @property
    def key(self) -> str:
        """`account/region`, the name of this target everywhere."""
        return f"{self.account}/{self.region}"


class SkippedTarget(Message):
    """A target that was asked for and left out, and why."""

    account: str
    account_name: str | None = None
    region: str | None = None
    reason: str
