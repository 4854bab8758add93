"""The accounts of an organization, indexed once for targeting: by id, by name, by organizational unit, by tag."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from core_lib.framework.errors import TargetError
from core_lib.framework.models import Account

EVERYONE = "*"


def unit_path(text: str) -> str:
    """An organizational unit's path in its one spelling: leading slash, no trailing slash; the root is `/`."""
    return "/" + text.strip("/")


def unit_ancestors(path: str) -> list[str]:
    """The path's own units from the root down: `/`, `/workloads`, `/workloads/prod`."""
    found = ["/"]
    parts = [part for part in path.split("/") if part]
    found.extend("/" + "/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    return found


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint with the nearest known names, or None when nothing is near."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f"did you mean {' or '.join(repr(item) for item in near)}?" if near else None


class Directory:
    """Accounts by everything that a selection may say. Units hold the accounts of all units below them."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self.by_id: dict[str, Account] = {account.id: account for account in accounts}
        self._by_name: dict[str, list[str]] = {}
        self._units: dict[str, set[str]] = {"/": set()}
        self._tags: dict[str, dict[str, set[str]]] = {}
        chains: dict[str, list[set[str]]] = {}
        for account in self.by_id.values():
            self._by_name.setdefault(account.name, []).append(account.id)
            chain = chains.get(account.organizational_unit)
            if chain is None:
                paths = unit_ancestors(account.organizational_unit)
                chain = chains[account.organizational_unit] = [self._units.setdefault(path, set()) for path in paths]
            for members in chain:
                members.add(account.id)
            for key, value in account.tags.items():
                self._tags.setdefault(key, {}).setdefault(value, set()).add(account.id)

    @property
    def regions(self) -> frozenset[str]:
        """Every region that some account lists as its own."""
        return frozenset(region for account in self.by_id.values() for region in account.regions)

    def account_ids(self, name: str) -> set[str]:
        """The account of this id or name; `*` is every account.

        Raises:
            TargetError: nobody has that id or name, or several accounts share the name.
        """
        if name == EVERYONE:
            return set(self.by_id)
        if name in self.by_id:
            return {name}
        found = self._by_name.get(name, [])
        if len(found) == 1:
            return set(found)
        if found:
            raise TargetError(f"{len(found)} accounts are named {name!r}", hint=f"use an id: {', '.join(sorted(found)[:5])}")
        raise TargetError(f"no account has the id or name {name!r}", hint=self._account_hint(name))

    def _account_hint(self, name: str) -> str:
        if not self.by_id:
            return "the account directory is empty: sync it from the organization first"
        return (
            did_you_mean(name, [*self._by_name, *self.by_id]) or f"{len(self.by_id)} accounts are known, none has a similar name"
        )

    def unit_members(self, path: str) -> set[str]:
        """Accounts in this organizational unit and in all units below it.

        Raises:
            TargetError: no account lies in such a unit, or the path is empty: that is never taken for the root.
        """
        if not path.strip():
            raise TargetError("a unit's path is empty", hint="the root, with every account below it, is written '/'")
        wanted = unit_path(path)
        if wanted not in self._units or (not self._units[wanted] and wanted != "/"):
            hint = did_you_mean(wanted, self._units) or "units are named by their path from the root, such as /workloads/prod"
            raise TargetError(f"no account lies in an organizational unit {path!r}", hint=hint)
        return self._units[wanted]

    def tagged(self, key: str, values: Sequence[str]) -> set[str]:
        """Accounts whose tag `key` has one of these values; `*` is any value.

        Raises:
            TargetError: no account has a tag of that name.
        """
        by_value = self._tags.get(key)
        if by_value is None:
            raise TargetError(f"no account has a tag {key!r}", hint=did_you_mean(key, self._tags))
        wanted = by_value if EVERYONE in values else [value for value in values if value in by_value]
        return set().union(*(by_value[value] for value in wanted))
