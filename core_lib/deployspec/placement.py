"""Placement: the targets of every action of a file, with those that this run is narrowed away from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core_lib.deployspec.contexts import Place, home_account, with_aliases
from core_lib.deployspec.directory import Directory
from core_lib.deployspec.places import located
from core_lib.deployspec.spec_file import ActionSource, Section, SpecFile
from core_lib.deployspec.targets import Targets, refine, resolve_targets
from core_lib.framework.codecs import parse
from core_lib.framework.errors import TargetError
from core_lib.framework.models import Account, Selection
from core_lib.renderer import compile_tree


@dataclass(frozen=True)
class Placed:
    """Where one action goes: `targets` in this run, `wide` without the payload's narrowing."""

    targets: Targets
    wide: Targets
    where: str


@dataclass
class Placement:
    """Resolves selections; equal selections are resolved once. `narrow` is the payload's selection."""

    accounts: tuple[Account, ...]
    facts: Mapping[str, Any]
    narrow: Selection | None = None
    directory: Directory = field(init=False)

    def __post_init__(self) -> None:
        known = {account.id: account for account in self.accounts}
        self._home = home_account(self.facts, known)
        extra = () if self._home is None or self._home.id in known else (self._home,)
        self.directory = Directory((*self.accounts, *extra))
        region = self.facts.get("AwsRegion")
        self._home_region = str(region) if region is not None else None
        self._context = with_aliases(dict(self.facts))
        self._resolved: dict[str, tuple[Targets, Targets]] = {}
        self._places: dict[str, Place] = {}

    def place(self, file: SpecFile, action: ActionSource) -> Placed:
        """The targets of an action.

        Raises:
            TargetError: something selected is not known, or nothing at all is left.
        """
        section = action.targets or file.targets
        where = section.locate() if section else action.locate()
        selection = refine(self._selection(file.targets), self._selection(action.targets))
        with located(lambda: where):
            narrowed, wide = self._resolve(selection)
            if not wide.regions_of and not wide.skipped:
                raise TargetError(f"no account is left for {action.name!r}", hint=_why_nobody(wide))
        return Placed(narrowed, wide, where)

    def _selection(self, section: Section | None) -> Selection | None:
        if section is None:
            return None
        rendered = compile_tree(section.data, section.locate).render(self._context)
        if rendered.references:
            raise TargetError(
                "targets must be known at compile time", where=section.locate(), hint="use facts, not outputs or vars"
            )
        return parse(Selection, section.document, path=section.path, value=rendered.value)

    def _resolve(self, selection: Selection) -> tuple[Targets, Targets]:
        key = json.dumps([selection.as_dict(), sorted(selection.model_fields_set)], sort_keys=True)
        if key not in self._resolved:
            wide = self._targets(selection, None)
            self._resolved[key] = (self._targets(selection, self.narrow) if self.narrow else wide, wide)
        return self._resolved[key]

    def _targets(self, selection: Selection, narrow: Selection | None) -> Targets:
        return resolve_targets(selection, self.directory, home_account=self._home, home_region=self._home_region, narrow=narrow)

    def at(self, targets: Targets) -> list[Place]:
        """The places of resolved targets, in their order; each exists once."""
        return [self._place(account, region) for account, regions in targets.regions_of.items() for region in regions]

    def _place(self, account_id: str, region: str) -> Place:
        key = f"{account_id}/{region}"
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = Place(self.directory.by_id[account_id], region, self.facts)
        return place

    def by_key(self, key: str) -> Place:
        """The place of a target key."""
        account, _, region = key.partition("/")
        return self._place(account, region)


def _why_nobody(targets: Targets) -> str:
    reasons = sorted(set(targets.reasons.values()))
    return "; ".join(reasons[:3]) if reasons else "the selection fits no account"
