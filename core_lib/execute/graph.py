"""The graph of a plan: order, cycles, segments and units. Every walk visits each edge once.

segment(action) = the largest segment among its dependencies, plus one for each hop into another target, and for an action
                  that waits for the end of others: what it waits for is over and undone, and its locks are given back
unit            = (target, segment): the actions that one worker drives in one go
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core_lib.framework.errors import GraphError
from core_lib.framework.models import Plan, PlanAction


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of dispatch. `key` is `account/region#segment`; `upstream_units` must have ended before it is driven."""

    key: str
    target: str
    segment: int
    action_ids: tuple[str, ...]
    upstream_units: tuple[str, ...] = ()


def order(actions: Iterable[PlanAction]) -> list[PlanAction]:
    """The actions, dependencies first, otherwise in the order given.

    Raises GraphError for a duplicate id, an unknown dependency or a cycle (with its path).
    """
    by_id = _by_id(actions)
    waiting: dict[str, int] = {}
    dependents: dict[str, list[str]] = {}
    for action in by_id.values():
        dependencies = dict.fromkeys(action.depends_on)
        waiting[action.id] = len(dependencies)
        for dependency in dependencies:
            if dependency not in by_id:
                raise GraphError(f"depends on {dependency!r}, which is not in the plan", where=action.id)
            dependents.setdefault(dependency, []).append(action.id)
    ready = deque(identity for identity, count in waiting.items() if count == 0)
    ordered: list[PlanAction] = []
    while ready:
        identity = ready.popleft()
        ordered.append(by_id[identity])
        for dependent in dependents.get(identity, ()):
            waiting[dependent] -= 1
            if waiting[dependent] == 0:
                ready.append(dependent)
    if len(ordered) < len(by_id):
        raise _cycle_error(by_id, {identity for identity, count in waiting.items() if count > 0})
    return ordered


def check_acyclic(actions: Iterable[PlanAction]) -> None:
    """Raise GraphError when the actions do not form a graph without cycles."""
    order(actions)


def find_cycle(edges: Mapping[str, Sequence[str]]) -> list[str] | None:
    """One cycle of a graph given as node -> nodes it depends on, first node repeated at the end; None without a cycle."""
    waiting = dict.fromkeys(edges, 0)
    dependents: dict[str, list[str]] = {}
    for node, dependencies in edges.items():
        for dependency in dict.fromkeys(dependencies):
            if dependency in waiting:
                waiting[node] += 1
                dependents.setdefault(dependency, []).append(node)
    ready = [node for node, count in waiting.items() if count == 0]
    while ready:
        for dependent in dependents.get(ready.pop(), ()):
            waiting[dependent] -= 1
            if waiting[dependent] == 0:
                ready.append(dependent)
    stuck = {node for node, count in waiting.items() if count > 0}
    return _walk_cycle(edges, stuck) if stuck else None


def segments(actions: Iterable[PlanAction]) -> dict[str, int]:
    """Segment of every action id."""
    found: dict[str, int] = {}
    targets: dict[str, str] = {}
    for action in order(actions):
        targets[action.id] = action.target
        hops = (found[d] + (targets[d] != action.target or action.waits_for == "end") for d in action.depends_on)
        found[action.id] = max(hops, default=0)
    return found


def ranks(actions: Iterable[PlanAction]) -> dict[str, int]:
    """Rank of every action id: the number of actions in the longest chain that waits for it."""
    ordered = order(actions)
    found = dict.fromkeys((action.id for action in ordered), 0)
    for action in reversed(ordered):
        for dependency in action.depends_on:
            found[dependency] = max(found[dependency], found[action.id] + 1)
    return found


def units(plan: Plan) -> list[Unit]:
    """All units of a plan, upstream units first. Actions within a unit are in dependency order."""
    members: dict[tuple[int, str], list[PlanAction]] = {}
    unit_of: dict[str, tuple[int, str]] = {}
    for action in order(plan.actions):
        place = (action.segment, action.target)
        members.setdefault(place, []).append(action)
        unit_of[action.id] = place
    position = {target.key: index for index, target in enumerate(plan.targets)}
    result = []
    for place in sorted(members, key=lambda p: (p[0], position.get(p[1], len(position)), p[1])):
        upstream = {unit_of[d] for action in members[place] for d in action.depends_on} - {place}
        result.append(_unit(place, members[place], upstream))
    return result


def _unit(place: tuple[int, str], actions: Sequence[PlanAction], upstream: Iterable[tuple[int, str]]) -> Unit:
    segment, target = place
    for other_segment, other_target in upstream:
        if other_segment > segment or (other_segment == segment and other_target != target):
            raise GraphError(f"depends on {_unit_key(other_segment, other_target)}", where=_unit_key(segment, target))
    keys = tuple(_unit_key(*other) for other in sorted(upstream))
    return Unit(_unit_key(segment, target), target, segment, tuple(action.id for action in actions), keys)


def _unit_key(segment: int, target: str) -> str:
    return f"{target}#{segment}"


def _by_id(actions: Iterable[PlanAction]) -> dict[str, PlanAction]:
    by_id: dict[str, PlanAction] = {}
    for action in actions:
        if action.id in by_id:
            raise GraphError("the name is used twice", where=action.id, hint="action names are unique within a target")
        by_id[action.id] = action
    return by_id


def _cycle_error(by_id: Mapping[str, PlanAction], stuck: set[str]) -> GraphError:
    path = _walk_cycle({identity: by_id[identity].depends_on for identity in stuck}, stuck)
    return GraphError(
        f"the actions wait for each other: {' -> '.join(path)}",
        where=path[0],
        hint="remove one of these dependencies; a reference to outputs is a dependency too",
    )


def _walk_cycle(edges: Mapping[str, Sequence[str]], stuck: set[str]) -> list[str]:
    """Walk dependencies inside `stuck` (each of its nodes has one) until a node comes up again."""
    seen: dict[str, int] = {}
    path: list[str] = []
    node = min(stuck)
    while node not in seen:
        seen[node] = len(path)
        path.append(node)
        node = next(dependency for dependency in edges[node] if dependency in stuck)
    return [*path[seen[node] :], node]
