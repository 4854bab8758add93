"""The model of `type.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from core_lib.framework.models import Message

_AGENT = re.compile(r"agents/([^/]+)\.yaml\Z")
_COUNT = re.compile(r"(\d{1,3})(?:-(\d{1,3}))?\Z")

Group = Literal[
    "compute", "balancers", "databases", "storage", "messaging", "security", "network", "web", "containers", "analytics",
    "developer",
]  # fmt: skip


class Alias(Message):
    """Another name of a type, with options that it presets."""

    type: str
    options: dict[str, Any] = Field(default_factory=dict)


class EntryRule(Message):
    """One key of a Configuration, or all keys that end so (`*Alarm`)."""

    resource: str | None = None
    count: str = "0-1"
    purpose: str
    refused: dict[str, str] = Field(default_factory=dict)
    extra: dict[str, Any] = Field(default_factory=dict)
    loose: bool = False
    plain: bool = False
    """Written without Properties: what stands there is its only property, `Value`."""
    direct: bool = False
    """Its parts may stand in the Configuration itself, without its key, and its Pipeline::Security among its Properties."""
    beside: tuple[str, ...] = ()
    """Properties of `extra` that older definitions write beside Properties."""
    security: tuple[Literal["iam", "network", "addresses"], ...] = ()
    """What a Pipeline::Security on it may hold; `addresses`: network rules for which the template itself lets addresses in."""
    group: str | None = None

    @field_validator("count", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        text = str(value)
        if not _COUNT.match(text):
            raise ValueError(f'{text!r} is no count, e.g. "1", "0-1", "0-20"')
        return text

    @cached_property
    def bounds(self) -> tuple[int, int]:
        """How many of it there are at least and at most."""
        low, _, high = self.count.partition("-")
        return int(low), int(high or low)


class Role(Message):
    """A role of a component. `properties` is a tree with further properties of it, and may say who assumes it."""

    services: tuple[str, ...] = ()
    instance_profile: bool = False
    managed_policies: tuple[str, ...] = ()
    statements: tuple[dict[str, Any], ...] = ()
    properties: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_assumed(self) -> Self:
        if not (self.services or self.properties):
            raise ValueError("a role needs Services, or Properties with an AssumeRolePolicyDocument")
        return self


class Permission(Message):
    """What an IAM alias of a Pipeline::Security stands for."""

    actions: tuple[str, ...] = Field(min_length=1)
    resources: tuple[str, ...] = Field(min_length=1)
    key_actions: tuple[str, ...] = ()


class SecurityRule(Message):
    """What a component has that others are allowed to or from."""

    groups: tuple[str, ...] = ()
    roles: dict[str, Role] = Field(default_factory=dict)
    allow: dict[str, Permission] = Field(default_factory=dict)


class StepRule(Message):
    """One more action, as the type's author wrote it; with `each` one for every key of that pattern, `${Key}` in its texts."""

    name: str
    kind: str
    each: str | None = None
    after: str | None = None
    before: str | None = None
    if_: str | None = Field(default=None, alias="If")
    spec: dict[str, Any] = Field(default_factory=dict)


class Steps(Message):
    """More actions by task."""

    deploy: tuple[StepRule, ...] = Field(default=(), alias="deploy")
    release: tuple[StepRule, ...] = Field(default=(), alias="release")
    teardown: tuple[StepRule, ...] = Field(default=(), alias="teardown")


class Endpoint(Message):
    """Outputs of the stage resources that DNS names point to; with a ZoneId an alias record, else a CNAME."""

    name: str
    zone_id: str | None = None


class TypeFile(Message):
    """`type.yaml`."""

    type: str = Field(pattern=r"^[A-Za-z0-9]+(?:::[A-Za-z0-9_]+)+$")
    aliases: tuple[Alias, ...] = ()
    group: Group
    purpose: str
    options: dict[str, Any] = Field(default_factory=dict)
    configuration: dict[str, EntryRule] = Field(default_factory=dict)
    security: SecurityRule = Field(default_factory=SecurityRule)
    stages: dict[str, str] = Field(default_factory=dict)
    steps: Steps = Field(default_factory=Steps)
    endpoint: Endpoint | None = None
    outputs: dict[str, str] = Field(default_factory=dict)
    retains: bool | str = False
    lint: dict[str, str] = Field(default_factory=dict)
    guard: dict[str, str] = Field(default_factory=dict)
    emulator: str = "yes"

    @field_validator("aliases", mode="before")
    @classmethod
    def _names_too(cls, value: Any) -> Any:
        return tuple({"Type": item} if isinstance(item, str) else item for item in value or ())


COMMON_OPTIONS: dict[str, Any] = {
    "Check": {
        "type": "object",
        "description": "What has to answer before a build is released: a path at its own address, a URL, or a function",
        "properties": {
            "Path": {"type": "string", "pattern": "^/"},
            "Url": {"type": "string", "pattern": "^https?://"},
            "Statuses": {"type": "array", "items": {"type": "integer", "minimum": 100, "maximum": 599}},
            "Within": {"type": "string", "pattern": "^PT?[0-9]"},
            "Lambda": {"type": "string"},
            "Payload": {"type": "object"},
        },
        "additionalProperties": False,
    }
}
"""Options of every type."""


class ComponentType:
    """A type: what its folder holds. `files` are all files of the folder by their path in it."""

    def __init__(self, file: TypeFile, files: Mapping[str, bytes], shared: Mapping[str, bytes], digest: str, source: str) -> None:
        self.file = file
        self.files = files
        self.shared = shared
        self.digest = digest
        """Of the folder and of the shared parts: two equal digests render the same."""
        self.source = source
        """The folder, for messages."""

    @property
    def name(self) -> str:
        """`AWS::DynamoDB`."""
        return self.file.type

    @cached_property
    def options(self) -> dict[str, Any]:
        """JSON Schemas of the options that a component may have: those of every type, and its type's own."""
        return {**COMMON_OPTIONS, **self.file.options}

    @cached_property
    def single_keys(self) -> tuple[str, ...]:
        """Keys of the Configuration that stand for themselves."""
        return tuple(key for key in self.file.configuration if not key.startswith("*"))

    @cached_property
    def patterns(self) -> tuple[str, ...]:
        """Patterns (`*Alarm`), the longest first."""
        found = [key for key in self.file.configuration if key.startswith("*")]
        return tuple(sorted(found, key=lambda key: (-len(key), key)))

    @cached_property
    def direct_key(self) -> str | None:
        """The key whose parts may stand in the Configuration itself."""
        return next((key for key, rule in self.file.configuration.items() if rule.direct), None)

    @cached_property
    def agents(self) -> tuple[str, ...]:
        """The agents that a Pipeline::Agents may name, sorted; `awslogs` is the old name of `cloudwatch`. May be empty."""
        found = {match[1] for path in (*self.shared, *self.files) if (match := _AGENT.match(path))}
        return tuple(sorted(found | {"awslogs"})) if found else ()

    def rule_of(self, key: str) -> tuple[str, EntryRule] | None:
        """The name of the rule (key or pattern) for a key of a Configuration, and the rule."""
        rules = self.file.configuration
        if key in rules and not key.startswith("*"):
            return key, rules[key]
        for pattern in self.patterns:
            if key.endswith(pattern[1:]):
                return pattern, rules[pattern]
        return None

    @property
    def main_group(self) -> str | None:
        """The security group that others' rules name as their source."""
        return self.file.security.groups[0] if self.file.security.groups else None

    @property
    def main_role(self) -> str | None:
        """The role that others' grants go to."""
        return next(iter(self.file.security.roles), None)

    def __repr__(self) -> str:
        return f"ComponentType({self.name!r})"
