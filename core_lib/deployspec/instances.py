"""Instances: which action exists in which target, and what became of those that do not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from core_lib.deployspec.spec_file import ActionSource
from core_lib.framework.models import action_id


@dataclass
class Instances:
    """All instances of one action, by target key (`account/region`), in target order.

    `planned` are in the plan; `dropped` have a condition that is false; `narrowed` exist, but not in this run.
    """

    source: ActionSource
    planned: dict[str, None] = field(default_factory=dict)
    dropped: dict[str, None] = field(default_factory=dict)
    narrowed: dict[str, None] = field(default_factory=dict)

    def ids(self) -> list[str]:
        """Ids of the planned instances."""
        return [action_id(self.source.name, target) for target in self.planned]

    @cached_property
    def by_account(self) -> Mapping[str, tuple[str, ...]]:
        """Existing instances' targets by account id. Ask only when all instances are known."""
        return _group(self.existing, lambda target: target.partition("/")[0])

    @cached_property
    def by_region(self) -> Mapping[str, tuple[str, ...]]:
        """Existing instances' targets by region. Ask only when all instances are known."""
        return _group(self.existing, lambda target: target.partition("/")[2])

    @cached_property
    def existing(self) -> Mapping[str, None]:
        """Planned and narrowed instances' targets. Ask only when all instances are known."""
        return self.planned | self.narrowed


def _group(targets: Iterable[str], key: Callable[[str], str]) -> Mapping[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = {}
    for target in targets:
        groups.setdefault(key(target), []).append(target)
    return {name: tuple(members) for name, members in groups.items()}
