"""Cutting a plan into batches: few of them, each with the targets of some accounts, upstream ones first.

Units (target, segment) are grouped into bands by segment. A band of one segment is split by accounts; segments beyond
`MOST_BANDS` share bands, and such a band stays one batch, because its units wait for each other. So a batch only ever waits for
batches before it, or for itself: starting them in order can never deadlock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core_lib.execute.graph import Unit

MOST_BANDS = 6


@dataclass(frozen=True, slots=True)
class Batch:
    """One sub-flow, or one item of a map: its number from 1, what it is called, and the units it drives."""

    number: int
    title: str
    units: tuple[Unit, ...]


def make_batches(units: Sequence[Unit], accounts_per_batch: int) -> list[Batch]:
    """All units of a plan (upstream units first, as `execute.units` lists them) in batches, in the order they may start."""
    return [Batch(number, title, members) for number, (title, members) in enumerate(_split(units, accounts_per_batch), start=1)]


def _split(units: Sequence[Unit], accounts_per_batch: int) -> Iterator[tuple[str, tuple[Unit, ...]]]:
    by_segment: dict[int, list[Unit]] = {}
    for unit in units:
        by_segment.setdefault(unit.segment, []).append(unit)
    segments = sorted(by_segment)
    per_band = -(-len(segments) // MOST_BANDS) or 1
    for start in range(0, len(segments), per_band):
        band = segments[start : start + per_band]
        members = [unit for segment in band for unit in by_segment[segment]]
        if len(band) > 1:
            yield f"segments {band[0]} to {band[-1]}, {_accounts(members)}", tuple(members)
        else:
            label = f"segment {band[0]}, " if len(segments) > 1 else ""
            yield from _by_accounts(members, accounts_per_batch, label)


def _by_accounts(units: Sequence[Unit], accounts_per_batch: int, label: str) -> Iterator[tuple[str, tuple[Unit, ...]]]:
    by_account: dict[str, list[Unit]] = {}
    for unit in units:
        by_account.setdefault(unit.target.split("/", 1)[0], []).append(unit)
    accounts = list(by_account)
    count = -(-len(accounts) // accounts_per_batch)
    size = -(-len(accounts) // count)
    for start in range(0, len(accounts), size):
        members = [unit for account in accounts[start : start + size] for unit in by_account[account]]
        yield f"{label}{_accounts(members)}", tuple(members)


def _accounts(units: Sequence[Unit]) -> str:
    accounts = sorted({unit.target.split("/", 1)[0] for unit in units})
    return accounts[0] if len(accounts) == 1 else f"{len(accounts)} accounts from {accounts[0]}"
