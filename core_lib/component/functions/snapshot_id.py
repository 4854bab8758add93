"""Fn::Pipeline::SnapshotId."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from core_lib.component.functions.function import Argument, Call, Function

_LITERALS = ("snap-", "arn:")


class SnapshotId(Function):
    """A snapshot by its alias."""

    name = "SnapshotId"
    purpose = "The snapshot of an alias: fact `SnapshotAliases`, or its part for an account."
    arguments = (
        Argument("Name", "The alias; `snap-...` and an ARN are taken as they are.", required=True),
        Argument("AccountAlias", "Look in `SnapshotAliases.<AccountAlias>`, whose map has the snapshots of that account."),
    )
    example: ClassVar[Any] = {"Name": "orders"}

    def value(self, call: Call) -> str:
        """The id or ARN."""
        name, aliases = call.text("Name"), call.facts.get("SnapshotAliases") or {}
        if "AccountAlias" in call:
            account = call.text("AccountAlias")
            parts = {key: value for key, value in aliases.items() if isinstance(value, Mapping)}
            if account not in parts:
                raise call.unknown("AccountAlias", "account alias in SnapshotAliases", account, parts)
            aliases = parts[account]
        snapshots = {key: value for key, value in aliases.items() if isinstance(value, str)}
        if name in snapshots:
            return snapshots[name]
        if name.startswith(_LITERALS):
            return name
        raise call.unknown("Name", "snapshot alias", name, snapshots)
