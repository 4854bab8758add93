"""Expansion: the actions of a file, over all their targets, become the actions of a plan.

First every instance is made or dropped (its condition is false at compile time), then `Wiring` turns names into ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from core_lib.db import Facts
from core_lib.deployspec.conditions import Condition
from core_lib.deployspec.derive import GET_OUTPUTS
from core_lib.deployspec.instances import Instances
from core_lib.deployspec.layers import Layers, read_layers
from core_lib.deployspec.pairing import Pairing, read_edges
from core_lib.deployspec.placement import Placement
from core_lib.deployspec.places import CompileWarning
from core_lib.deployspec.shapes import Shape, ShapeMaker
from core_lib.deployspec.sources import Sources
from core_lib.deployspec.spec_file import ActionSource, SpecFile
from core_lib.deployspec.targets import Targets
from core_lib.deployspec.wiring import Draft, Wiring, texts_of
from core_lib.framework.codecs import nearest
from core_lib.framework.errors import CompileError, GraphError
from core_lib.framework.models import DeploymentDetails, PlanAction, SkippedTarget, action_id
from core_lib.renderer import Deferred


@dataclass(frozen=True)
class SkippedAction:
    """An instance that is not in the plan, and why."""

    action: str
    target: str
    reason: str


@dataclass
class Expanded:
    """A whole file over all its targets."""

    file: SpecFile
    actions: tuple[PlanAction, ...]
    added: frozenset[str]
    skipped_targets: tuple[SkippedTarget, ...]
    skipped_actions: tuple[SkippedAction, ...]
    templates: Mapping[str, tuple[str, ...]]
    paths: frozenset[str]
    targets: Mapping[str, Targets]
    warnings: list[CompileWarning] = field(default_factory=list)


class Expander:
    """Expands one file. Use once."""

    def __init__(
        self, file: SpecFile, placement: Placement, sources: Sources, facts: Facts, deployment: DeploymentDetails
    ) -> None:
        self._file = file
        self._placement = placement
        self._sources = sources
        self._facts = facts
        self._deployment = deployment
        self._warnings: list[CompileWarning] = []
        self._layers: Layers = read_layers(file.parameters, "file", placement.directory)
        self._edges = read_edges(file.actions, self._warnings)
        self._instances = {action.name: Instances(action) for action in file.actions}
        self._makers: dict[str, ShapeMaker] = {}
        self._drafts: dict[str, list[Draft]] = {}
        self._by_id: dict[str, Draft] = {}
        self._skipped: list[SkippedAction] = []
        self._targets: dict[str, Targets] = {}
        self._skipped_targets: dict[tuple[str, str], SkippedTarget] = {}

    def expand(self) -> Expanded:
        """All instances, wired.

        Raises:
            CompileError, SchemaError, RenderError: with file and line.
        """
        for action in self._file.actions:
            self._instantiate(action)
        if not self._by_id:
            raise CompileError("no action is left to run", where=self._file.source, hint=self._why_nothing())
        self._warn_about_unused_parameters()
        self._refuse_duplicate_stacks()
        pairing = Pairing(self._instances, self._edges)
        wiring = Wiring(self._instances, self._by_id, pairing, self._placement.directory, self._shape_at)
        wired = [wiring.wire(draft) for draft in self._in_order()]
        actions = _sorted(wired, wiring.added)
        return Expanded(
            self._file, tuple(actions), frozenset(action.id for action in wiring.added),
            tuple(skipped for _, skipped in sorted(self._skipped_targets.items())), tuple(self._skipped),
            self._template_regions(), self._paths(), self._targets, self._warnings,
        )  # fmt: skip

    def _instantiate(self, action: ActionSource) -> None:
        placed = self._placement.place(self._file, action)
        self._targets[action.name] = placed.targets
        for skipped in placed.targets.skipped:
            self._skipped_targets.setdefault((skipped.account, skipped.region or ""), skipped)
        if placed.targets is placed.wide and not placed.targets.regions_of:
            self._warnings.append(CompileWarning(placed.where, f"{action.name!r} runs nowhere: every account is skipped"))
        instances = self._instances[action.name]
        maker = self._makers[action.name] = self._maker(action)
        condition = Condition(action)
        for place in self._placement.at(placed.targets):
            answer = condition.answer(place)
            if answer is False:
                instances.dropped[place.key] = None
                self._skipped.append(SkippedAction(action.name, place.key, f"the condition is false: {action.frame.condition}"))
                continue
            draft = Draft(action, place, maker.shape(place), answer if isinstance(answer, Deferred) else None)
            instances.planned[place.key] = None
            self._drafts.setdefault(place.key, []).append(draft)
            self._by_id[action_id(action.name, place.key)] = draft
        if placed.wide is not placed.targets:
            self._note_narrowed(instances, condition, placed.wide)

    def _note_narrowed(self, instances: Instances, condition: Condition, wide: Targets) -> None:
        for place in self._placement.at(wide):
            if place.key not in instances.planned and place.key not in instances.dropped:
                group = instances.dropped if condition.answer(place) is False else instances.narrowed
                group[place.key] = None

    def _maker(self, action: ActionSource) -> ShapeMaker:
        tags = self._facts.tags(action.frame.scope or self._deployment.effective_scope)
        return ShapeMaker.of(action, self._sources, self._layers, self._placement.directory, tags)

    def _shape_at(self, name: str, target: str) -> Shape:
        return self._makers[name].shape(self._placement.by_key(target))

    def _in_order(self) -> Iterator[Draft]:
        for _, drafts in sorted(self._drafts.items()):
            yield from drafts

    def _refuse_duplicate_stacks(self) -> None:
        for target, drafts in self._drafts.items():
            seen: dict[tuple[str, str], Draft] = {}
            for draft in drafts:
                if draft.shape.stack_name is None or draft.source.kind == GET_OUTPUTS:
                    continue
                key = (draft.source.kind, draft.shape.stack_name)
                other = seen.setdefault(key, draft)
                if other is not draft:
                    raise GraphError(
                        f"{other.source.name!r} and {draft.source.name!r} are both the stack {key[1]!r} in {target}",
                        where=draft.source.locate_spec(("StackName",)),
                        hint=f"the other one: {other.source.locate_spec(('StackName',))}",
                    )

    def _warn_about_unused_parameters(self) -> None:
        declared = {name for draft in self._by_id.values() if draft.shape.template for name in draft.shape.template.parameters}
        for layer in self._layers.all():
            for name in layer.values:
                if name not in declared:
                    near = nearest(name, declared)
                    advice = f"; did you mean {near!r}?" if near else ""
                    self._warnings.append(
                        CompileWarning(layer.locate(name), f"no template declares a parameter {name!r}{advice}")
                    )

    def _why_nothing(self) -> str:
        if any(instances.narrowed for instances in self._instances.values()):
            return "the Targets of the payload leave none of the file's targets"
        reasons = sorted({entry.reason for entry in self._skipped} | {entry.reason for entry in self._skipped_targets.values()})
        return "; ".join(reasons[:3]) or "no account is selected"

    def _template_regions(self) -> dict[str, tuple[str, ...]]:
        regions: dict[str, set[str]] = {}
        for draft in self._by_id.values():
            if draft.shape.template is not None:
                regions.setdefault(draft.shape.template.path, set()).add(draft.place.region)
        return {path: tuple(sorted(found)) for path, found in sorted(regions.items())}

    def _paths(self) -> frozenset[str]:
        """Files of the package that some spec names."""
        texts: set[str] = set()
        for shape in {id(draft.shape): draft.shape for draft in self._by_id.values()}.values():
            texts_of(shape.spec, texts)
        return frozenset(texts & self._sources.package.files.keys())


def _sorted(wired: list[PlanAction], extra: list[PlanAction]) -> list[PlanAction]:
    """By target, within a target in file order, what the compiler added last."""
    if not extra:
        return wired
    by_target: dict[str, list[PlanAction]] = {}
    for action in (*wired, *sorted(extra, key=lambda action: action.id)):
        by_target.setdefault(action.target, []).append(action)
    return [action for _, actions in sorted(by_target.items()) for action in actions]
