"""The release: the build is looked at first, all of it; then its components take over the names of the branch."""

from __future__ import annotations

from core_lib.component.model import Compiled, Step
from core_lib.component.plans.blueprint import Blueprint
from core_lib.component.plans.checks import CHECK, check_of
from core_lib.component.plans.sheet import BUILD, Sheet, labels_in
from core_lib.framework.models import PlanAction, Task

POINTERS, RELEASE = "pointers", "release"


def release_actions(blueprint: Blueprint) -> tuple[PlanAction, ...]:
    """The actions of a release. Nothing is switched before every component's build was found complete and passed its check.

    Raises:
        GraphError, ReferenceFault, CompileError: as `deploy_actions`.
    """
    return _Release(blueprint).actions()


class _Release:
    def __init__(self, blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        made = frozenset((name, RELEASE) for name, each in blueprint.components.items() if RELEASE in each.stages)
        self._sheet = Sheet(blueprint, Task.RELEASE, made)
        self._looked: list[str] = []

    def actions(self) -> tuple[PlanAction, ...]:
        sheet, components = self._sheet, self._blueprint.components
        start = sheet.joint(BUILD, "start", (), status="IN_PROGRESS")
        self._looked.append(start)
        for name in components:
            self._looked.append(sheet.joint(name, "start", (start,), status="IN_PROGRESS"))
        for name, each in components.items():
            self._look(name, each)
        checked = sheet.joint(BUILD, "checked", self._looked)
        for name, each in components.items():
            self._switch(name, each, checked)
        sheet.joint(BUILD, "complete", [sheet.id_of(name, "complete") for name in components], status="COMPLETE")
        return sheet.actions()

    def _look(self, name: str, compiled: Compiled) -> None:
        """The stacks of the build are there, what its type does first is done, and its own check is passed."""
        sheet = self._sheet
        begun = sheet.id_of(name, "start")
        found = [sheet.read(name, POINTERS, after=(begun,))] if POINTERS in compiled.stages else []
        for step in self._steps(compiled):
            if _comes_first(step):
                found.append(self._step(name, step, [begun, *found]))
        check = check_of(self._blueprint, compiled)
        if check is not None:
            found.append(self._step(name, Step(CHECK, check.kind, check.spec), [begun, *found]))
        self._looked += found

    def _switch(self, name: str, compiled: Compiled, checked: str) -> None:
        sheet = self._sheet
        others = [other for other in compiled.component.depends_on if other in self._blueprint.components]
        ready = [checked, *(sheet.id_of(other, "complete") for other in others)]
        done = [sheet.create(name, compiled.stages[RELEASE], ready)] if RELEASE in compiled.stages else []
        for step in self._steps(compiled):
            if not _comes_first(step):
                done.append(self._step(name, step, [*ready, *done]))
        sheet.joint(name, "complete", [*ready, *done], status="COMPLETE")

    def _step(self, name: str, step: Step, after: list[str]) -> str:
        own = {stage: self._outputs(name, stage) for stage in labels_in(step.spec)}
        return self._sheet.step(name, step, after, own)

    def _outputs(self, name: str, what: str) -> str:
        compiled = self._blueprint.components[name]
        if what == RELEASE or any(step.name == what for step in self._steps(compiled)):
            return self._sheet.id_of(name, what)
        return self._sheet.read(name, what)

    @staticmethod
    def _steps(compiled: Compiled) -> tuple[Step, ...]:
        return tuple(compiled.steps.get("release", ()))


def _comes_first(step: Step) -> bool:
    """Whether a step belongs before the switch: only if it says so."""
    return step.before == RELEASE or step.after == POINTERS
