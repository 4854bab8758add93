"""What the templates of a component see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core_lib.component.model import Component, Entry
from core_lib.component.naming import Names
from core_lib.framework.errors import CompileError
from core_lib.framework.models import Level

_ALIASES = ("facts", "core", "context")


@dataclass(frozen=True)
class Surroundings:
    """What all components of a compile share.

    `vpc` and `subnets` are CloudFormation values (see `functions`), `tags` those of a component without its own name.
    """

    facts: Mapping[str, Any]
    variables: Mapping[str, Any]
    tags: Mapping[str, str]
    vpc: Any
    subnets: Mapping[str, Any]

    def fact(self, name: str) -> str:
        """A fact that must be there, as text.

        Raises:
            CompileError: it is not known.
        """
        value = self.facts.get(name)
        if value is None:
            raise CompileError(f"the fact {name} is needed to compile components", hint="see: core facts PRN --explain")
        return str(value)


def entry_view(entry: Entry | None) -> dict[str, Any]:
    """An entry of a Configuration as templates see it; an empty one for what is not written."""
    if entry is None:
        return {"Properties": {}, "Metadata": {}, "Agents": {}, "Links": {}, "Grants": []}
    return {
        "Properties": entry.properties,
        "Metadata": entry.metadata,
        "Agents": entry.agents,
        "Links": entry.links,
        "Grants": [{"Source": grant.source, "Allow": list(grant.allow)} for grant in entry.grants],
        **entry.policies,
    }


def component_context(component: Component, names: Names, around: Surroundings) -> dict[str, Any]:
    """The names that expressions see, without the sandbox's own functions."""
    written = component.entries
    config = {key: entry_view(written.get(key)) for key in component.type.single_keys}
    config |= {key: entry_view(entry) for key, entry in written.items()}
    found: dict[str, dict[str, Any]] = {pattern: {} for pattern in component.type.patterns}
    for key in written:
        rule = component.type.rule_of(key)
        if rule is not None and rule[0] in found:
            found[rule[0]][key] = config[key]
    own = {
        "vars": around.variables,
        "component": {
            "Name": component.name,
            "Type": component.written_type,
            "Prn": names.prn,
            "Build": names.build_name,
            "Persist": component.persist,
            "Options": component.options,
        },
        "config": config,
        "found": found,
        "written": list(written),
        "names": {"build": names.build, "branch": names.branch, "app": names.app},
        "stacks": names.stacks,
        "dns": names.dns,
        "vpc": None if around.vpc is None else {"Id": around.vpc},
        "subnets": around.subnets,
        "tags": {**around.tags, "Component": component.name},
    }
    return {**dict.fromkeys(_ALIASES, around.facts), **around.facts, **own}


TAG_SCOPE: Mapping[str, Level] = {
    "kms": Level.APP,
    "security": Level.BRANCH,
    "rules-base": Level.BRANCH,
    "release": Level.BRANCH,
}
"""The scope of the tags of a stage; all others are of the build."""
