"""What the guard rails have found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from core_lib.framework.errors import GuardError

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
_MOST_SHOWN = 20


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


def refuse(findings: Iterable[Finding]) -> None:
    """Stop where a finding blocks.

    Raises:
        GuardError: names the findings that block, with what to do about each.
    """
    blocking = [finding for finding in ordered(findings) if finding.blocks]
    if not blocking:
        return
    shown = [str(finding) for finding in blocking[:_MOST_SHOWN]]
    if len(blocking) > _MOST_SHOWN:
        shown.append(f"and {len(blocking) - _MOST_SHOWN} more")
    if len(blocking) == 1:
        first = blocking[0]
        raise GuardError(f"{first.rule}: {first.message}", where=first.where, hint=first.hint)
    raise GuardError(
        f"{len(blocking)} findings block:\n  " + "\n  ".join(shown),
        hint="change the definitions, or accept a finding with its reason: Metadata: {Guard: {RULE: why}}",
    )
