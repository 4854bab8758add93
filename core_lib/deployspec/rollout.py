"""Rollouts: waves become part of the graph, so that whoever executes a plan need not know about them.

    last actions of every target of the wave  ->  gate (counts failures)  ->  soak, gates  ->  first actions of the next wave

The gate runs when all it waits for has ended, however that was. Every action has at most one edge to a gate and one from each
gate that ends the wave before, so the number of edges grows with the number of targets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Literal

from core_lib.deployspec.account_graph import read_accounts
from core_lib.deployspec.directory import Directory
from core_lib.deployspec.gates import Step, steps_of
from core_lib.deployspec.members import Members, hub_actions
from core_lib.deployspec.places import CompileWarning
from core_lib.deployspec.rings import Ring, make_rings
from core_lib.deployspec.wave_order import check_order, postponed
from core_lib.deployspec.wave_source import WaveSource
from core_lib.execute import order
from core_lib.framework.models import PlanAction, PlanWave, action_id

WAVE_GATE = "SYSTEM::WaveGate"
Gating = Literal["full", "counts", "shown"]
_MANY_HUBS = 0.1


@dataclass(frozen=True)
class Staged:
    """The actions of a plan with its gates among them, the waves as the plan shows them, and what is worth knowing."""

    actions: tuple[PlanAction, ...]
    waves: tuple[PlanWave, ...] = ()
    warnings: tuple[CompileWarning, ...] = ()


@dataclass(frozen=True)
class Rollout:
    """Brings the waves of one file into its plans. `added` are the ids of actions that no user wrote."""

    waves: tuple[WaveSource, ...]
    directory: Directory
    facts: Mapping[str, Any]
    added: Set[str]

    def stage(self, actions: Sequence[PlanAction], gating: Gating = "full") -> Staged:
        """These actions in waves.

        `gating`: "full" = counts, soak times and gates; "counts" = nothing but the count of failures, for a teardown: nobody
        watches what is gone; "shown" = the waves are named and nobody waits, for a review.

        Raises:
            GraphError, TargetError, SchemaError, UnknownKindError: something in the waves cannot be; with file and line.
        """
        if not self.waves:
            return Staged(tuple(actions))
        ordered = order(actions)
        graph = read_accounts(actions, self.added)
        own = [action for action in actions if action.id not in self.added]
        rings = make_rings(self.waves, list(dict.fromkeys(action.target for action in own)), graph, self.directory)
        named = {target for ring in rings if ring.source.wave.targets is not None for target in ring.targets}
        first = {action.id for action in hub_actions(ordered, graph, self.added) if action.target not in named}
        members = Members(own, first, rings)
        if gating == "counts":
            members = Members(own, first, postponed(ordered, members.wave_of, members.rings))
        check_order(ordered, members.wave_of, members.rings)
        gates = [
            list(self._gates(index, members, gating, is_last=index == len(members.rings) - 1))
            for index in range(len(members.rings))
        ]
        waves = tuple(_shown(ring, found, gating) for ring, found in zip(members.rings, gates, strict=True))
        warnings = (*_empty(rings), *_many_hubs(own, first, self.waves[0]))
        if gating == "shown":
            return Staged(tuple(actions), waves, warnings)
        return Staged(tuple(_linked(actions, members, gates)), waves, warnings)

    def _gates(self, index: int, members: Members, gating: Gating, *, is_last: bool) -> Iterator[_Gate]:
        """The gate of a wave and the steps after it; the last wave has them only if somebody wrote some."""
        ring = members.rings[index]
        wave = ring.source.wave
        if is_last and (gating == "counts" or not (wave.soak or wave.gates)):
            return
        following = None if is_last else members.rings[index + 1].source.title
        home, name = ring.targets[0], f"wave:{ring.source.title}"
        sinks = tuple(members.sinks[index])
        spec = {"Wave": ring.source.title, "Actions": list(sinks), "Tolerance": wave.tolerance} | (
            {"Next": following} if following else {}
        )
        judge = PlanAction(
            id=action_id(f"{name}:gate", home), name=f"{name}:gate", kind=WAVE_GATE, target=home, depends_on=sinks,
            waits_for="end", spec=spec,
        )  # fmt: skip
        yield _Gate(judge, f"at most {wave.tolerance} of {len(ring.targets)} targets failed")
        stage: tuple[str, ...] = (judge.id,)
        before = stage
        for step in steps_of(ring.source, home, self.directory, self.facts) if gating != "counts" else ():
            before = before if step.together else stage
            made = _step_action(step, name, before)
            stage = (*stage, made.id) if step.together else (made.id,)
            yield _Gate(made, step.words)


@dataclass(frozen=True)
class _Gate:
    """An action between two waves, and what it is in words."""

    action: PlanAction
    words: str


def _step_action(step: Step, name: str, depends_on: tuple[str, ...]) -> PlanAction:
    full = f"{name}:{step.label}"
    return PlanAction(
        id=action_id(full, step.target), name=full, kind=step.kind, target=step.target, depends_on=depends_on, spec=step.spec
    )


def _shown(ring: Ring, gates: Sequence[_Gate], gating: Gating) -> PlanWave:
    return PlanWave(
        name=ring.source.title,
        targets=ring.targets,
        tolerance=ring.source.wave.tolerance,
        steps=tuple(gate.words for gate in gates),
        gates=tuple(gate.action.id for gate in gates) if gating != "shown" else (),
    )


def _linked(actions: Sequence[PlanAction], members: Members, gates: Sequence[Sequence[_Gate]]) -> list[PlanAction]:
    """The actions with an edge from the gates of the wave before to each that is first in its target, and the gates."""
    by_target: dict[str, list[PlanAction]] = {}
    for action in actions:
        index = members.wave_of.get(action.id, 0)
        if index and action.id in members.sources:
            action = action.model_copy(update={"depends_on": (*action.depends_on, *_ends(gates[index - 1]))})
        by_target.setdefault(action.target, []).append(action)
    for found in gates:
        for gate in found:
            by_target.setdefault(gate.action.target, []).append(gate.action)
    return [action for _, group in sorted(by_target.items()) for action in group]


def _ends(gates: Sequence[_Gate]) -> tuple[str, ...]:
    """The gates that no other gate of the wave waits for."""
    awaited = {dependency for gate in gates for dependency in gate.action.depends_on}
    return tuple(gate.action.id for gate in gates if gate.action.id not in awaited)


def _empty(rings: Sequence[Ring]) -> Iterator[CompileWarning]:
    for ring in rings:
        if not ring.targets:
            reason = "no target of this run is left for it"
            yield CompileWarning(ring.source.where, f"wave {ring.source.title!r} is left out with its gates: {reason}")


def _many_hubs(own: Sequence[PlanAction], first: Set[str], wave: WaveSource) -> Iterator[CompileWarning]:
    """More than a few targets in no wave are hardly meant."""
    hubs = sorted({action.target for action in own if action.id in first})
    total = len({action.target for action in own})
    if len({hub.partition("/")[0] for hub in hubs}) > 1 and len(hubs) > total * _MANY_HUBS:
        shown = ", ".join(hubs[:3]) + (f" and {len(hubs) - 3} more" if len(hubs) > 3 else "")
        yield CompileWarning(
            wave.where,
            f"{len(hubs)} targets go first, in no wave, because several others wait for them ({shown}); give them a wave",
        )
