"""The model of a rule file.

A rule looks either at resources (`For`, `Each`, `When`, and one of `Require` or `Forbid`) or at the words of the whole template
(`Text`, `Keys`). An entry with an `Id` that is known already changes the severity of that rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from core_lib.component.guard.conditions import compile_condition
from core_lib.component.guard.finding import Severity
from core_lib.component.guard.paths import route
from core_lib.component.guard.patterns import Pattern
from core_lib.framework.models import Message

PARAMETER, OUTPUT = "Parameter", "Output"
"""What `For` may name beside resource types."""


class Rule(Message):
    """One rule. Conditions are described in docs/guard-rails.md."""

    id: str = Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60, description="Name of the rule, words with hyphens.")
    severity: Severity = Field(default="error", description="error blocks the compile; warning and info are shown.")
    message: str = Field(description="What is wrong, as a sentence; {value} is the value that was found, {path} its place.")
    why: str = Field(description="What can happen.")
    hint: str | None = Field(default=None, description="What to do about it.")
    waivable: bool = Field(default=True, description="Whether a finding can be accepted with a reason.")
    for_: tuple[str, ...] = Field(default=(), alias="For", description="Resource types, with * as a wildcard; Parameter, Output.")
    each: tuple[str, ...] = Field(default=(), description="Paths to what is looked at; default: the Properties.")
    when: Any = Field(default=None, description="Only where this holds.")
    require: Any = Field(default=None, description="This must hold.")
    forbid: Any = Field(default=None, description="This must not hold.")
    text: tuple[str, ...] = Field(default=(), description="Regular expressions that no text of the template may match.")
    keys: str | None = Field(default=None, description="Regular expression of names whose value may not be written out.")
    unless: tuple[str, ...] = Field(default=(), description="For Text and Keys: texts that are fine all the same.")

    @field_validator("for_", "each", "text", "unless", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("when", "require", "forbid")
    @classmethod
    def _is_condition(cls, value: Any) -> Any:
        compile_condition(value)
        return value

    @field_validator("each")
    @classmethod
    def _are_paths(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for path in value:
            route(path)
        return value

    @field_validator("text", "unless")
    @classmethod
    def _are_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            Pattern([pattern])
        return value

    @field_validator("keys")
    @classmethod
    def _is_pattern(cls, value: str | None) -> str | None:
        if value is not None:
            Pattern([value])
        return value

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.text or self.keys:
            if self.for_ or self.each or any(part is not None for part in (self.when, self.require, self.forbid)):
                raise ValueError("a rule has either Text and Keys, or For with Require or Forbid")
        elif not self.for_:
            raise ValueError("a rule needs For (resource types), or Text, or Keys")
        elif (self.require is None) == (self.forbid is None):
            raise ValueError("a rule needs either Require or Forbid")
        return self


class RuleChange(Message):
    """A new severity for a rule that is there already."""

    id: str
    severity: Literal["error", "warning", "info", "off"]
    waivable: bool | None = None


def _kind(entry: Any) -> str:
    """A rule has a message; what has none changes a rule that is there."""
    if isinstance(entry, Mapping):
        return "rule" if "Message" in entry or "message" in entry else "change"
    return "rule" if isinstance(entry, Rule) else "change"


Entry = Annotated[Annotated[Rule, Tag("rule")] | Annotated[RuleChange, Tag("change")], Discriminator(_kind)]


class RuleFile(Message):
    """A file of rules, and of changes of rules."""

    rules: tuple[Entry, ...]


class BuiltinFile(Message):
    """A file of the platform's own rules."""

    rules: tuple[Rule, ...]
