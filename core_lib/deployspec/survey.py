"""Survey: the targets of a whole definition, and why each account is in or out, without compiling anything else."""

from __future__ import annotations

from collections.abc import Sequence

from core_lib.db import Facts
from core_lib.deployspec.placement import Placement
from core_lib.deployspec.targets import Targets
from core_lib.deployspec.why import spec_file_for
from core_lib.framework.models import Account, SkippedTarget, TaskPayload
from core_lib.framework.package import Package


def targets_of(payload: TaskPayload, *, package: Package, facts: Facts, accounts: Sequence[Account]) -> Targets:
    """Every account and region that some action of the definition goes to. Reasons name the actions when not all go there.

    Raises:
        TargetError: something selected is not known.
    """
    file = spec_file_for(payload, package)
    placement = Placement(tuple(accounts), facts.values, payload.targets)
    found = {action.name: placement.place(file, action).targets for action in file.actions}
    regions: dict[str, set[str]] = {}
    inside: dict[str, dict[str, list[str]]] = {}
    outside: dict[str, str] = {}
    skipped: dict[tuple[str, str], SkippedTarget] = {}
    known: dict[str, Account] = {}
    for name, targets in found.items():
        known |= targets.accounts
        for entry in targets.skipped:
            skipped.setdefault((entry.account, entry.region or ""), entry)
        for account, reason in targets.reasons.items():
            if account in targets.regions_of:
                regions.setdefault(account, set()).update(targets.regions_of[account])
                inside.setdefault(account, {}).setdefault(reason, []).append(name)
            else:
                outside.setdefault(account, reason)
    reasons = outside | {account: _in_words(by_reason, len(found)) for account, by_reason in inside.items()}
    ordered = {account: tuple(sorted(regions[account])) for account in sorted(regions)}
    return Targets(known, ordered, tuple(entry for _, entry in sorted(skipped.items())), placement.directory, reasons)


def _in_words(by_reason: dict[str, list[str]], actions: int) -> str:
    if len(by_reason) == 1:
        reason, names = next(iter(by_reason.items()))
        return reason if len(names) == actions else f"{reason} (for {', '.join(names)})"
    return "; ".join(f"{reason} (for {', '.join(names)})" for reason, names in by_reason.items())
