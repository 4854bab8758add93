"""A sheet: the actions of one plan while they are collected, and the stacks that they read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from core_lib.component.model import APPLICATION, StageTemplate, Step, Wire
from core_lib.component.plans.blueprint import FOREIGN, Blueprint
from core_lib.execute import find_cycle, find_kind, segments, validate_spec
from core_lib.framework.codecs import nearest
from core_lib.framework.errors import GraphError, ReferenceFault
from core_lib.framework.models import Hook, Level, PlanAction, Task, action_id
from core_lib.renderer import runtime_references

BUILD = "_build"
"""First part of the names of actions that are about the build as a whole."""

CREATE_STACK = "AWS::CreateStack"
DELETE_STACK = "AWS::DeleteStack"
GET_OUTPUTS = "AWS::GetStackOutputs"
GET_REFERENCES = "AWS::GetStackReferences"
NO_OP = "SYSTEM::NoOp"

_SLOW = timedelta(hours=4)
_USUAL = timedelta(hours=1)
_HANDING_ON = frozenset({"pointers", "release"})
"""Stages that hand on all outputs of the resources, whether anybody uses them or not."""
_SLOW_STAGES = frozenset({"resources", "bake"})


def name_of(owner: str, what: str) -> str:
    """Name of an action: `component.stage`."""
    return f"{owner}.{what}"


class Sheet:
    """Collects actions. `made` are the stages and steps, by owner and name, whose outputs this plan's own actions give."""

    def __init__(self, blueprint: Blueprint, task: Task, made: frozenset[tuple[str, str]] = frozenset()) -> None:
        self.blueprint = blueprint
        self._verb = task.value.upper()
        self._made = made
        self._actions: dict[str, PlanAction] = {}
        self._reads: dict[str, PlanAction] = {}
        self._failed = Hook(on=("failed",), status=f"{self._verb}_FAILED")

    def id_of(self, owner: str, what: str) -> str:
        """Id of an action of this plan."""
        blueprint = self.blueprint
        target = blueprint.key_target if owner == APPLICATION else blueprint.target
        return action_id(name_of(owner, what), target.key)

    def add(
        self,
        owner: str,
        what: str,
        kind: str,
        spec: Mapping[str, Any],
        after: Iterable[str],
        *,
        references: Mapping[str, str] | None = None,
        condition: str | None = None,
        timeout: timedelta | None = _USUAL,
        status: str | None = None,
    ) -> str:
        """Add an action; its id. `after` are ids. `status` is an event when it is done: IN_PROGRESS, COMPLETE."""
        identity = self.id_of(owner, what)
        if identity in self._actions:
            raise GraphError(f"there are two actions {name_of(owner, what)!r}", hint="a step may not be called like a stage")
        component = None if owner in (BUILD, APPLICATION) else owner
        hooks = [self._failed] if component is None else [self._failed_of(component), self._failed]
        if status is not None:
            hooks.insert(0, Hook(on=("complete",), status=f"{self._verb}_{status}", component=component))
        self._actions[identity] = PlanAction(
            id=identity,
            name=name_of(owner, what),
            kind=kind,
            target=identity.partition("@")[2],
            depends_on=tuple(dict.fromkeys((*after, *(references or {}).values()))),
            scope=Level.BUILD,
            condition=condition,
            timeout=None if kind == NO_OP else timeout,
            hooks=tuple(hooks),
            spec=dict(spec),
            references=dict(references or {}),
        )
        return identity

    def _failed_of(self, component: str) -> Hook:
        return Hook(on=("failed",), status=f"{self._verb}_FAILED", component=component)

    def joint(self, owner: str, what: str, after: Iterable[str], *, status: str | None = None) -> str:
        """Add a meeting point of dependencies."""
        return self.add(owner, what, NO_OP, {}, after, status=status)

    def create(self, owner: str, template: StageTemplate, after: Iterable[str]) -> str:
        """Add the stack of a stage."""
        references: dict[str, str] = {}
        handed_on = template.stage in _HANDING_ON and self.blueprint.components[owner].persisted is not None
        values = {
            name: self.text(owner, value, references, may_lack=handed_on) if isinstance(value, Wire) else value
            for name, value in template.parameters.items()
        }
        spec = {
            "StackName": template.stack_name,
            "Template": template_path(owner, template.stage),
            "Parameters": values,
            "Tags": self.blueprint.tags(owner, template.stage),
        }
        timeout = _SLOW if template.stage in _SLOW_STAGES else _USUAL
        return self.add(owner, template.stage, CREATE_STACK, spec, after, references=references, timeout=timeout)

    def delete(
        self,
        owner: str,
        stage: str,
        after: Iterable[str],
        *,
        users: str | None = None,
        references: Mapping[str, str] | None = None,
        condition: str | None = None,
    ) -> str:
        """Add the deletion of a stage's stack, whether it is there or not; with `users` only if that action found none."""
        spec = {"StackName": self.blueprint.stack(owner, stage)}
        if users is not None:
            references, condition = {users.partition("@")[0]: users}, unused(users)
        return self.add(owner, stage, DELETE_STACK, spec, after, references=references, condition=condition, timeout=_SLOW)

    def step(
        self,
        owner: str,
        step: Step,
        after: Iterable[str],
        stages: Mapping[str, str],
        *,
        condition: str | None = None,
        references: Mapping[str, str] | None = None,
    ) -> str:
        """Add a step of a component; `stages` are the actions that have the outputs of its own stages and steps, by name."""
        where = self.blueprint.components[owner].component.locate(())
        found = dict(references or {})
        for label in labels_in(step.spec):
            if label not in stages:
                raise ReferenceFault(
                    f"step {step.name!r} of {owner!r} uses outputs of {label!r}, which is not there", where=where
                )
            found[label] = stages[label]
        spec = validate_spec(step.kind, step.spec, allow_runtime=True, where=where)
        kind = find_kind(step.kind).kind
        return self.add(owner, step.name, kind, spec, after, references=found, condition=condition, timeout=_SLOW)

    def read(self, owner: str, stage: str, *, what: str | None = None, after: Iterable[str] = (), optional: bool = False) -> str:
        """Add a look at the outputs of a stage's stack that this plan does not make; once."""
        identity = self.id_of(owner, what or stage)
        if identity not in self._actions:
            spec: dict[str, Any] = {"StackName": self.blueprint.stack(owner, stage)}
            if optional:
                spec["Optional"] = True
            self.add(owner, what or stage, GET_OUTPUTS, spec, after)
        return identity

    def text(self, user: str, wire: Wire, references: dict[str, str], *, may_lack: bool = False) -> str:
        """The run-time text of a wire; what its label stands for is added to `references`.

        With `may_lack` it is empty when a stack that was made by an older definition, or an older type, lacks the output.

        Raises:
            ReferenceFault: nothing of that name is there.
        """
        if wire.owner == APPLICATION and self.blueprint.key_arn is not None:
            return self.blueprint.key_arn
        self._check(user, wire)
        label = name_of(wire.owner, wire.stage)
        if (wire.owner, wire.stage) in self._made:
            references[label] = self.id_of(wire.owner, wire.stage)
        else:
            references[label] = self.read(wire.owner, wire.stage)
        otherwise = " | default('')" if may_lack else ""
        return f"{{{{ outputs['{label}'].{wire.output}{otherwise} }}}}"

    def _check(self, user: str, wire: Wire) -> None:
        if wire.owner.startswith(FOREIGN):
            return
        owner = self.blueprint.components.get(wire.owner)
        stages = self.blueprint.application if wire.owner == APPLICATION else owner.stages if owner is not None else {}
        if wire.stage in stages:
            known = stages[wire.stage].body.get("Outputs") or {}
            if wire.output not in known:
                near = nearest(wire.output, known)
                raise ReferenceFault(
                    f"{name_of(wire.owner, wire.stage)} has no output {wire.output!r}",
                    where=self._where(user),
                    hint=f"did you mean {near!r}?" if near else f"its outputs: {', '.join(sorted(known)) or 'none'}",
                )
            return
        persists = owner is not None and owner.persisted is not None and wire.stage == "resources"
        if not persists and (wire.owner, wire.stage) not in self._made:
            raise ReferenceFault(
                f"{user!r} uses {name_of(wire.owner, wire.stage)}.{wire.output}, and there is no such stage",
                where=self._where(user),
            )

    def _where(self, user: str) -> str | None:
        found = self.blueprint.components.get(user)
        return found.component.locate(()) if found is not None else None

    def actions(self) -> tuple[PlanAction, ...]:
        """All actions, each with its segment.

        Raises:
            GraphError: components wait for each other; tells the ring.
        """
        listed = list(self._actions.values())
        ring = find_cycle({action.id: [each for each in action.depends_on if each in self._actions] for action in listed})
        if ring is not None:
            raise self._ring_error(ring)
        places = segments(listed)
        return tuple(
            action if places[action.id] == action.segment else action.model_copy(update={"segment": places[action.id]})
            for action in listed
        )

    def _ring_error(self, ring: list[str]) -> GraphError:
        names = [identity.partition("@")[0] for identity in ring]
        owners = [name.rpartition(".")[0] for name in names]
        members = [owner for index, owner in enumerate(owners) if index == 0 or owner != owners[index - 1]]
        first = self.blueprint.components.get(members[0])
        what = "the components wait for each other" if len(members) > 1 else f"the stages of {members[0]!r} wait for each other"
        return GraphError(
            f"{what}: {' -> '.join(members if len(members) > 1 else names)}",
            where=first.component.locate(("DependsOn",)) if first is not None else None,
            hint=f"DependsOn and the use of outputs are what they wait for: {' -> '.join(names)}",
        )


def template_path(owner: str, stage: str) -> str:
    """Name of a template among the files of a plan."""
    return f"{owner}/{stage}.yaml"


def unused(users: str) -> str:
    """The condition that the action `users` (GetStackReferences) found nobody."""
    return f"{{{{ not outputs['{users.partition('@')[0]}'].HasReferences }}}}"


def labels_in(value: Any) -> list[str]:
    """Labels of the outputs that the texts of a spec use, sorted."""
    return sorted({reference[0] for reference in references_in(value)})


def references_in(value: Any) -> set[tuple[str, str | None]]:
    """Label and output of everything that the texts of a spec use."""
    if isinstance(value, str):
        return {(each.label, each.attribute) for each in runtime_references(value)} if "{{" in value else set()
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return {reference for item in items for reference in references_in(item)}
