"""Members of waves: which actions of a plan are in which wave, which begin it and which end it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set

from core_lib.deployspec.account_graph import AccountGraph, account_of
from core_lib.deployspec.rings import Ring
from core_lib.framework.models import PlanAction


def hub_actions(ordered: Sequence[PlanAction], graph: AccountGraph, added: Set[str]) -> Iterator[PlanAction]:
    """The actions of hubs that other accounts wait for: they go first, in no wave. `ordered`: dependencies first."""
    needed: set[str] = set()
    by_id = {action.id: action for action in ordered}
    for action in reversed(ordered):
        if action.id in needed and action.id not in added and account_of(action) in graph.hubs:
            yield action
        for dependency in action.depends_on:
            if _needs(action, by_id[dependency], graph, added, in_turn=action.id in needed):
                needed.add(dependency)


def _needs(action: PlanAction, upstream: PlanAction, graph: AccountGraph, added: Set[str], *, in_turn: bool) -> bool:
    """Whether the upstream action has to be there before the accounts of a wave; `in_turn`: others need the action itself."""
    if action.id in added:
        return in_turn
    elsewhere = upstream.id in added or account_of(action) != account_of(upstream)
    return in_turn or (elsewhere and account_of(action) not in graph.collectors)


class Members:
    """The actions of the waves that have any.

    `wave_of`: index into `rings` by action id; `sinks`: of each ring, the actions that tell how its targets ended; `sources`:
    those that are first in their target.
    """

    def __init__(self, own: Iterable[PlanAction], first: Set[str], rings: Sequence[Ring]) -> None:
        acting = [action for action in own if action.id not in first]
        present = {action.target for action in acting}
        kept = [Ring(ring.source, tuple(target for target in ring.targets if target in present)) for ring in rings]
        self.rings = [ring for ring in kept if ring.targets]
        index_of = {target: index for index, ring in enumerate(self.rings) for target in ring.targets}
        self.wave_of = {action.id: index_of[action.target] for action in acting}
        inside = {action.id: action for action in acting}
        awaited: set[str] = set()
        self.sources: set[str] = set()
        for action in acting:
            near = [name for name in action.depends_on if name in inside and inside[name].target == action.target]
            awaited.update(near)
            if not near:
                self.sources.add(action.id)
        self.sinks: list[list[str]] = [[] for _ in self.rings]
        for action in acting:
            if action.id not in awaited or action.on_failure == "continue":
                self.sinks[self.wave_of[action.id]].append(action.id)
