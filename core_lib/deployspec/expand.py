"""Expansion: the actions of a file, over all their targets, become the actions of a plan.

First every instance is made or dropped (its condition is false at compile time), then names become ids: dependencies through
`Pairing`, outputs and variables through `References`. A reference is a dependency too.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core_lib.db import Facts
from core_lib.deployspec.contexts import Place
from core_lib.deployspec.derive import CREATE_STACK, GET_OUTPUTS
from core_lib.deployspec.instances import Instances
from core_lib.deployspec.layers import Layers, read_layers
from core_lib.deployspec.pairing import Pairing, read_edges
from core_lib.deployspec.placement import Placement
from core_lib.deployspec.places import CompileWarning, located
from core_lib.deployspec.references import References
from core_lib.deployspec.shapes import Shape, ShapeMaker, paths_of
from core_lib.deployspec.sources import Sources
from core_lib.deployspec.spec_file import ActionSource, SpecFile
from core_lib.deployspec.targets import Targets
from core_lib.framework.codecs import nearest
from core_lib.framework.errors import CompileError, GraphError, ReferenceFault
from core_lib.framework.models import DeploymentDetails, PlanAction, SkippedTarget, action_id
from core_lib.renderer import Deferred, Reference, compile_tree, render_condition

_GUARD = re.compile(r"\|\s*(default|d)\b|\bis\s+(not\s+)?(un)?defined\b|\bif\b")


@dataclass(frozen=True)
class SkippedAction:
    """An instance that is not in the plan, and why."""

    action: str
    target: str
    reason: str


@dataclass(slots=True)
class Draft:
    """One instance on its way into the plan."""

    source: ActionSource
    place: Place
    shape: Shape
    condition: Deferred | None


@dataclass
class Expanded:
    """A whole file over all its targets."""

    file: SpecFile
    actions: tuple[PlanAction, ...]
    places: tuple[Place, ...]
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
        self._stand_ins: dict[str, PlanAction] = {}
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
        self._references = References(self._instances, self._placement.directory)
        pairing = Pairing(self._instances, self._edges)
        wired = [self._wire(draft, pairing) for draft in self._in_order()]
        extra = [*pairing.joins.values(), *self._stand_ins.values()]
        actions = _sorted(wired, extra)
        keys = dict.fromkeys(action.target for action in actions)
        return Expanded(
            self._file, tuple(actions), tuple(self._placement.by_key(key) for key in keys),
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
        condition = _Condition(action)
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
            known = instances.planned | instances.dropped
            instances.narrowed.update(dict.fromkeys(key for key in placed.wide.keys if key not in known))

    def _maker(self, action: ActionSource) -> ShapeMaker:
        layers = read_layers(action.parameters, action.name, self._placement.directory)
        tags = self._facts.tags(action.frame.scope or self._deployment.effective_scope)
        return ShapeMaker(action, self._sources, self._layers, layers, tags)

    def _in_order(self) -> Iterator[Draft]:
        for _, drafts in sorted(self._drafts.items()):
            yield from drafts

    def _wire(self, draft: Draft, pairing: Pairing) -> PlanAction:
        frame, target = draft.source.frame, draft.place.key
        identity = action_id(frame.name, target)
        depends_on = dict.fromkeys(pairing.upstream(frame.name, target))
        references: dict[str, str] = {}
        conditional = draft.condition.references if draft.condition else ()
        for reference in dict.fromkeys((*draft.shape.references, *conditional)):
            upstream = self._resolve(reference, draft)
            if upstream is not None:
                references[f"vars.{reference.label}" if reference.kind == "vars" else reference.label] = upstream
                depends_on[upstream] = None
        bindings = draft.shape.bindings
        if draft.condition and draft.condition.bindings:
            bindings = _joined(bindings, draft.condition.bindings)
        return PlanAction.model_validate(
            {
                "Id": identity,
                "Name": frame.name,
                "Kind": draft.source.kind,
                "Target": target,
                "DependsOn": tuple(depends_on),
                "Condition": draft.condition.text if draft.condition else None,
                "Scope": frame.scope,
                "SaveOutputs": frame.save_outputs,
                "Retry": frame.retry,
                "Timeout": frame.timeout,
                "OnFailure": frame.on_failure,
                "Hooks": frame.hooks,
                "Spec": draft.shape.spec,
                "Bindings": bindings,
                "References": references,
            }
        )

    def _resolve(self, reference: Reference, draft: Draft) -> str | None:
        """Id of the instance a reference means; None when it is not in the plan and the text says what then."""
        with located(lambda: _place_of(reference, draft)):
            if reference.kind == "vars":
                return self._references.variable(reference.label, draft.place.key)
            instances, target = self._references.output(reference.label, draft.place.key)
            identity = action_id(instances.source.name, target)
            if target in instances.dropped:
                if _guarded(reference, draft):
                    return None
                raise ReferenceFault(
                    f"outputs of {reference.label!r} are used in {draft.place.key}, where its condition is false",
                    hint=f"write what holds then: outputs.{reference.label}.{reference.attribute or 'Name'} | default('')",
                )
            if not instances.source.frame.save_outputs:
                raise ReferenceFault(f"outputs of {reference.label!r} are used, and it has SaveOutputs: false")
            upstream = self._by_id.get(identity)
            shape = upstream.shape if upstream else self._stand_in(instances, target, identity)
            _check_output(reference, instances, shape)
            return identity

    def _stand_in(self, instances: Instances, target: str, identity: str) -> Shape:
        """An upstream stack that this run is narrowed away from is read, not changed."""
        place = self._placement.by_key(target)
        shape = self._makers[instances.source.name].shape(place)
        if instances.source.kind != CREATE_STACK:
            raise ReferenceFault(
                f"outputs of {identity!r} are used, and this run is narrowed to other targets",
                hint="widen the Targets of the payload",
            )
        if identity not in self._stand_ins:
            self._stand_ins[identity] = PlanAction(
                id=identity, name=instances.source.name, kind=GET_OUTPUTS, target=target, spec={"StackName": shape.stack_name}
            )
        return shape

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
        shapes = {id(draft.shape): draft.shape for draft in self._by_id.values()}
        files = self._sources.package.files
        return frozenset(text for shape in shapes.values() for text in _texts(shape.spec) if text in files)


class _Condition:
    """The condition of an action; asked once for targets that cannot differ."""

    def __init__(self, action: ActionSource) -> None:
        self._action = action
        text = action.frame.condition
        self._names: frozenset[str] | None = frozenset()
        if text is not None:
            wrapped = text if "{{" in text or "{%" in text else f"{{{{ {text} }}}}"
            self._names = compile_tree(wrapped, lambda _: self._where()).names
        self._answers: dict[Hashable, bool | Deferred] = {}

    def _where(self) -> str:
        return self._action.locate("Condition")

    def answer(self, place: Place) -> bool | Deferred:
        text = self._action.frame.condition
        if text is None:
            return True
        key = place.sharing_key(self._names)
        if key not in self._answers:
            self._answers[key] = render_condition(text, place.context, locate=lambda _: self._where())
        return self._answers[key]


def _place_of(reference: Reference, draft: Draft) -> str:
    path = next(paths_of(draft.shape.spec, reference), None)
    if path is None:
        return draft.source.locate("Condition")
    return draft.source.locate_spec(path)


def _guarded(reference: Reference, draft: Draft) -> bool:
    texts = [text for text in _texts(draft.shape.spec) if reference.label in text]
    if draft.condition and reference in draft.condition.references:
        texts.append(draft.condition.text)
    return all(_GUARD.search(text) for text in texts if "{{" in text or "{%" in text)


def _check_output(reference: Reference, instances: Instances, shape: Shape) -> None:
    outputs = shape.template.outputs if shape.template else None
    if outputs is None or reference.attribute is None or reference.attribute in outputs:
        return
    near = nearest(reference.attribute, outputs)
    known = ", ".join(sorted(outputs)) or "none"
    template = shape.template.path if shape.template else ""
    raise ReferenceFault(
        f"{instances.source.name!r} has no output {reference.attribute!r}",
        hint=f"did you mean {near!r}?" if near else f"outputs of {template}: {known}",
    )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def _joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Two sets of bindings of the same context as one: maps hold only the keys that are used, so they are joined."""
    result = dict(first)
    for key, value in second.items():
        mine = result.get(key)
        result[key] = _joined(mine, value) if isinstance(mine, Mapping) and isinstance(value, Mapping) else value
    return result


def _sorted(wired: list[PlanAction], extra: list[PlanAction]) -> list[PlanAction]:
    """By target, within a target in file order, what the compiler added last."""
    if not extra:
        return wired
    by_target: dict[str, list[PlanAction]] = {}
    for action in (*wired, *sorted(extra, key=lambda action: action.id)):
        by_target.setdefault(action.target, []).append(action)
    return [action for _, actions in sorted(by_target.items()) for action in actions]
