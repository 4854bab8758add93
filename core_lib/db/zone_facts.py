"""Zones: a landing zone is one account and its regions by alias."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from core_lib.db.fact_models import AccountId, Fact, FreeMessage, registry_name


class Kms(FreeMessage):
    """The key of an account."""

    aws_account_id: AccountId | None = None
    kms_key_arn: str | None = None
    kms_key: str | None = None
    delegate_aws_account_ids: list[AccountId] = Field(default_factory=list)
    allow_sns: bool | None = Field(default=None, alias="AllowSNS")


class AccountFacts(FreeMessage):
    """Facts of a zone's account."""

    organizational_unit: str | None = None
    aws_account_id: AccountId | None = None
    account_name: str | None = None
    environment: str | None = None
    kms: Kms | None = None
    resource_namespace: str | None = None
    network_name: str | None = None
    vpc_aliases: dict[str, Any] = Field(default_factory=dict)
    subnet_aliases: dict[str, Any] = Field(default_factory=dict)
    tags: dict[str, str] = Field(default_factory=dict)


class SecurityAlias(FreeMessage):
    """One source that a security alias stands for."""

    type: Literal["cidr", "prefix", "sg-attachment", "component"]
    value: str
    description: str | None = None


class RegionFacts(FreeMessage):
    """Facts of one region of a zone."""

    aws_region: str | None = None
    az_count: int | None = Field(default=None, ge=1, le=6)
    image_aliases: dict[str, str] = Field(default_factory=dict)
    min_successful_instances_percent: int | None = Field(default=None, ge=0, le=100)
    security_aliases: dict[str, list[SecurityAlias]] = Field(default_factory=dict)
    security_group_aliases: dict[str, str] = Field(default_factory=dict)
    proxy: list[dict[str, Any]] = Field(default_factory=list)
    proxy_host: str | None = None
    proxy_port: int | None = Field(default=None, ge=1, le=65535)
    proxy_url: str | None = None
    no_proxy: str | None = None
    name_servers: list[str] = Field(default_factory=list)
    tags: dict[str, str] = Field(default_factory=dict)


class ZoneFact(Fact):
    """A landing zone: one account, and its regions by alias."""

    kind: ClassVar[str] = "zone"

    zone: str
    account_facts: AccountFacts = Field(default_factory=AccountFacts)
    region_facts: dict[str, RegionFacts] = Field(default_factory=dict)

    _zone_name = field_validator("zone")(registry_name)

    @property
    def name_in_registry(self) -> str:
        """The zone."""
        return self.zone

    def facts(self) -> dict[str, Any]:
        """The zone's own facts; those of account and regions are layers of their own."""
        return {key: value for key, value in super().facts().items() if key not in ("AccountFacts", "RegionFacts")}
