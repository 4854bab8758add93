"""Rings: which targets each wave of a rollout takes.

A wave with `Targets` takes those of the plan that fit and that no earlier wave has. One with a `Share` takes whole families of
accounts until the share of all targets is reached, in an order that depends on the accounts' ids only: spread over
organizational units in proportion, within a unit by a hash, so that an account finds itself in the same ring every time. What
is left is the last wave.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core_lib.deployspec.account_graph import AccountGraph
from core_lib.deployspec.directory import Directory
from core_lib.deployspec.places import located
from core_lib.deployspec.targets import selected_of
from core_lib.deployspec.wave_source import WaveSource, rest
from core_lib.framework.errors import SchemaError


@dataclass(frozen=True)
class Ring:
    """A wave with its targets, in order of their keys."""

    source: WaveSource
    targets: tuple[str, ...]


def make_rings(waves: Sequence[WaveSource], targets: Sequence[str], graph: AccountGraph, directory: Directory) -> list[Ring]:
    """Every target in exactly one ring, in the order of the waves; a wave that takes nothing has an empty ring.

    Raises:
        TargetError: a wave selects something that is not known. SchemaError: a wave comes after one that takes everything.
    """
    left = dict.fromkeys(sorted(targets))
    rings: list[Ring] = []
    for source in waves:
        if rings and rings[-1].source.takes_rest:
            raise SchemaError(
                f"wave {rings[-1].source.title!r} takes all that is left, and {source.title!r} comes after it",
                where=source.where,
                hint="give the earlier one Targets or a Share",
            )
        with located(lambda source=source: source.where_of("Targets")):  # type: ignore[misc]
            taken = _taken(source, left, len(targets), graph, directory)
        for target in taken:
            del left[target]
        rings.append(Ring(source, tuple(sorted(taken))))
    if left:
        rings.append(Ring(rest({ring.source.title for ring in rings}), tuple(left)))
    return rings


def _taken(source: WaveSource, left: Mapping[str, None], total: int, graph: AccountGraph, directory: Directory) -> Sequence[str]:
    if source.takes_rest:
        return list(left)
    if source.wave.targets is not None:
        return selected_of(source.wave.targets, directory, left)
    return list(_shared(str(source.wave.share), left, total, graph, directory))


def _shared(share: str, left: Mapping[str, None], total: int, graph: AccountGraph, directory: Directory) -> Iterator[str]:
    """Targets of whole families until there are enough: of a percentage targets, of a number accounts."""
    members = _families(left, graph)
    taken = 0
    enough = total * int(share[:-1]) / 100 if share.endswith("%") else int(share)
    for family in _spread(members, directory):
        if taken >= enough:
            return
        yield from (target for targets in members[family].values() for target in targets)
        taken += sum(map(len, members[family].values())) if share.endswith("%") else len(members[family])


def _families(left: Mapping[str, None], graph: AccountGraph) -> dict[str, dict[str, list[str]]]:
    """The targets that a share may take, by family and account: no hubs, and nothing that waits for the others."""
    found: dict[str, dict[str, list[str]]] = {}
    for target in left:
        account = target.partition("/")[0]
        if account not in graph.hubs and account not in graph.collectors:
            found.setdefault(graph.family[account], {}).setdefault(account, []).append(target)
    return {min(accounts): accounts for accounts in found.values()}


def _spread(families: Mapping[str, Mapping[str, Sequence[str]]], directory: Directory) -> list[str]:
    """The families so that any first part of them has its fair share of every unit and combination of regions."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for family, accounts in families.items():
        regions = sorted({target.partition("/")[2] for targets in accounts.values() for target in targets})
        unit = directory.by_id[family].organizational_unit if family in directory.by_id else "/"
        groups.setdefault((unit, *regions), []).append(family)
    placed: list[tuple[float, str]] = []
    for group in groups.values():
        ordered = sorted(group, key=_hash)
        placed += [((rank + 0.5) / len(ordered), family) for rank, family in enumerate(ordered)]
    return [family for _, family in sorted(placed, key=lambda entry: (entry[0], _hash(entry[1])))]


def _hash(account: str) -> str:
    return hashlib.sha256(f"ring {account}".encode()).hexdigest()
