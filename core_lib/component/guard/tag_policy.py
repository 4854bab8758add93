"""The organization's tag policy: the fact `TagPolicy`, a list of tags that everything must carry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, field_validator

from core_lib.component.guard.finding import Finding
from core_lib.framework.codecs import Document, parse
from core_lib.framework.models import Message

FACT = "TagPolicy"
_WHERE_TO_SET = "set it in the fact Tags (of the portfolio, the app or the zone), or in DeploymentDetails.Tags of the request"


class TagRule(Message):
    """What the organization asks of a tag."""

    name: str = Field(min_length=1, max_length=128)
    required: bool = True
    description: str = ""
    allowed_values: tuple[str, ...] = ()
    matches: str | None = None

    @field_validator("matches")
    @classmethod
    def _is_pattern(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"{value!r} is no regular expression: {error}") from error
        return value

    def fault(self, tags: Mapping[str, str]) -> str | None:
        """What is wrong with the tag, in words."""
        value = tags.get(self.name)
        meaning = f" ({self.description.rstrip('.')})" if self.description else ""
        if not value:
            other = next((name for name in tags if name.lower() == self.name.lower() and name != self.name), None)
            spelled = f"; there is {other}, and tags tell capitals apart" if other else ""
            return f"the tag {self.name}{meaning} is missing{spelled}" if self.required else None
        if self.allowed_values and value not in self.allowed_values:
            return f"the tag {self.name}{meaning} is {value!r}, allowed are {', '.join(self.allowed_values)}"
        if self.matches and not re.fullmatch(self.matches, value):
            return f"the tag {self.name}{meaning} is {value!r}, which does not match {self.matches}"
        return None


class _Policy(Message):
    tag_policy: tuple[TagRule, ...]


def tag_policy(facts: Mapping[str, Any]) -> tuple[TagRule, ...]:
    """The tag policy of the facts; empty when there is none.

    Raises:
        SchemaError: the fact cannot be read.
    """
    given = facts.get(FACT)
    return parse(_Policy, Document({FACT: given}, f"fact {FACT}")).tag_policy if given else ()


def tag_findings(policy: tuple[TagRule, ...], tags: Mapping[str, str], component: str) -> Iterator[Finding]:
    """What a component's tags lack; every finding blocks."""
    for rule in policy:
        if fault := rule.fault(tags):
            yield Finding("tag-policy", "error", component, "definition", "", f"Tags.{rule.name}", fault, _WHERE_TO_SET)
