"""The deploy: the key and the security stages of all components first, then each component when those it needs are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core_lib.component.model import APPLICATION, Compiled, Wire
from core_lib.component.plans.blueprint import Blueprint
from core_lib.component.plans.grants import GRANTS, grants_spec
from core_lib.component.plans.sequence import CONTEXT, Sequence, sequence_of
from core_lib.component.plans.sheet import BUILD, Sheet
from core_lib.framework.codecs import nearest
from core_lib.framework.errors import GraphError
from core_lib.framework.models import PlanAction, Task

UPLOAD = "AWS::UploadContext"
CREATE_GRANTS = "AWS::KMS::CreateGrants"


def deploy_actions(blueprint: Blueprint) -> tuple[PlanAction, ...]:
    """The actions of a deploy.

    Raises:
        GraphError: a DependsOn names nobody, or components wait for each other.
        ReferenceFault: an output that nothing provides.
    """
    return _Deploy(blueprint).actions()


class _Deploy:
    def __init__(self, blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        self._sequences = {
            name: sequence_of(each, context=_has_context(blueprint, each)) for name, each in blueprint.components.items()
        }
        self._sheet = Sheet(blueprint, Task.DEPLOY, frozenset(self._made()))

    def _made(self) -> Iterator[tuple[str, str]]:
        for stage in self._blueprint.application:
            yield APPLICATION, stage
        for name, sequence in self._sequences.items():
            for item in sequence.before:
                yield name, item

    def actions(self) -> tuple[PlanAction, ...]:
        sheet, components = self._sheet, self._blueprint.components
        start = sheet.joint(BUILD, "start", (), status="IN_PROGRESS")
        shared = self._application(start)
        for name in components:
            sheet.joint(name, "start", (start,), status="IN_PROGRESS")
        secured = [self._security(name, shared) for name, each in components.items() if "security" in each.stages]
        ready = sheet.joint(BUILD, "secured", [*secured, *shared, start])
        for name, each in components.items():
            self._component(name, each, self._sequences[name], ready)
        sheet.joint(BUILD, "complete", [sheet.id_of(name, "complete") for name in components], status="COMPLETE")
        return sheet.actions()

    def _application(self, start: str) -> list[str]:
        """The application's key, and the grants on it."""
        sheet, application = self._sheet, self._blueprint.application
        made = [sheet.create(APPLICATION, application[stage], (start,)) for stage in sorted(application)]
        references: dict[str, str] = {}
        if "kms" not in application and self._blueprint.key_arn is None:
            return made
        spec = grants_spec(self._blueprint, sheet.text(APPLICATION, Wire(APPLICATION, "kms", "KeyArn"), references))
        if spec is not None:
            made.append(sheet.add(APPLICATION, GRANTS, CREATE_GRANTS, spec, (start,), references=references))
        return made

    def _security(self, name: str, shared: list[str]) -> str:
        template = self._blueprint.components[name].stages["security"]
        return self._sheet.create(name, template, [self._sheet.id_of(name, "start"), *shared])

    def _component(self, name: str, compiled: Compiled, sequence: Sequence, ready: str) -> None:
        sheet = self._sheet
        others = [self._end_of(name, other) for other in sorted(sequence.needs)]
        steps = {step.name: step for step in sequence.steps}
        stages = {item: sheet.id_of(name, item) for item in sequence.before}
        if compiled.persisted is not None and "resources" not in compiled.stages:
            stages["resources"] = sheet.read(name, "resources", after=(sheet.id_of(name, "start"),))
        for item, earlier in sequence.before.items():
            if item == "security":
                continue
            after = [ready, sheet.id_of(name, "start"), *sorted(sheet.id_of(name, each) for each in earlier)]
            after += others if item in sequence.waiting else []
            if item == CONTEXT:
                self._context(name, compiled, after)
            elif item in steps:
                sheet.step(name, steps[item], after, stages)
            else:
                sheet.create(name, compiled.stages[item], after)
        sheet.joint(name, "complete", [ready, sheet.id_of(name, "start"), *stages.values()], status="COMPLETE")

    def _end_of(self, user: str, other: str) -> str:
        """What somebody waits for who needs another component: its pointers."""
        sequence = self._sequences.get(other)
        if sequence is None:
            near = nearest(other, self._sequences)
            raise GraphError(
                f"component {user!r} depends on {other!r}, which is not there",
                where=self._blueprint.components[user].component.locate(("DependsOn",)),
                hint=f"did you mean {near!r}?" if near else None,
            )
        return self._sheet.id_of(other, "pointers" if "pointers" in sequence.before else "complete")

    def _context(self, name: str, compiled: Compiled, after: list[str]) -> None:
        """The context files: what the component's instances read about their surroundings."""
        references: dict[str, str] = {}
        for wire in _wires_of(compiled):
            if (wire.owner, wire.stage) == (name, "security") or wire.owner == APPLICATION:
                self._sheet.text(name, wire, references)
        spec: dict[str, Any] = {**context_place(self._blueprint, name), "Actions": sorted(references)}
        self._sheet.add(name, CONTEXT, UPLOAD, spec, [*after, *references.values()])


def context_place(blueprint: Blueprint, name: str) -> Mapping[str, str]:
    """Where the context files of a component lie."""
    facts = blueprint.facts.values
    owner = facts.get("FilesBucketAccount")
    place = {"BucketName": str(facts["FilesBucketName"]), "Prefix": f"{facts['BuildFilesPrefix']}/{name}"}
    return place if owner is None else {**place, "ExpectedBucketOwner": str(owner)}


def _has_context(blueprint: Blueprint, compiled: Compiled) -> bool:
    """Whether a component has instances that read context files, and there is a bucket for them."""
    if compiled.persisted is not None or "FilesBucketName" not in blueprint.facts.values:
        return False
    return any(role.instance_profile for role in compiled.component.type.file.security.roles.values())


def _wires_of(compiled: Compiled) -> Iterator[Wire]:
    for template in compiled.stages.values():
        yield from (value for value in template.parameters.values() if isinstance(value, Wire))
