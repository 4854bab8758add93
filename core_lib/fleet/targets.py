"""The targets and the stacks of the whole fleet, narrowed the way every run is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from core_lib.db import ClientCmdb, StackRecord, ZoneFact
from core_lib.deployspec import resolve_targets
from core_lib.framework.errors import TargetError
from core_lib.framework.models import Prn, Selection, SkippedTarget, Target

READERS = 8
EVERYBODY = Selection(organizational_units=("/",))


@dataclass(frozen=True)
class Fleet:
    """Targets by `account/region`, and what was left out."""

    targets: dict[str, Target]
    skipped: tuple[SkippedTarget, ...]


def fleet_targets(cmdb: ClientCmdb, narrow: Selection | None = None) -> Fleet:
    """Every active account in every region that is known, minus what `narrow` leaves out.

    Known are the regions of zones, of accounts, of targets that something was deployed to, and those that `narrow` names.

    Raises:
        TargetError: no account or no region is known, or `narrow` names something that is not.
    """
    regions = {key.partition("/")[2] for key in cmdb.stacks.targets()}
    regions |= {facts.aws_region for zone in _zones(cmdb) for facts in zone.region_facts.values() if facts.aws_region}
    accounts = cmdb.accounts.all()
    regions |= {region for account in accounts for region in account.regions}
    regions |= set(narrow.regions) if narrow else set()
    if not accounts or not regions:
        what = "account" if not accounts else "region"
        raise TargetError(f"no {what} is known", hint="core registry sync reads the organization; --region names a region")
    everybody = EVERYBODY.but(regions=tuple(sorted(regions)))
    found = resolve_targets(everybody, accounts, narrow=narrow)
    return Fleet({target.key: target for target in found.targets}, found.skipped)


def deployed_stacks(
    cmdb: ClientCmdb, fleet: Fleet, prn: Prn | None = None, names: Iterable[str] = ()
) -> Iterator[tuple[Target, StackRecord]]:
    """The stacks that the platform has deployed to these targets: one query a target, side by side.

    `prn`: only those whose last run was for this PRN, or for something below it. `names`: only stacks of these names.
    """
    wanted, runs = set(names), _RunPrns(cmdb)
    listed = [key for key in cmdb.stacks.targets() if key in fleet.targets]
    with ThreadPoolExecutor(READERS, thread_name_prefix="stacks") as pool:
        for key, records in zip(listed, pool.map(cmdb.stacks.get_many, listed), strict=True):
            for name, record in sorted(records.items()):
                if (not wanted or name in wanted) and (prn is None or runs.belongs(record, prn)):
                    yield fleet.targets[key], record


class _RunPrns:
    """PRNs of runs, each read once."""

    def __init__(self, cmdb: ClientCmdb) -> None:
        self._cmdb = cmdb
        self._known: dict[str, str | None] = {}

    def belongs(self, record: StackRecord, prn: Prn) -> bool:
        """Whether the stack was deployed for this PRN, or for something below it."""
        if record.run_id is None:
            return False
        if record.run_id not in self._known:
            run = self._cmdb.runs.find(record.run_id)
            self._known[record.run_id] = run.prn if run else None
        own = self._known[record.run_id]
        return own is not None and Prn.parse(own).segments[: len(prn.segments)] == prn.segments


def _zones(cmdb: ClientCmdb) -> Iterator[ZoneFact]:
    cursor: str | None = None
    while True:
        page = cmdb.registry.list(ZoneFact, limit=1000, cursor=cursor)
        yield from page.items
        cursor = page.cursor
        if cursor is None:
            return
