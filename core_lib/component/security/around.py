"""What the makers of rules share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core_lib.component.definitions import shown
from core_lib.component.library.types import SecurityRule
from core_lib.component.model import Component, Entry, Grant
from core_lib.component.naming import Names, names_of
from core_lib.component.security.findings import Findings
from core_lib.component.security.opened import Opened
from core_lib.framework.codecs import nearest


@dataclass
class Around:
    """All components with their part of `type.yaml`, the facts, and what is found on the way.

    `used` has the outputs of the stages security that templates use, by component; None when that is not known.
    """

    components: Mapping[str, Component]
    facts: Mapping[str, Any]
    security: Mapping[str, SecurityRule]
    used: frozenset[tuple[str, str]] | None
    findings: Findings = field(default_factory=Findings)
    opened: list[Opened] = field(default_factory=list)
    _names: dict[str, Names] = field(default_factory=dict)

    def names(self, name: str) -> Names:
        """The names of a component."""
        if name not in self._names:
            build = self.components[name].persist_update_version or str(self.facts["Build"])
            self._names[name] = names_of(self.facts, name, build)
        return self._names[name]

    def main_group(self, name: str) -> str | None:
        """The security group by which others name a component."""
        return next(iter(self.security[name].groups), None)

    def main_role(self, name: str) -> str | None:
        """The role that what a component may do is given to."""
        return next(iter(self.security[name].roles), None)

    def unknown_item(self, component: Component, entry: Entry, grant: Grant, item: str) -> None:
        """Tell that an entry does not offer an item of Allow, and what it offers."""
        offered = [*self.security[component.name].allow] if "iam" in entry.rule.security else []
        near = nearest(item, offered)
        ports = ["a port such as TCP:443"] if {"network", "addresses"} & set(entry.rule.security) else []
        hint = (
            f"did you mean {near}?" if near else f"{component.written_type} offers {', '.join([*offered, *ports]) or 'nothing'}"
        )
        self.findings.fault(component, grant.path, f"{entry.key} has nothing called {shown(item)} to allow", hint)
