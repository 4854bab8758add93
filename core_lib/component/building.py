"""From definitions to finished templates and steps: everything about a component but the order of its actions.

Own stages first, because what they `Ref` tells which security groups and roles a component needs; then security; then the
pointers and the release, which hand on what `resources` gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core_lib.component.definitions import Faults, reading
from core_lib.component.functions import Environment, resolve_functions
from core_lib.component.model import ANCHOR, APPLICATION, Compiled, Component, Definitions, Released, StageTemplate, Step, Wire
from core_lib.component.naming import names_of
from core_lib.component.security import Opened, security_stages
from core_lib.component.templates import (
    TAG_SCOPE,
    TASKS,
    Memory,
    StageMaker,
    Surroundings,
    application_type,
    code_stamp,
    inputs_hash,
)
from core_lib.db import Facts
from core_lib.deployspec import CompileWarning
from core_lib.framework.codecs import sha256_hex, to_json
from core_lib.framework.models import Level
from core_lib.framework.package import Package

REPLACED = ("context", "logs", "bake", "resources")
"""Stages that a component does not have when it goes on using what a released build has made."""
OWN_STAGES = ("logs", "bake", "resources")
KEY = Wire(APPLICATION, "kms", "KeyArn")


@dataclass(frozen=True)
class Built:
    """All components by name, `_application` among them.

    `copies` maps artefact keys to files of the package, `opened` says what is allowed to whom.
    """

    components: Mapping[str, Compiled]
    copies: Mapping[str, str]
    opened: tuple[Opened, ...] = ()
    warnings: tuple[CompileWarning, ...] = ()


class Builder:
    """Builds all components of a package. Use once."""

    def __init__(
        self, definitions: Definitions, facts: Facts, package: Package, released: Released, memory: Memory | None = None
    ) -> None:
        self._facts = facts
        self._definitions = definitions
        self._released = released
        self._environment = Environment.of(package, facts.values, definitions.components)
        vpc, subnets = self._environment.network
        self._around = Surroundings(facts.values, definitions.variables, facts.tags(Level.BUILD), vpc, subnets)
        self._tags = {level: facts.tags(level) for level in (Level.APP, Level.BRANCH, Level.BUILD)}
        self._makers: dict[str, StageMaker] = {}
        self._memory = memory or Memory()
        self._read_file = reading(package)
        shared = [code_stamp(), facts.values, definitions.variables, self._around.tags, vpc, subnets]
        self._shared = sha256_hex(to_json(shared))

    def build(self) -> Built:
        """Everything, in name order.

        Raises:
            CoreError: with file and line, and the component.
        """
        faults = Faults("platform/components")
        components: dict[str, Component] = {}
        copies: dict[str, str] = {}
        for name, component in sorted(self._definitions.components.items()):
            resolved = resolve_functions(component, self._environment, faults)
            components[name] = resolved.component
            copies.update(resolved.copies)
            self._makers[name] = self._maker(resolved.component)
        faults.tell()
        stages = {name: self._own_stages(name) for name in components}
        secured = security_stages(
            components, self._around.facts, uses=set(_wires(stages)), security_of=lambda one: self._makers[one.name].security()
        )
        for name, bodies in secured.stages.items():
            for stage, body in bodies.items():
                self._put(stages, name, stage, body)
        built = {name: self._compiled(component, stages[name]) for name, component in components.items()}
        application = self._application()
        if application is not None:
            built = {APPLICATION: application, **built}
        self._memory.save()
        return Built(built, copies, secured.opened, (*self._definitions.warnings, *secured.warnings))

    def _maker(self, component: Component) -> StageMaker:
        build = component.persist_update_version or self._around.fact("Build")
        names = names_of(self._around.facts, component.name, build)
        pages = self._memory.pages(inputs_hash(component, names, self._shared), self._read_file)
        return StageMaker(component, names, self._around, self._read_file, pages)

    def _own_stages(self, name: str) -> dict[str, StageTemplate]:
        stages: dict[str, dict[str, StageTemplate]] = {name: {}}
        for stage in OWN_STAGES:
            self._put(stages, name, stage, self._makers[name].body(stage))
        return stages[name]

    def _put(self, stages: Mapping[str, dict[str, StageTemplate]], name: str, stage: str, body: Mapping[str, Any] | None) -> None:
        maker = self._makers[name]
        tags = dict(self._tags[TAG_SCOPE.get(stage, Level.BUILD)])
        if name != APPLICATION:
            tags["Component"] = name
        template = maker.finished(stage, body, tags)
        if template is not None:
            stages[name][stage] = self._with_known_key(template)

    def _with_known_key(self, template: StageTemplate) -> StageTemplate:
        """The template with the application's key written in, when the facts name one."""
        key = self._known_key()
        if key is None or KEY not in template.parameters.values():
            return template
        values = {name: key if value == KEY else value for name, value in template.parameters.items()}
        return replace(template, parameters=values)

    def _known_key(self) -> str | None:
        kms = self._around.facts.get("Kms")
        key = kms.get("KmsKeyArn") if isinstance(kms, Mapping) else None
        return str(key) if key else None

    def _key_is_here(self) -> bool:
        """Whether the application's key is one of ours and lies in the same account: exports go no further."""
        kms = self._around.facts.get("Kms")
        keeper = kms.get("AwsAccountId") if isinstance(kms, Mapping) else None
        return self._known_key() is None and keeper in (None, self._around.facts.get("AwsAccountId"))

    def _compiled(self, component: Component, own: dict[str, StageTemplate]) -> Compiled:
        maker = self._makers[component.name]
        persisted = self._persisted(component, maker)
        stages = {component.name: own}
        more = self._handed_on(component, own, persisted, maker)
        for stage in ("pointers", "release"):
            self._put(stages, component.name, stage, maker.body(stage, more))
        kept = {stage: template for stage, template in own.items() if persisted is None or stage not in REPLACED}
        steps = self._steps(component, persisted, maker)
        wires = {value for template in kept.values() for value in template.parameters.values() if isinstance(value, Wire)}
        uses = frozenset((wire.owner, wire.stage) for wire in wires if wire.owner != component.name)
        return Compiled(component, kept, steps, uses, persisted, self._retains(component, maker))

    def _handed_on(
        self, component: Component, own: Mapping[str, StageTemplate], persisted: str | None, maker: StageMaker
    ) -> dict[str, Any]:
        """What the shared templates of pointers and release see beside the usual names."""
        resources = own.get("resources")
        outputs = [name for name in (resources.body.get("Outputs", {}) if resources else {}) if name != ANCHOR]
        endpoint = component.type.file.endpoint
        shown = endpoint is not None and endpoint.name in outputs
        anchors = [] if resources is None else [persisted or resources.stack_name]
        anchors += [own[stage].stack_name for stage in ("security", "rules-base") if stage in own]
        anchors += [maker.names.stacks["kms"]] if self._key_is_here() else []
        return {
            "resource_outputs": outputs,
            "resource_stack": anchors[0] if resources is not None else None,
            "anchors": anchors,
            "endpoint": {"Name": endpoint.name, "ZoneId": endpoint.zone_id} if shown and endpoint is not None else None,
        }

    def _persisted(self, component: Component, maker: StageMaker) -> str | None:
        """The stack of the released build that the component goes on using; None when it makes (or updates) its own."""
        if not component.persist or component.persist_update_version is not None:
            return None
        stack = self._released.stacks.get(component.name)
        return None if stack == maker.names.stacks["resources"] else stack

    def _steps(self, component: Component, persisted: str | None, maker: StageMaker) -> dict[str, tuple[Step, ...]]:
        """The steps by task. Those of a teardown are about what there is, under the names that the build gave it that made it."""
        steps = {task: maker.steps(task) for task in TASKS}
        if persisted is not None and steps["teardown"]:
            names = replace(maker.names, build=persisted.removesuffix("-resources"))
            steps["teardown"] = StageMaker(component, names, self._around, self._read_file).steps("teardown")
        return steps

    @staticmethod
    def _retains(component: Component, maker: StageMaker) -> bool:
        told = component.type.file.retains
        return told if isinstance(told, bool) else maker.holds(told, "retains")

    def _application(self) -> Compiled | None:
        """What belongs to the app: its key, unless the facts name one."""
        if self._known_key() is not None:
            return None
        found = application_type(self._definitions.catalogue.shared)
        component = Component(APPLICATION, found, found.name, {}, (), False, None, {}, lambda _path: "facts")
        self._makers[APPLICATION] = self._maker(component)
        stages: dict[str, dict[str, StageTemplate]] = {APPLICATION: {}}
        self._put(stages, APPLICATION, "kms", self._makers[APPLICATION].body("kms"))
        return Compiled(component, stages[APPLICATION], dict.fromkeys(TASKS, ()), frozenset())


def _wires(stages: Mapping[str, Mapping[str, StageTemplate]]) -> Iterator[Wire]:
    for own in stages.values():
        for template in own.values():
            yield from (value for value in template.parameters.values() if isinstance(value, Wire))
