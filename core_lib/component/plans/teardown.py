"""The teardown: everything in reverse. What another build still holds on to is looked for first, and stays.

release    when the released build itself is torn down, which somebody insisted on; else only one that still leads to this build:
           of a component that later builds do not have, or of a release that stopped half way
pointers   lets go of the stacks that the build used
resources  deleted, unless another build's pointers import from them: then they persist, with their logs
rules-base shared by the builds of the branch: deleted with the last of them that has it
security   shared by the builds of the branch: deleted with the last of them
kms        shared by the builds of the environment: deleted with the last of them

A build that did not come to an end has no pointers and so holds nothing. While there is one, what it shares stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from core_lib.component.model import APPLICATION, Compiled, Step
from core_lib.component.naming import STAGES
from core_lib.component.plans.blueprint import Blueprint
from core_lib.component.plans.sequence import sequence_of
from core_lib.component.plans.sheet import BUILD, GET_REFERENCES, Sheet, name_of, references_in, unused
from core_lib.framework.models import PlanAction, Task

USERS = "users"
_RELEASED = "released"
_RULES_USERS = "rules-users"
_SECURITY_USERS = "security-users"
_GUARDED_TEXT = re.compile(r"\|\s*(default|d)\b|\bis\s+(not\s+)?(un)?defined\b")


def teardown_actions(blueprint: Blueprint) -> tuple[PlanAction, ...]:
    """The actions of a teardown."""
    return _Teardown(blueprint).actions()


class _Teardown:
    def __init__(self, blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        self._sheet = Sheet(blueprint, Task.TEARDOWN)
        self._users: dict[str, list[str]] = {name: [] for name in blueprint.components}
        for name, each in blueprint.components.items():
            for other in sequence_of(each).needs:
                if other in self._users:
                    self._users[other].append(name)

    def actions(self) -> tuple[PlanAction, ...]:
        sheet, components = self._sheet, self._blueprint.components
        start = sheet.joint(BUILD, "start", (), status="IN_PROGRESS")
        for name in components:
            sheet.joint(name, "start", (start,), status="IN_PROGRESS")
        released = [self._release(name) for name in components]
        unreleased = sheet.joint(BUILD, "unreleased", [start, *released])
        last = [each for name, compiled in components.items() for each in self._build_stages(name, compiled, unreleased)]
        emptied = sheet.joint(BUILD, "emptied", last)
        closed = sheet.joint(BUILD, "closed", [emptied, *(self._base_rules(name, emptied) for name in components)])
        gone = [self._security(name, each, closed) for name, each in components.items()]
        gone += self._key([closed, *gone])
        sheet.joint(BUILD, "complete", [closed, *gone], status="COMPLETE")
        return sheet.actions()

    def _release(self, name: str) -> str:
        sheet = self._sheet
        after = [sheet.id_of(name, "start"), *(sheet.id_of(user, "release") for user in self._users[name])]
        if self._blueprint.is_released:
            return sheet.delete(name, "release", after)
        look = sheet.read(name, "release", what=_RELEASED, after=after, optional=True)
        label = name_of(name, _RELEASED)
        is_ours = f"{{{{ outputs['{label}'].Build | default('') == '{self._blueprint.build}' }}}}"
        return sheet.delete(name, "release", [look], references={label: look}, condition=is_ours)

    def _build_stages(self, name: str, compiled: Compiled, unreleased: str) -> list[str]:
        """Everything of this build alone; the last actions."""
        sheet = self._sheet
        begun = [unreleased, sheet.id_of(name, "start")]
        reads = self._reads(name, compiled, "resources", begun)
        pointers = sheet.delete(name, "pointers", [*begun, *reads.values()])
        others = [sheet.id_of(user, "resources") for user in self._users[name]]
        users = self._look_for_users(name, USERS, "resources", [pointers, *others])
        rules = sheet.delete(name, "rules", [pointers, *others])
        first, then, last = _around_resources(compiled)
        done = self._steps(name, first, reads, users, [users, rules, *others])
        further = [stage for stage in compiled.stages if stage not in STAGES]
        late = [stage for stage in further if self._is_late(compiled, stage)]
        done += [sheet.delete(name, stage, [users, rules, *others], users=users) for stage in late]
        resources = sheet.delete(name, "resources", [users, rules, *others, *done], users=users)
        done = self._steps(name, then, reads, users, [users, resources])
        kept = ["logs", *(stage for stage in further if stage not in late)]
        gone = [sheet.delete(name, stage, [resources, *done], users=users) for stage in kept]
        gone.append(sheet.delete(name, "bake", [resources, *done]))
        return [rules, resources, *done, *gone, *self._steps(name, last, reads, users, [users, *gone])]

    def _base_rules(self, name: str, emptied: str) -> str:
        """The rules between what the branch shares: they go before any of the groups and roles that they name."""
        if self._blueprint.shares_with_unfinished:
            return emptied
        users = self._look_for_users(name, _RULES_USERS, "rules-base", [emptied])
        return self._sheet.delete(name, "rules-base", [users], users=users)

    def _security(self, name: str, compiled: Compiled, closed: str) -> str:
        sheet = self._sheet
        if self._blueprint.shares_with_unfinished:
            return sheet.joint(name, "complete", [closed], status="COMPLETE")
        reads = self._reads(name, compiled, "security", [closed])
        users = self._look_for_users(name, _SECURITY_USERS, "security", [closed])
        first, then = _around_security(compiled)
        done = self._steps(name, first, reads, users, [users])
        security = sheet.delete(name, "security", [users, *done, *reads.values()], users=users)
        done += self._steps(name, then, reads, users, [security])
        return sheet.joint(name, "complete", [security, *done], status="COMPLETE")

    def _key(self, after: list[str]) -> list[str]:
        """The application's key goes with the last build, unless something that it encrypted was kept."""
        blueprint, sheet = self._blueprint, self._sheet
        kms = blueprint.facts.values.get("Kms")
        keeps = isinstance(kms, Mapping) and bool(kms.get("Keep"))
        retains = any(each.retains for each in blueprint.components.values())
        elsewhere = blueprint.key_target.key != blueprint.target.key
        if "kms" not in blueprint.application or keeps or retains or elsewhere or blueprint.unfinished:
            return []
        users = self._look_for_users(APPLICATION, USERS, "kms", after)
        return [sheet.delete(APPLICATION, "kms", [users], users=users)]

    def _look_for_users(self, owner: str, what: str, stage: str, after: list[str]) -> str:
        spec = {"StackName": self._blueprint.stack(owner, stage), "Optional": True}
        return self._sheet.add(owner, what, GET_REFERENCES, spec, after)

    def _reads(self, name: str, compiled: Compiled, around: str, after: list[str]) -> dict[str, str]:
        """Looks at the outputs that the steps around a stage need, while its stacks are still there."""
        groups = _around_security(compiled) if around == "security" else _around_resources(compiled)
        listed = [step for group in groups for step in group]
        labels = sorted({label for step in listed for label, _ in references_in(step.spec)} - {step.name for step in listed})
        return {
            label: self._sheet.read(name, label, what=f"{around}-read-{label}", after=after, optional=True) for label in labels
        }

    def _steps(self, name: str, steps: list[Step], stages: Mapping[str, str], users: str, after: list[str]) -> list[str]:
        """Steps one after the other. They do nothing when the stage stays, or when what they are for is not there."""
        made: dict[str, str] = dict(stages)
        done: list[str] = []
        for step in steps:
            condition = _joined(unused(users), *_known(step))
            identity = self._sheet.step(
                name, step, [*after, *done], made, condition=condition, references={users.partition("@")[0]: users}
            )
            made[step.name] = identity
            done.append(identity)
        return done

    @staticmethod
    def _is_late(compiled: Compiled, stage: str) -> bool:
        return "resources" in sequence_of(compiled).before.get(stage, frozenset())


def _around_resources(compiled: Compiled) -> tuple[list[Step], list[Step], list[Step]]:
    """The steps before the deletion of the resources, those between it and that of the logs, and those after both."""
    first: list[Step] = []
    then: list[Step] = []
    last: list[Step] = []
    for step in compiled.steps.get("teardown", ()):
        if _is_about_security(step):
            continue
        if step.before in ("logs", "bake") or step.after == "resources":
            then.append(step)
        else:
            (last if step.before is None and step.after in ("logs", "bake", "rules-base") else first).append(step)
    return first, then, last


def _around_security(compiled: Compiled) -> tuple[list[Step], list[Step]]:
    """The steps before and after the deletion of the security stage."""
    about = [step for step in compiled.steps.get("teardown", ()) if _is_about_security(step)]
    return [step for step in about if step.before is not None], [step for step in about if step.before is None]


def _is_about_security(step: Step) -> bool:
    return "security" in (step.before, step.after)


def _known(step: Step) -> list[str]:
    """Conditions that the outputs a step needs are there."""
    return [
        f"outputs.{label}.{output} is defined" if label.isidentifier() else f"outputs['{label}'].{output} is defined"
        for label, output in sorted((label, output or "") for label, output in references_in(_unguarded(step.spec)))
        if output
    ]


def _unguarded(value: object) -> object:
    """The spec without the texts that say themselves what holds when an output is missing."""
    if isinstance(value, str):
        return "" if _GUARDED_TEXT.search(value) else value
    if isinstance(value, Mapping):
        return {key: _unguarded(item) for key, item in value.items()}
    return [_unguarded(item) for item in value] if isinstance(value, (list, tuple)) else value


def _joined(first: str, *more: str) -> str:
    inner = first.removeprefix("{{ ").removesuffix(" }}")
    return f"{{{{ {' and '.join((inner, *more))} }}}}"
