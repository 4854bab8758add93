"""The stages of security of all components of a package: who needs which groups and roles, and which rules go between them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core_lib.component.library.types import SecurityRule
from core_lib.component.model import Component, Entry, Grant, Wire
from core_lib.component.network import network_of
from core_lib.component.security.around import Around
from core_lib.component.security.identities import Body, identity_body
from core_lib.component.security.ingress import is_network
from core_lib.component.security.opened import Opened
from core_lib.component.security.permissions import BASE, Permissions
from core_lib.component.security.ports import PortRules
from core_lib.component.security.sources import Source, Sources
from core_lib.component.wires import wire_of
from core_lib.deployspec import CompileWarning

SECURITY = "security"
SecurityOf = Callable[[Component], SecurityRule]


@dataclass(frozen=True)
class Secured:
    """Bodies of the stages security, rules-base and rules by component, those that have something in them; every rule in words;
    and what is probably not meant."""

    stages: Mapping[str, Mapping[str, Body]]
    opened: tuple[Opened, ...]
    warnings: tuple[CompileWarning, ...]


def _of_type(component: Component) -> SecurityRule:
    return component.type.file.security


def security_stages(
    components: Mapping[str, Component],
    facts: Mapping[str, Any],
    *,
    uses: Collection[Wire] | None = None,
    security_of: SecurityOf = _of_type,
) -> Secured:
    """What the security of all components is made of.

    Args:
        components: after their functions, by name.
        facts: of the deployment.
        uses: the wires of all templates. A security group is made when one of them is its id, or a rule names it; without them,
            always.
        security_of: a component's part of `type.yaml`, rendered; as it is written unless given.

    Raises:
        CoreError: all that is wrong, each with file, line and column.
    """
    listed = {name: components[name] for name in sorted(components)}
    used = None if uses is None else frozenset((wire.owner, wire.output) for wire in uses if wire.stage == SECURITY)
    around = Around(listed, facts, {name: security_of(component) for name, component in listed.items()}, used)
    return _Maker(around).made()


class _Maker:
    def __init__(self, around: Around) -> None:
        self._around = around
        self._sources = Sources(around.components, around.facts)
        self._ports = PortRules(around)
        self._permissions = Permissions(around)

    def made(self) -> Secured:
        """Everything."""
        around = self._around
        for component in around.components.values():
            for entry in component.entries.values():
                for grant in entry.grants:
                    self._grant(component, entry, grant)
        stages: dict[str, dict[str, Body]] = {name: {} for name in around.components}
        self._put_identities(stages)
        for name, rules in self._ports.rules.items():
            stages[name][BASE] = {"Resources": rules}
        self._permissions.put(stages)
        around.findings.faults.tell()
        kept = {name: found for name, found in stages.items() if found}
        return Secured(kept, tuple(around.opened), tuple(around.findings.warnings))

    def _grant(self, component: Component, entry: Entry, grant: Grant) -> None:
        sources: list[Source] = []
        with self._around.findings.gathered(component, grant.path):
            sources = self._sources.of(grant.source)
        if not sources:
            return
        for item in _items(grant):
            if item in self._around.security[component.name].allow:
                self._permissions.allow(component, entry, grant, item, sources)
            elif is_network(item):
                self._ports.open(component, entry, grant, item, sources)
            else:
                self._around.unknown_item(component, entry, grant, item)

    def _put_identities(self, stages: Mapping[str, dict[str, Body]]) -> None:
        around = self._around
        vpc, _ = network_of(around.facts)
        for name, component in around.components.items():
            security = around.security[name]
            groups = [group for group in security.groups if self._needs(name, group)]
            if groups:
                self._check_vpc(component, vpc)
            body = identity_body(component, around.names(name), security, groups, vpc, around.facts)
            if body is not None:
                stages[name][SECURITY] = body

    def _check_vpc(self, component: Component, vpc: Any) -> None:
        """Refuse a security group without a VPC that is there before anything else."""
        made = wire_of(vpc)
        if vpc is None:
            message = "no VPC is known"
            hint = "set the facts VpcAliases and ResourceNamespace of the zone, e.g. VpcAliases: {main: vpc-...}"
        elif made is not None and made.stage == "resources":
            message = f"the VPC is to be made after it, by {made.owner} of the same build"
            hint = "add Scope: release to the fact VpcAliases, and release the network first"
        else:
            return
        self._around.findings.fault(component, ("Type",), f"{component.written_type} needs a security group, and {message}", hint)

    def _needs(self, name: str, group: str) -> bool:
        used = self._around.used
        return used is None or (name, f"{group}Id") in used or (name, group) in self._ports.named


def _items(grant: Grant) -> Iterator[str]:
    """The items of Allow, each once; a text may hold several, with commas between them."""
    yield from dict.fromkeys(item.strip() for text in grant.allow for item in text.split(",") if item.strip())
