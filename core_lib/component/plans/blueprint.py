"""What all plans of a compile are made from: the components with their templates, where they go, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from core_lib.component.model import APPLICATION, Compiled, StageTemplate
from core_lib.component.naming import BRANCH_STAGES, Names, names_of, stack_name
from core_lib.component.templates import TAG_SCOPE
from core_lib.db import Facts
from core_lib.deployspec import check_tags
from core_lib.framework.errors import ReferenceFault
from core_lib.framework.models import LEVELS, DeploymentDetails, Level, Prn, Target, branch_short_name

FOREIGN = "prn:"
"""What the owner of a wire begins with when it is a component of another app."""


@dataclass(frozen=True)
class Blueprint:
    """The components of a build by name, and the stages of the whole app.

    Everything goes to `target`, but for the application's key, which lies in `key_target`. `released` is the name of the
    branch's released build, `unfinished` are other builds of the app that hold nothing yet of what they use.
    """

    deployment: DeploymentDetails
    facts: Facts
    target: Target
    key_target: Target
    components: Mapping[str, Compiled]
    application: Mapping[str, StageTemplate]
    released: str | None = None
    unfinished: tuple[Prn, ...] = ()

    @cached_property
    def build(self) -> str:
        """Name of the build."""
        return str(self.facts.values["Build"])

    @cached_property
    def is_released(self) -> bool:
        """Whether the branch's released build is this one."""
        return self.released == self.build

    @cached_property
    def shares_with_unfinished(self) -> bool:
        """Whether another build of the branch uses what the branch shares without holding it."""
        return any(prn.parent == self.deployment.prn.parent for prn in self.unfinished)

    @cached_property
    def key_arn(self) -> str | None:
        """The key that the facts name, which is used instead of one of our own."""
        kms = self.facts.values.get("Kms")
        given = kms.get("KmsKeyArn") if isinstance(kms, Mapping) else None
        return None if given is None else str(given)

    @cached_property
    def _names(self) -> dict[str, Names]:
        return {
            name: names_of(self.facts.values, name, each.component.persist_update_version or self.build)
            for name, each in self.components.items()
        }

    def stack(self, owner: str, stage: str) -> str:
        """The name of the stack of an owner's stage, whether this compile makes it or not.

        Raises:
            ReferenceFault: the owner is a component of another app, and its stage belongs to a build of it.
        """
        if owner.startswith(FOREIGN):
            return _foreign_stack(owner, stage)
        if owner == APPLICATION:
            return self.application[stage].stack_name
        compiled = self.components[owner]
        if compiled.persisted is not None and stage in ("resources", "logs"):
            return f"{compiled.persisted.removesuffix('resources')}{stage}"
        if stage in compiled.stages:
            return compiled.stages[stage].stack_name
        names = self._names[owner]
        return names.stacks.get(stage) or stack_name(names.build, stage)

    def tags(self, owner: str, stage: str) -> dict[str, str]:
        """Tags of the stack of a stage."""
        scope = TAG_SCOPE.get(stage, Level.BUILD)
        return self._tags[scope] if owner == APPLICATION else {**self._tags[scope], "Component": owner}

    @cached_property
    def _tags(self) -> dict[Level, dict[str, str]]:
        return {scope: check_tags(self.facts.tags(scope)) for scope in (Level.APP, Level.BRANCH, Level.BUILD)}


def _foreign_stack(owner: str, stage: str) -> str:
    """The stack of another app's component. Only what a whole branch shares has a name that does not change with each build."""
    _, *segments = owner.split(":")
    if stage not in BRANCH_STAGES or len(segments) != len(LEVELS):
        raise ReferenceFault(
            f"outputs of stage {stage} of {owner} cannot be used from here",
            hint="of another app's component there are the outputs of its released build: prn:portfolio:app:branch:*:component",
        )
    portfolio, app, branch, build, component = segments
    facts = {"Portfolio": portfolio, "App": app, "BranchShortName": branch_short_name(branch), "Build": build}
    return names_of(facts, component, build).stacks[stage]
