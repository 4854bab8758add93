"""Targets: which accounts and regions an action runs in, and why each account is in or out.

A selection has three parts: **who** (Accounts and OrganizationalUnits are united, Tags narrow that union, or everybody when
neither is given), **where** (Regions) and **Exclude**. A part that an action gives replaces the file's part; a part that it
does not give comes from the file. The payload's selection never adds a target, it only narrows. Nobody named anywhere means
the zone's own account, no region named anywhere the zone's own region; there is no other default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from core_lib.deployspec.directory import Directory
from core_lib.deployspec.regions import check_regions
from core_lib.framework.errors import TargetError
from core_lib.framework.models import Account, AccountState, Exclusion, Selection, SkippedTarget, Target

_WHO = frozenset({"accounts", "organizational_units", "tags"})


@dataclass(frozen=True)
class TargetExplanation:
    """Why one account is in or out, in words; `regions` are those it takes part with."""

    account: str
    account_name: str
    organizational_unit: str
    included: bool
    reason: str
    regions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Targets:
    """Resolved targets, in account and region order. Pairs become objects only when somebody asks for them."""

    accounts: dict[str, Account]
    regions_of: dict[str, tuple[str, ...]]
    skipped: tuple[SkippedTarget, ...]
    directory: Directory
    reasons: dict[str, str] = field(repr=False)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """`account/region` of every target."""
        return tuple(f"{account}/{region}" for account, regions in self.regions_of.items() for region in regions)

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """Every target with what Execute needs to know about its account."""
        return tuple(self._build())

    def _build(self) -> Iterator[Target]:
        for account_id, regions in self.regions_of.items():
            account = self.accounts[account_id]
            for region in regions:
                yield target_of(account, region)

    @cached_property
    def explanations(self) -> tuple[TargetExplanation, ...]:
        """One line for every account that is known: in or out, and why."""
        everybody = self.directory.by_id | self.accounts
        return tuple(self._explain(account) for _, account in sorted(everybody.items()))

    def _explain(self, account: Account) -> TargetExplanation:
        regions = self.regions_of.get(account.id, ())
        reason = self.reasons.get(account.id, "nothing selects it")
        return TargetExplanation(account.id, account.name, account.organizational_unit, bool(regions), reason, regions)

    def __len__(self) -> int:
        return sum(len(regions) for regions in self.regions_of.values())


def target_of(account: Account, region: str) -> Target:
    """The target of this account in this region."""
    return Target.model_validate(
        {
            "Account": account.id,
            "Region": region,
            "AccountName": account.name,
            "OrganizationalUnit": account.organizational_unit,
            "DeployRole": account.deploy_role,
            "ExternalId": account.external_id,
        }
    )


def refine(file_level: Selection | None, action_level: Selection | None) -> Selection:
    """The selection of an action: its own parts (who, where, Exclude), and the file's for those it does not give."""
    base = file_level or Selection()
    if action_level is None:
        return base
    given = action_level.model_fields_set
    who = action_level if given & _WHO else base
    return Selection(
        accounts=who.accounts,
        organizational_units=who.organizational_units,
        tags=who.tags,
        regions=action_level.regions if "regions" in given else base.regions,
        exclude=action_level.exclude if "exclude" in given else base.exclude,
    )


def selected_of(selection: Selection, directory: Directory, keys: Iterable[str]) -> list[str]:
    """Those of some targets (`account/region`) that a selection fits; one that names nobody fits every account.

    Raises:
        TargetError: an unknown account, unit, tag or region.
    """
    chosen, _ = _selected(directory, selection)
    exclusion = selection.exclude or Exclusion()
    for name in exclusion.accounts:
        chosen -= directory.account_ids(name)
    for path in exclusion.organizational_units:
        chosen -= directory.unit_members(path)
    check_regions((*selection.regions, *exclusion.regions), directory.regions)
    found = []
    for key in keys:
        account, _, region = key.partition("/")
        fits = not selection.regions or region in selection.regions
        if account in chosen and fits and region not in exclusion.regions:
            found.append(key)
    return found


def resolve_targets(
    selection: Selection | None,
    accounts: Sequence[Account] | Directory,
    *,
    home_account: Account | None = None,
    home_region: str | None = None,
    narrow: Selection | None = None,
) -> Targets:
    """Accounts and regions of a selection, minus exclusions, accounts that are not active, and what `narrow` leaves out.

    Args:
        selection: what the definition asks for.
        accounts: the organization's accounts (a `Directory` saves indexing them again).
        home_account: the zone's account, used when nobody is selected.
        home_region: the zone's region, used when no region is selected.
        narrow: the payload's selection; only targets that it selects too remain.

    Raises:
        TargetError: an unknown account, unit, tag or region, or no account or region to fall back on.
    """
    directory = accounts if isinstance(accounts, Directory) else Directory(accounts)
    wanted = selection or Selection()
    resolver = _Resolver(directory, wanted)
    resolver.choose(home_account)
    resolver.leave_out(wanted.exclude)
    regions = resolver.regions(home_region)
    if narrow is not None:
        regions = resolver.narrow(narrow, regions)
    return resolver.finish(regions)


class _Resolver:
    """One resolution: a set of account ids that shrinks step by step, and a reason for each account."""

    def __init__(self, directory: Directory, selection: Selection) -> None:
        self._directory = directory
        self._selection = selection
        self._accounts = directory.by_id
        self._chosen: set[str] = set()
        self._reasons: dict[str, str] = {}

    def choose(self, home: Account | None) -> None:
        selection = self._selection
        if not (selection.accounts or selection.organizational_units or selection.tags):
            self._choose_home(home)
            return
        self._chosen, self._reasons = _selected(self._directory, selection)

    def _choose_home(self, home: Account | None) -> None:
        if home is None:
            raise TargetError(
                "no target: no account, unit or tag is selected, and the facts name no account",
                hint="add Targets to the file, or an account to the zone's facts (AwsAccountId)",
            )
        self._accounts = {home.id: home} | self._accounts
        self._chosen = {home.id}
        self._reasons[home.id] = "the zone's account"

    def leave_out(self, exclusion: Exclusion | None) -> None:
        if exclusion is None:
            return
        for name in exclusion.accounts:
            self._drop(self._directory.account_ids(name), f"excluded as {name!r}")
        for path in exclusion.organizational_units:
            self._drop(self._directory.unit_members(path), f"excluded with the unit {path}")

    def _drop(self, ids: set[str], reason: str) -> None:
        for account in self._chosen & ids:
            self._reasons[account] = reason
        self._chosen -= ids

    def regions(self, home: str | None) -> tuple[str, ...]:
        regions = self._selection.regions or ((home,) if home else ())
        if not regions:
            raise TargetError(
                "no region: none is selected, and the facts name none",
                hint="add Regions to the Targets, or a region to the zone's facts (AwsRegion)",
            )
        left_out = self._selection.exclude.regions if self._selection.exclude else ()
        check_regions((*regions, *left_out), self._directory.regions)
        kept = set(regions) - set(left_out)
        if not kept:
            raise TargetError("no region is left: every selected one is excluded", hint=f"selected: {', '.join(sorted(regions))}")
        return tuple(sorted(kept))

    def narrow(self, narrow: Selection, regions: tuple[str, ...]) -> tuple[str, ...]:
        if narrow.accounts or narrow.organizational_units or narrow.tags:
            asked, _ = _selected(self._directory, narrow)
            self._drop(self._chosen - asked, "this run is narrowed to other accounts")
        self.leave_out(narrow.exclude)
        left_out = set(narrow.exclude.regions) if narrow.exclude else set()
        check_regions((*narrow.regions, *sorted(left_out)), self._directory.regions)
        kept = set(regions) - left_out
        return tuple(sorted(kept & set(narrow.regions) if narrow.regions else kept))

    def finish(self, regions: tuple[str, ...]) -> Targets:
        skipped: list[SkippedTarget] = []
        regions_of: dict[str, tuple[str, ...]] = {}
        for account_id in sorted(self._chosen):
            account = self._accounts[account_id]
            if account.state is not AccountState.ACTIVE:
                reason = f"account is {account.state.value}"
                self._reasons[account_id] = reason
                skipped.append(SkippedTarget(account=account_id, account_name=account.name, reason=reason))
                continue
            usable = self._usable_regions(account, regions, skipped)
            if usable:
                regions_of[account_id] = usable
        accounts = {account_id: self._accounts[account_id] for account_id in regions_of}
        return Targets(accounts, regions_of, tuple(skipped), self._directory, self._reasons)

    def _usable_regions(self, account: Account, regions: tuple[str, ...], skipped: list[SkippedTarget]) -> tuple[str, ...]:
        if not account.regions:
            return regions
        usable = tuple(region for region in regions if region in account.regions)
        for region in regions if len(usable) < len(regions) else ():
            if region not in account.regions:
                reason = "region is not enabled in this account"
                skipped.append(SkippedTarget(account=account.id, account_name=account.name, region=region, reason=reason))
        if not usable:
            self._reasons[account.id] = "none of the regions is enabled in this account"
        return usable


def _selected(directory: Directory, selection: Selection) -> tuple[set[str], dict[str, str]]:
    """Accounts that the *who* part selects, each with its reason."""
    reasons: dict[str, str] = {}
    for path in selection.organizational_units:
        reasons.update(dict.fromkeys(directory.unit_members(path), f"in the unit {path}"))
    for name in selection.accounts:
        reasons.update(dict.fromkeys(directory.account_ids(name), f"named as {name!r}"))
    if not (selection.accounts or selection.organizational_units):
        reasons = dict.fromkeys(directory.by_id, "any account")
    chosen = set(reasons)
    for key, values in selection.tags.items():
        text = f"tag {key} in ({', '.join(values)})"
        tagged = directory.tagged(key, values)
        for account in chosen - tagged:
            reasons[account] = f"{reasons[account]}, but without {text}"
        chosen &= tagged
        for account in chosen:
            reasons[account] = f"{reasons[account]}, {text}"
    return chosen, reasons
