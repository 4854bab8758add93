"""Contexts: what expressions see at compile time, for the deployment as a whole and for each target.

The facts are the names. A target adds its own: `AwsAccountId`, `AwsRegion`, `AccountName`, `OrganizationalUnit`, `AccountTags`.
The same names are also there under `facts`, `core` and `context`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from core_lib.deployspec.targets import target_of
from core_lib.framework.errors import SchemaError
from core_lib.framework.models import Account, Target

ALIASES = ("facts", "core", "context")
_OF_ACCOUNT = frozenset({"AwsAccountId", "AccountName", "AccountTags"})
_OF_UNIT = frozenset({"OrganizationalUnit"})
_OF_REGION = frozenset({"AwsRegion"})
_OF_ANY = frozenset(ALIASES)


@dataclass(frozen=True)
class Place:
    """A target during the compile."""

    account: Account
    region: str
    facts: Mapping[str, Any]

    @cached_property
    def key(self) -> str:
        """`account/region`."""
        return f"{self.account.id}/{self.region}"

    @cached_property
    def context(self) -> dict[str, Any]:
        """The names that expressions see for this target."""
        account = self.account
        own = {
            "AwsAccountId": account.id,
            "AwsRegion": self.region,
            "AccountName": account.name,
            "OrganizationalUnit": account.organizational_unit,
            "AccountTags": account.tags,
        }
        return with_aliases({**self.facts, **own})

    def target(self) -> Target:
        """The target as Execute needs it."""
        return target_of(self.account, self.region)

    def sharing_key(self, names: frozenset[str] | None) -> Hashable:
        """Equal for two targets exactly when a text that uses these names may be rendered once for both."""
        if names is None or names & _OF_ANY:
            return self.key
        parts: list[str] = []
        if names & _OF_ACCOUNT:
            parts.append(self.account.id)
        elif names & _OF_UNIT:
            parts.append(self.account.organizational_unit)
        if names & _OF_REGION:
            parts.append(self.region)
        return tuple(parts)


def with_aliases(names: dict[str, Any]) -> dict[str, Any]:
    """The names, and all of them again under each alias that is not a name itself."""
    return {**dict.fromkeys(ALIASES, names), **names}


def home_account(facts: Mapping[str, Any], known: Mapping[str, Account]) -> Account | None:
    """The zone's own account: that of the directory if it is there, else made from the facts; None when they name none.

    Raises:
        SchemaError: the fact AwsAccountId is not an account id.
    """
    identity = facts.get("AwsAccountId")
    if identity is None:
        return None
    if str(identity) in known:
        return known[str(identity)]
    try:
        return Account(
            id=str(identity),
            name=str(facts.get("AccountName") or identity),
            organizational_unit=str(facts.get("OrganizationalUnit") or "/"),
        )
    except ValidationError:
        raise SchemaError(f"the fact AwsAccountId is {identity!r}, not an account id of 12 digits", where="facts") from None
