"""IAM rules: what roles of components may do with other components.

A permission is a policy of its own in the stage of the component that it is about, so that whoever depends on that component has
it when his own resources are made. What does not fit into a role that way goes into managed policies in a stage of the role's own
component, as few as possible.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core_lib.component.library.types import Permission
from core_lib.component.model import Component, Entry, Grant
from core_lib.component.security.around import Around
from core_lib.component.security.identities import managed_policies, own_statements
from core_lib.component.security.opened import Opened
from core_lib.component.security.packing import Room, Statements
from core_lib.component.security.policies import USUAL_ROLE, Draft, outputs_in
from core_lib.component.security.sources import Source
from core_lib.component.security.writing import inline_policy, managed_policy
from core_lib.framework.codecs import Path
from core_lib.framework.errors import CompileError

BASE, FINAL = "rules-base", "rules"
Stages = Mapping[str, dict[str, dict[str, Any]]]


@dataclass(frozen=True, order=True)
class _Place:
    """Where a policy lies, and whose role it is for."""

    component: str
    stage: str
    owner: str


class Permissions:
    """Gathers IAM rules."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._drafts: dict[_Place, Draft] = {}
        self._written: dict[_Place, tuple[Component, Path]] = {}
        self._sources: dict[str, Source] = {}
        self._rooms: dict[str, Room] = {}

    def allow(self, component: Component, entry: Entry, grant: Grant, alias: str, sources: Iterable[Source]) -> None:
        """Allow what an alias stands for to all sources."""
        around, findings = self._around, self._around.findings
        if "iam" not in entry.rule.security:
            around.unknown_item(component, entry, grant, alias)
            return
        for source in sources:
            if source.owner is None:
                message = f"{alias} can be allowed to components only, and {source.shown} is none"
                findings.fault(component, grant.path, message)
            elif source.component is not None and around.main_role(source.owner) is None:
                whose = f"{source.owner} ({source.component.written_type})"
                findings.fault(component, grant.path, f"{whose} has no role that could be allowed to {alias}")
            else:
                self._sources.setdefault(source.owner, source)
                self._add(component, entry, grant, alias, source.owner)
                permission = around.security[component.name].allow[alias]
                around.opened.append(
                    Opened(
                        component=component.name, entry=entry.key, source=source.shown, allow=alias, kind="iam",
                        where=component.locate(grant.path), actions=permission.actions, resources=permission.resources,
                    )
                )  # fmt: skip

    def _add(self, component: Component, entry: Entry, grant: Grant, alias: str, owner: str) -> None:
        permission: Permission = self._around.security[component.name].allow[alias]
        place = _Place(component.name, FINAL if outputs_in(permission, entry.key) else BASE, owner)
        self._draft(place, component, grant).allow(permission, component.name, entry.key, alias)
        if permission.key_actions:
            is_here = self._sources[owner].component is not None
            self._draft(_Place(owner, BASE, owner) if is_here else place, component, grant).key_actions.update(
                permission.key_actions
            )

    def _draft(self, place: _Place, component: Component, grant: Grant) -> Draft:
        self._written.setdefault(place, (component, grant.path))
        return self._drafts.setdefault(place, Draft())

    def put(self, stages: Stages) -> None:
        """Put all policies into the bodies of their stages."""
        left: dict[str, list[dict[str, Any]]] = {}
        for place in sorted(self._drafts, key=lambda each: (each.component != each.owner, each)):
            statements = self._drafts[place].listed()
            if self._room(place.owner).takes(statements, self._name_length(place.component)):
                name = self._around.names(place.component).stacks[place.stage]
                key, resource = inline_policy(place.owner, self._role(place.owner), name, statements)
                _put(stages, place.component, place.stage, key, resource)
            elif self._sources[place.owner].component is None:
                component, path = self._written[place]
                message = f"the role of {place.owner} has no room for all that this package allows to it"
                self._around.findings.fault(component, path, message)
            else:
                left.setdefault(place.owner, []).extend(statements)
        for owner, statements in left.items():
            self._put_managed(stages, owner, statements)

    def _put_managed(self, stages: Stages, owner: str, statements: Statements) -> None:
        component = self._around.components[owner]
        longest = max(self._name_length(name) for name in self._around.components)
        try:
            policies = self._room(owner).cut(statements, longest)
        except CompileError as error:
            self._around.findings.fault(component, (), error.message, error.hint)
            return
        for number, policy in enumerate(policies, start=1):
            key, resource = managed_policy(owner, self._role(owner), number, policy)
            _put(stages, owner, FINAL, key, resource)
        message = (
            f"it may do more than the inline policies of a role hold; {len(statements)} permissions are given by managed "
            "policies, after its own resources are made"
        )
        self._around.findings.warn(component, (), message)

    def _room(self, owner: str) -> Room:
        if owner not in self._rooms:
            self._rooms[owner] = self._new_room(owner)
        return self._rooms[owner]

    def _new_room(self, owner: str) -> Room:
        if self._sources[owner].component is None:
            return Room.beside([], 0)
        role = next(iter(self._around.security[owner].roles.values()))
        return Room.beside(own_statements(role, self._around.facts), len(managed_policies(role, self._around.facts)))

    def _role(self, owner: str) -> str:
        """The output of the owner's stage security that has its role's name."""
        return USUAL_ROLE if self._sources[owner].component is None else f"{self._around.main_role(owner)}Name"

    def _name_length(self, component: str) -> int:
        return len(self._around.names(component).build)


def _put(stages: Stages, component: str, stage: str, key: str, resource: dict[str, Any]) -> None:
    stages[component].setdefault(stage, {"Resources": {}})["Resources"][key] = resource
