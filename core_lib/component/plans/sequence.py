"""The order in which the stages and steps of one component are deployed, and which other components it waits for.

    security -> rules-base, context, logs -> bake and further stages -> resources -> further stages -> rules -> pointers

A further stage (one that only some types have) comes after `resources` when it uses its outputs, else before. A step stands
where its After and Before say, without them after `resources`. `pointers` waits for everything but what comes after itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from core_lib.component.model import APPLICATION, Compiled, Step, Wire
from core_lib.component.naming import STAGES
from core_lib.component.plans.blueprint import FOREIGN
from core_lib.component.plans.sheet import labels_in
from core_lib.framework.errors import CompileError

CONTEXT = "context"
_EARLY = ("rules-base", CONTEXT, "logs")
_RULES = frozenset({"security", "rules-base", "rules"})
NOT_WHEN_PERSISTED = frozenset({CONTEXT, "logs", "bake"})


@dataclass(frozen=True)
class Sequence:
    """`before` has, for each stage and step, those of the same component that come first. `steps` are those that are left."""

    before: Mapping[str, frozenset[str]]
    steps: tuple[Step, ...]
    needs: frozenset[str]
    """Components whose pointers must be there before this one's resources."""
    waiting: frozenset[str]
    """Stages and steps that wait for them."""


def sequence_of(compiled: Compiled, *, context: bool = False) -> Sequence:
    """The order within a component. `context` tells whether it has context files.

    Raises:
        CompileError: a step comes after or before something that its type does not have.
    """
    steps = _steps_left(compiled)
    stages = [stage for stage in compiled.stages if stage != "release"]
    before: dict[str, set[str]] = {name: set() for name in stages}
    if context:
        before[CONTEXT] = set()
    _order_stages(compiled, before)
    waiting = _waiting(before)
    _order_steps(compiled, steps, before, waiting)
    return Sequence(
        {name: frozenset(found) for name, found in before.items()}, steps, frozenset(_needs(compiled)), frozenset(waiting)
    )


def _steps_left(compiled: Compiled) -> tuple[Step, ...]:
    """The steps, without those that belong to a bake that is not done because the resources persist."""
    if compiled.persisted is None:
        return tuple(compiled.steps.get("deploy", ()))
    gone = set(NOT_WHEN_PERSISTED)
    kept = []
    for step in compiled.steps.get("deploy", ()):
        if {step.after, step.before, *labels_in(step.spec)} & gone:
            gone.add(step.name)
        else:
            kept.append(step)
    return tuple(kept)


def _order_stages(compiled: Compiled, before: dict[str, set[str]]) -> None:
    further = [stage for stage in before if stage not in STAGES]
    late = _late_stages(compiled, further)
    early = [stage for stage in _EARLY if stage in before]
    first = ["security"] if "security" in before else []
    middle = [stage for stage in ("bake", *further) if stage in before and stage not in late]
    for stage in early:
        before[stage].update(first)
    for stage in middle:
        before[stage].update((*first, *early))
    if "resources" in before:
        before["resources"].update((*first, *early, *middle))
    for stage in late:
        before[stage].add("resources")
    if "rules" in before:
        before["rules"].update(stage for stage in (*early, "resources") if stage in before)
    if "pointers" in before:
        before["pointers"].update(stage for stage in before if stage != "pointers")
    for stage in list(before):
        before[stage].update(wire.stage for wire in _own_wires(compiled, stage) if wire.stage in before)


def _late_stages(compiled: Compiled, further: Iterable[str]) -> set[str]:
    """Those of the further stages that use outputs of resources, or of stages that do."""
    late: set[str] = {"resources"}
    pending = list(further)
    while True:
        found = [stage for stage in pending if any(wire.stage in late for wire in _own_wires(compiled, stage))]
        if not found:
            return late - {"resources"}
        late.update(found)
        pending = [stage for stage in pending if stage not in late]


def _waiting(before: Mapping[str, set[str]]) -> set[str]:
    """Stages that wait for other components: the resources and what prepares them; without any, the last ones."""
    found = {stage for stage in before if stage not in (*STAGES, *_EARLY)} | ({"bake", "resources"} & before.keys())
    return found if "resources" in before else found | ({"rules", "pointers"} & before.keys())


def _order_steps(compiled: Compiled, steps: Iterable[Step], before: dict[str, set[str]], waiting: set[str]) -> None:
    listed = list(steps)
    known = {*before, *STAGES, *compiled.component.type.file.stages, *(step.name for step in listed)}
    late = {"pointers"}
    for step in listed:
        for place in (step.after, step.before):
            if place is not None and place not in known:
                raise CompileError(
                    f"step {step.name!r} stands beside {place!r}, which is neither stage nor step",
                    where=f"{compiled.component.type.source}/type.yaml",
                    hint=f"there are: {', '.join(sorted(known))}",
                )
        after = step.after if step.after is not None or step.before is not None else "resources"
        mine = before.setdefault(step.name, set())
        mine.update(name for name in (after, *labels_in(step.spec)) if name in before and name != step.name)
        if step.before is not None and step.before in before:
            mine.update(name for name in before[step.before] if name != step.name)
            before[step.before].add(step.name)
        if mine & late:
            late.add(step.name)
        elif "pointers" in before:
            before["pointers"].add(step.name)
        if step.after is None:
            waiting.add(step.name)
    for stage in compiled.stages:
        if stage in before:
            before[stage].update(wire.stage for wire in _own_wires(compiled, stage) if wire.stage in before)


def _own_wires(compiled: Compiled, stage: str) -> Iterator[Wire]:
    template = compiled.stages.get(stage)
    for value in template.parameters.values() if template is not None else ():
        if isinstance(value, Wire) and value.owner == compiled.component.name:
            yield value


def _needs(compiled: Compiled) -> set[str]:
    needs = set(compiled.component.depends_on)
    for stage, template in compiled.stages.items():
        if stage not in _RULES:
            needs.update(wire.owner for wire in template.parameters.values() if isinstance(wire, Wire) and _is_needed(wire))
    return needs - {compiled.component.name}


def _is_needed(wire: Wire) -> bool:
    return wire.owner != APPLICATION and not wire.owner.startswith(FOREIGN) and wire.stage != "security"
