"""Wiring: instances that know each other only by name get ids: dependencies, outputs, variables.

A reference to outputs or variables is a dependency too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core_lib.deployspec.contexts import Place
from core_lib.deployspec.derive import CREATE_STACK, GET_OUTPUTS
from core_lib.deployspec.directory import Directory
from core_lib.deployspec.instances import Instances
from core_lib.deployspec.pairing import Pairing
from core_lib.deployspec.places import located
from core_lib.deployspec.references import References
from core_lib.deployspec.shapes import Shape, paths_of
from core_lib.deployspec.spec_file import ActionSource
from core_lib.execute import find_kind
from core_lib.framework.codecs import nearest
from core_lib.framework.errors import ReferenceFault
from core_lib.framework.models import PlanAction, action_id
from core_lib.renderer import Deferred, Reference

_GUARD = re.compile(r"\|\s*(default|d)\b|\bis\s+(not\s+)?(un)?defined\b|\bif\b")


@dataclass(slots=True)
class Draft:
    """One instance on its way into the plan."""

    source: ActionSource
    place: Place
    shape: Shape
    condition: Deferred | None


class Wiring:
    """Makes plan actions of drafts, once all instances are known. `shape_at` gives the shape of an action at a target key."""

    def __init__(
        self,
        instances: Mapping[str, Instances],
        drafts: Mapping[str, Draft],
        pairing: Pairing,
        directory: Directory,
        shape_at: Callable[[str, str], Shape],
    ) -> None:
        self._drafts = drafts
        self._pairing = pairing
        self._references = References(instances, directory)
        self._shape_at = shape_at
        self._stand_ins: dict[str, PlanAction] = {}

    @property
    def added(self) -> list[PlanAction]:
        """Actions that no user wrote: joints of large fan-ins, and upstream stacks that are read instead of changed."""
        return sorted((*self._pairing.joins.values(), *self._stand_ins.values()), key=lambda action: action.id)

    def wire(self, draft: Draft) -> PlanAction:
        """The plan's action of a draft.

        Raises:
            ReferenceFault: an output or variable that nothing provides, or several.
        """
        frame, target = draft.source.frame, draft.place.key
        identity = action_id(frame.name, target)
        depends_on = dict.fromkeys(self._pairing.upstream(frame.name, target))
        references: dict[str, str] = {}
        conditional = draft.condition.references if draft.condition else ()
        for reference in dict.fromkeys((*draft.shape.references, *conditional)):
            upstream, is_planned = self._resolve(reference, draft)
            references[f"vars.{reference.label}" if reference.kind == "vars" else reference.label] = upstream
            if is_planned:
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

    def _resolve(self, reference: Reference, draft: Draft) -> tuple[str, bool]:
        """Id of the instance a reference means, and whether it is in the plan: it may be left out if the text says what then."""
        with located(lambda: _place_of(reference, draft)):
            if reference.kind == "vars":
                return self._references.variable(reference.label, draft.place.key), True
            instances, target = self._references.output(reference.label, draft.place.key)
            identity = action_id(instances.source.name, target)
            if target in instances.dropped:
                if _guarded(reference, draft):
                    return identity, False
                raise ReferenceFault(
                    f"outputs of {reference.label!r} are used in {draft.place.key}, where its condition is false",
                    hint=f"write what holds then: outputs.{reference.label}.{reference.attribute or 'Name'} | default('')",
                )
            if not instances.source.frame.save_outputs:
                raise ReferenceFault(f"outputs of {reference.label!r} are used, and it has SaveOutputs: false")
            upstream = self._drafts.get(identity)
            shape = upstream.shape if upstream else self._stand_in(instances, target, identity)
            _check_output(reference, instances, shape)
            return identity, True

    def _stand_in(self, instances: Instances, target: str, identity: str) -> Shape:
        """An upstream stack that this run is narrowed away from is read, not changed."""
        shape = self._shape_at(instances.source.name, target)
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


def _place_of(reference: Reference, draft: Draft) -> str:
    path = next(paths_of(draft.shape.spec, reference), None)
    if path is None:
        return draft.source.locate("Condition")
    return draft.source.locate_spec(path)


def _guarded(reference: Reference, draft: Draft) -> bool:
    texts = [text for text in texts_of(draft.shape.spec) if reference.label in text]
    if draft.condition and reference in draft.condition.references:
        texts.append(draft.condition.text)
    return all(_GUARD.search(text) for text in texts if "{{" in text or "{%" in text)


def _check_output(reference: Reference, instances: Instances, shape: Shape) -> None:
    outputs = shape.template.outputs if shape.template else find_kind(instances.source.kind).outputs
    if outputs is None or reference.attribute is None or reference.attribute in outputs:
        return
    near = nearest(reference.attribute, outputs)
    known = ", ".join(sorted(outputs)) or "none"
    template = shape.template.path if shape.template else instances.source.kind
    raise ReferenceFault(
        f"{instances.source.name!r} has no output {reference.attribute!r}",
        hint=f"did you mean {near!r}?" if near else f"outputs of {template}: {known}",
    )


def texts_of(value: Any, into: set[str] | None = None) -> set[str]:
    """Every text in a tree, without the keys of its maps."""
    found = set() if into is None else into
    if isinstance(value, str):
        found.add(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            texts_of(item, found)
    elif isinstance(value, (list, tuple)):
        for item in value:
            texts_of(item, found)
    return found


def _joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Two sets of bindings of the same context as one: maps hold only the keys that are used, so they are joined."""
    result = dict(first)
    for key, value in second.items():
        mine = result.get(key)
        result[key] = _joined(mine, value) if isinstance(mine, Mapping) and isinstance(value, Mapping) else value
    return result
