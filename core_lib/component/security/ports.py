"""Network rules: ports of components that are opened to others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from core_lib.component.definitions import shown
from core_lib.component.model import Component, Entry, Grant
from core_lib.component.security.around import Around
from core_lib.component.security.ingress import RULES_OF_A_GROUP, Ports, ingress_of, ports_of
from core_lib.component.security.opened import Opened
from core_lib.component.security.sources import Source
from core_lib.framework.errors import RenderError


class PortRules:
    """Gathers network rules. `named` are the groups that rules name: they must be there."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._counts: Counter[tuple[str, str]] = Counter()
        self.named: set[tuple[str, str]] = set()
        self.rules: dict[str, dict[str, Any]] = {}

    def open(self, component: Component, entry: Entry, grant: Grant, item: str, sources: Iterable[Source]) -> None:
        """Open what an item of Allow says to all sources."""
        if "addresses" in entry.rule.security:
            self._told(component, entry, grant, item, sources)
            return
        group = entry.rule.group or self._around.main_group(component.name)
        if "network" not in entry.rule.security or group is None:
            offered = ", ".join(self._around.security[component.name].allow) or "nothing"
            message = f"{entry.key} has no port that {shown(item)} could open"
            self._around.findings.fault(component, grant.path, message, f"it offers {offered}")
            return
        ports = self._ports(component, grant, item)
        if ports is None:
            return
        self.named.add((component.name, group))
        for source in sources:
            if source.component is None or self._has_group(component, grant, source.component):
                self._add(component, entry, grant, group, source, ports)

    def _ports(self, component: Component, grant: Grant, item: str) -> Ports | None:
        try:
            return ports_of(item)
        except RenderError as error:
            self._around.findings.fault(component, grant.path, error.message, error.hint)
            return None

    def _told(self, component: Component, entry: Entry, grant: Grant, item: str, sources: Iterable[Source]) -> None:
        """What the component's own template opens to addresses."""
        ports = self._ports(component, grant, item)
        for source in sources:
            if not source.ingress.startswith("Cidr"):
                message = f"{entry.key} can be opened to addresses only, and {source.shown} is none"
                self._around.findings.fault(component, grant.path, message, "write an address range, or an alias of ranges")
            elif ports is not None:
                self._open(component, entry, grant, source, ports)

    def _has_group(self, component: Component, grant: Grant, source: Component) -> bool:
        """Whether the source has a group that a rule can name."""
        findings, group = self._around.findings, self._around.main_group(source.name)
        if group is None:
            findings.fault(
                component,
                grant.path,
                f"{source.name} ({source.written_type}) has no security group that a port could be opened to",
                "name the component that connects, or addresses",
            )
            return False
        if self._around.used is not None and (source.name, f"{group}Id") not in self._around.used:
            message = f"{source.name} is opened a port to, and has nothing in the VPC that could connect"
            findings.warn(component, grant.path, message)
        self.named.add((source.name, group))
        return True

    def _add(self, component: Component, entry: Entry, grant: Grant, group: str, source: Source, ports: Ports) -> None:
        why = f": {source.note}" if source.note else ""
        purpose = f"{source.shown} by {ports.text} to {entry.key} of {component.name}{why}"
        logical_id, rule = ingress_of(component.name, group, source, ports, purpose)
        rules = self.rules.setdefault(component.name, {})
        if logical_id not in rules:
            rules[logical_id] = rule
            self._count(component, grant, group, source)
        if source.is_everyone and not ports.is_web:
            message = f"{ports.text} of {entry.key} is opened to the whole internet"
            self._around.findings.warn(component, grant.path, message)
        self._open(component, entry, grant, source, ports)

    def _open(self, component: Component, entry: Entry, grant: Grant, source: Source, ports: Ports) -> None:
        self._around.opened.append(
            Opened(
                component=component.name, entry=entry.key, source=source.shown, allow=ports.text, kind="network",
                where=component.locate(grant.path), protocol=ports.protocol, ports=ports.span, is_everyone=source.is_everyone,
            )
        )  # fmt: skip

    def _count(self, component: Component, grant: Grant, group: str, source: Source) -> None:
        """Count a rule; those of IPv6 have a limit of their own."""
        key = (component.name, f"{group}, IPv6" if source.ingress == "CidrIpv6" else group)
        self._counts[key] += 1
        if self._counts[key] == RULES_OF_A_GROUP + 1:
            message = f"more than {RULES_OF_A_GROUP} rules of {key[1]}: AWS refuses them unless the account's quota was raised"
            self._around.findings.warn(component, grant.path, message)
