"""Pairing: names in DependsOn, After and Before become instances.

`DependsOn: [net]` means the instance of `net` in the same target. Where `net` has none there, it means all of its instances;
`{Name: net, Scope: all}` means all in any case, `{Name: net, Scope: account}` those in the same account. `After` and `Before`
say the same from either side; all three take `*` patterns. An instance whose condition is false hands its own dependencies on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from core_lib.deployspec.instances import Instances
from core_lib.deployspec.places import CompileWarning
from core_lib.deployspec.spec_file import ActionSource
from core_lib.framework.codecs import nearest
from core_lib.framework.errors import GraphError
from core_lib.framework.models import PlanAction, action_id

Scope = Literal["target", "account", "all"]
_MANY_EDGES = 1000


@dataclass(frozen=True)
class Edge:
    """This action waits for `upstream`."""

    upstream: str
    scope: Scope


def read_edges(actions: Sequence[ActionSource], warnings: list[CompileWarning]) -> dict[str, tuple[Edge, ...]]:
    """For every action the actions it waits for, patterns and Before resolved.

    Raises:
        GraphError: an unknown name, with the nearest known one.
    """
    names = [action.name for action in actions]
    edges: dict[str, dict[str, Scope]] = {name: {} for name in names}
    for action in actions:
        for dependency in action.frame.depends_on:
            for upstream in _matching(dependency.name, action, "DependsOn", names, warnings):
                if edges[action.name].get(upstream) != "all":
                    edges[action.name][upstream] = dependency.scope
        for pattern in action.frame.after:
            for upstream in _matching(pattern, action, "After", names, warnings):
                edges[action.name].setdefault(upstream, "target")
        for pattern in action.frame.before:
            for downstream in _matching(pattern, action, "Before", names, warnings):
                edges[downstream].setdefault(action.name, "target")
    return {name: tuple(Edge(upstream, scope) for upstream, scope in found.items()) for name, found in edges.items()}


def _matching(
    pattern: str, action: ActionSource, key: str, names: Sequence[str], warnings: list[CompileWarning]
) -> Iterator[str]:
    if "*" not in pattern:
        if pattern not in names:
            near = nearest(pattern, names)
            raise GraphError(
                f"{action.name!r} has {key} {pattern!r}, and there is no such action",
                where=action.locate(key),
                hint=f"did you mean {near!r}?" if near else f"actions of this file: {', '.join(names[:10])}",
            )
        if pattern == action.name:
            raise GraphError(f"{action.name!r} waits for itself", where=action.locate(key))
        yield pattern
        return
    shape = re.compile(".*".join(re.escape(part) for part in pattern.split("*")))
    found = [name for name in names if name != action.name and shape.fullmatch(name)]
    if not found:
        warnings.append(CompileWarning(action.locate(key), f"{key} {pattern!r} of {action.name!r} matches no action"))
    yield from found


class Pairing:
    """Turns edges between names into edges between instances, once all instances are known."""

    def __init__(self, instances: Mapping[str, Instances], edges: Mapping[str, tuple[Edge, ...]]) -> None:
        self._instances = instances
        self._edges = edges
        self._inherited: dict[tuple[str, str], tuple[str, ...]] = {}
        self._all: dict[str, tuple[str, ...]] = {}
        self.joins: dict[str, PlanAction] = {}

    def upstream(self, name: str, target: str) -> list[str]:
        """Ids of the instances that the instance of `name` in `target` waits for, in a stable order."""
        found: dict[str, None] = {}
        for edge in self._edges[name]:
            found.update(dict.fromkeys(self._paired(edge, name, target)))
        return list(found)

    def _paired(self, edge: Edge, name: str, target: str) -> Sequence[str]:
        upstream = self._instances[edge.upstream]
        if edge.scope != "all":
            if target in upstream.planned:
                return (action_id(edge.upstream, target),)
            if target in upstream.dropped:
                return self._handed_on(edge.upstream, target)
            if target in upstream.narrowed:
                return ()
        if edge.scope == "account" and (near := upstream.by_account.get(target.partition("/")[0])):
            return [action_id(edge.upstream, place) for place in near if place in upstream.planned]
        return self._everything(upstream, len(self._instances[name].planned))

    def _handed_on(self, name: str, target: str) -> tuple[str, ...]:
        """What a dropped instance waited for. Walks chains of dropped instances without recursion and without looping."""
        key = (name, target)
        if key not in self._inherited:
            found: dict[str, None] = {}
            seen = {name}
            waiting = [name]
            while waiting:
                current = waiting.pop()
                for edge in self._edges[current]:
                    if edge.scope != "all" and target in self._instances[edge.upstream].dropped:
                        if edge.upstream not in seen:
                            seen.add(edge.upstream)
                            waiting.append(edge.upstream)
                    else:
                        found.update(dict.fromkeys(self._paired(edge, current, target)))
            self._inherited[key] = tuple(found)
        return self._inherited[key]

    def _everything(self, upstream: Instances, dependents: int) -> Sequence[str]:
        """All instances; through one joint when every dependent would otherwise have an edge to every instance."""
        name = upstream.source.name
        if name not in self._all:
            self._all[name] = tuple(upstream.ids())
        ids = self._all[name]
        if len(ids) < 2 or len(ids) * max(dependents, 1) <= _MANY_EDGES:
            return ids
        joint = f"{name}*"
        if joint not in self.joins:
            target = next(iter(upstream.planned))
            self.joins[joint] = PlanAction(
                id=action_id(joint, target), name=joint, kind="SYSTEM::NoOp", target=target, depends_on=ids, save_outputs=False
            )
        return (self.joins[joint].id,)
