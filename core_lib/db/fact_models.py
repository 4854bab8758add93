"""Registry facts: what people write down about clients, portfolios, apps and zones.

The fields named here are those the platform itself reads or checks. Facts are free-form for templates, so any other key is kept
as it is written. `RecordVersion` belongs to the record, not to the facts: it is the ETag of optimistic updates.
"""

from __future__ import annotations

import hashlib
import re
from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Literal, Self

import regex
from pydantic import ConfigDict, Field, field_validator

from core_lib.framework.errors import PrnError, RegistryError
from core_lib.framework.models import LEVELS, Message, Prn

AccountId = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
_PATTERN_SECONDS = 0.5
_LONGEST_PATTERN = 500
_SECRET = re.compile(r"^(?:sha256:)?[0-9a-f]{64}$")


class FreeMessage(Message):
    """A message that keeps keys it does not know."""

    model_config = ConfigDict(extra="allow")

    def but(self, **changes: Any) -> Self:
        """A copy with these fields (snake_case) replaced, validated again. What was never given stays so."""
        return type(self).model_validate({name: getattr(self, name) for name in self.model_fields_set} | changes)


class Fact(FreeMessage):
    """A registry record. `kind` is its part of the registry, `secret_keys` never become facts."""

    kind: ClassVar[str]
    secret_keys: ClassVar[frozenset[str]] = frozenset()

    record_version: int = Field(default=0, ge=0)
    tags: dict[str, str] = Field(default_factory=dict)

    @property
    @abstractmethod
    def name_in_registry(self) -> str:
        """The record's own name."""

    @property
    def etag(self) -> str:
        """HTTP entity tag of this version."""
        return f'"{self.record_version}"'

    def facts(self) -> dict[str, Any]:
        """What was written down, with PascalCase keys, without secrets and without the record's version."""
        return {key: value for key, value in self.record().items() if key not in self.secret_keys}

    def record(self) -> dict[str, Any]:
        """What is stored: everything that was given, but the version."""
        return self.model_dump(mode="json", exclude_unset=True, exclude_none=True, exclude={"record_version"})


def registry_name(value: str) -> str:
    """The value when it may be part of a PRN; the check of every name in the registry."""
    try:
        Prn(value)
    except PrnError as error:
        raise ValueError(str(error)) from error
    return value


class Organization(FreeMessage):
    """The AWS organization of a client."""

    id: str | None = None
    name: str | None = None
    account: AccountId | None = None
    email: str | None = None


class TagPolicy(FreeMessage):
    """A tag that things must or may carry."""

    name: str
    required: bool = False
    description: str | None = None


class ClientFact(Fact):
    """A client: an AWS organization, its special accounts, regions and buckets."""

    kind: ClassVar[str] = "client"
    secret_keys: ClassVar[frozenset[str]] = frozenset({"ClientSecret", "ClientId", "ClientScopes", "ClientRedirectUrls"})

    client: str
    client_id: str | None = None
    client_secret: str | None = Field(default=None, repr=False)
    client_type: str | None = None
    client_status: str | None = None
    client_name: str | None = None
    client_description: str | None = None
    client_scopes: list[str] = Field(default_factory=list)
    client_redirect_urls: list[str] = Field(default_factory=list)
    organization: Organization | None = None
    domain: str | None = None
    homepage: str | None = None
    iam_account: AccountId | None = None
    audit_account: AccountId | None = None
    automation_account: AccountId | None = None
    security_account: AccountId | None = None
    network_account: AccountId | None = None
    master_region: str | None = None
    client_region: str | None = None
    bucket_region: str | None = None
    bucket_name: str | None = None
    docs_bucket_name: str | None = None
    artefact_bucket_name: str | None = None
    ui_bucket_name: str | None = None
    tag_policy: list[TagPolicy] = Field(default_factory=list)

    _client_name = field_validator("client")(registry_name)

    @field_validator("client_secret")
    @classmethod
    def _only_its_hash(cls, value: str | None) -> str | None:
        if value is None or _SECRET.match(value):
            return value
        return "sha256:" + hashlib.sha256(value.encode()).hexdigest()

    @property
    def name_in_registry(self) -> str:
        """The client."""
        return self.client


class PortfolioFact(Fact):
    """A portfolio: a business application or product line, its people and its papers."""

    kind: ClassVar[str] = "portfolio"

    portfolio: str
    name: str | None = None
    contacts: list[dict[str, Any]] = Field(default_factory=list)
    approvers: list[dict[str, Any]] = Field(default_factory=list)
    owner: dict[str, Any] | None = None
    business_owner: dict[str, Any] | None = None
    technical_owner: dict[str, Any] | None = None
    project: dict[str, Any] | None = None
    bizapp: dict[str, Any] | None = None
    domain: str | None = None
    category: str | None = None
    icon_url: str | None = None
    portfolio_version: str | None = None
    lifecycle_status: Literal["Idea", "Incubating", "Active", "Sunset"] | None = None
    labels: list[str] | dict[str, str] = Field(default_factory=list)
    metadata: dict[str, Any] = Field(default_factory=dict)
    attributes: dict[str, Any] = Field(default_factory=dict)
    compliance: dict[str, Any] = Field(default_factory=dict)
    identifiers: dict[str, Any] = Field(default_factory=dict)
    links: list[dict[str, Any]] = Field(default_factory=list)
    dependencies: list[str] = Field(default_factory=list)

    _portfolio_name = field_validator("portfolio")(registry_name)

    @property
    def name_in_registry(self) -> str:
        """The portfolio."""
        return self.portfolio


class AppFact(Fact):
    """An app of a portfolio, and which deployments are its own.

    A deployment belongs to the app whose pattern fits its PRN (portfolio to build): `PrnPattern` with `*` for any segment, or
    `AppRegex`, a regular expression. Without either the app's own name counts.
    """

    kind: ClassVar[str] = "app"

    portfolio: str
    app: str
    prn_pattern: str | None = None
    app_regex: str | None = None
    name: str | None = None
    environment: str | None = None
    account: AccountId | None = None
    zone: str | None = None
    region: str | None = None
    repository: str | None = None
    enforce_validation: bool | str | None = None
    image_aliases: dict[str, str] = Field(default_factory=dict)
    labels: list[str] | dict[str, str] = Field(default_factory=list)
    metadata: dict[str, Any] = Field(default_factory=dict)

    _names = field_validator("portfolio", "app")(registry_name)

    @field_validator("app_regex")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            if len(value) > _LONGEST_PATTERN:
                raise ValueError(f"a regular expression of more than {_LONGEST_PATTERN} characters")
            try:
                regex.compile(value)
            except regex.error as error:
                raise ValueError(f"not a regular expression: {error}") from error
        return value

    @field_validator("prn_pattern")
    @classmethod
    def _is_a_pattern(cls, value: str | None) -> str | None:
        if value is None:
            return value
        head, *segments = value.split(":")
        if head != "prn" or not 1 <= len(segments) <= len(LEVELS):
            raise ValueError("a pattern is a PRN with '*' for any segment, e.g. prn:payments:ledger:*")
        if any("*" in segment and segment != "*" for segment in segments):
            raise ValueError("'*' stands for a whole segment, not for a part of one; AppRegex can do that")
        for segment in segments:
            registry_name(segment.replace("*", "any"))
        return value

    @property
    def name_in_registry(self) -> str:
        """The app."""
        return self.app

    @property
    def pattern(self) -> str:
        """The pattern as people see it."""
        return self.app_regex or self.prn_pattern or f"prn:{self.portfolio}:{self.app}"

    def fits(self, prn: Prn) -> bool:
        """Whether this deployment is one of the app.

        Raises:
            RegistryError: the AppRegex takes too long to find out.
        """
        identity = Prn(*prn.segments[:4])
        if not self.app_regex:
            return identity.matches(self.pattern)
        try:
            return regex.match(self.app_regex, str(identity), timeout=_PATTERN_SECONDS) is not None
        except TimeoutError as error:
            raise RegistryError(
                f"the AppRegex {self.app_regex[:80]!r} takes longer than {_PATTERN_SECONDS:g} seconds",
                where=f"app {self.portfolio}:{self.app}, for {identity}",
                hint="avoid repetitions inside repetitions",
            ) from error


def plain(message: FreeMessage) -> dict[str, Any]:
    """What was given to a nested message, with PascalCase keys."""
    return message.model_dump(mode="json", exclude_unset=True, exclude_none=True)
