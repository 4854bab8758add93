"""What the guard rails have found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a template breaks, and where.

    `path` is the place in the resource, e.g. `Properties.Policies[0].PolicyDocument`. A finding with `waived` is accepted; the
    text is the reason that was given.
    """

    rule: str
    severity: Severity
    component: str
    stage: str
    resource: str
    path: str
    message: str
    hint: str | None = None
    waived: str | None = None

    @property
    def blocks(self) -> bool:
        """Whether nothing may be deployed with it."""
        return self.severity == "error" and self.waived is None

    @property
    def where(self) -> str:
        """`orders/resources Table Properties.SSESpecification`: as much of it as is known."""
        return " ".join(part for part in (f"{self.component}/{self.stage}", self.resource, self.path) if part)

    def __str__(self) -> str:
        advice = f" ({self.hint})" if self.hint else ""
        return f"{self.where}: {self.rule}: {self.message}{advice}"


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first, then by place; each once."""
    unique = dict.fromkeys(findings)
    return sorted(unique, key=lambda each: (SEVERITIES.index(each.severity), each.where, each.rule, each.message))
