"""Waivers: findings that somebody accepts, with the reason.

Three places: the type's `Guard` (for whatever the type makes), the metadata of an entry of a component (`Metadata: {Guard: {RULE:
why}}`, for the resources made from that entry), and the metadata of a resource of a template. A waiver is a reason, or
`{Reason: why, Until: 2027-01-31}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from core_lib.component.guard.finding import Finding
from core_lib.component.guard.rulebook import Rulebook
from core_lib.component.model import Component
from core_lib.framework.codecs import nearest
from core_lib.framework.errors import SchemaError

METADATA = "Guard"


@dataclass(frozen=True, slots=True)
class Waiver:
    """A reason to accept what breaks a rule.

    `entry` is the key of the Configuration it stands at (None: it counts for the whole type), `siblings` are the other keys.
    """

    rule: str
    reason: str
    until: date | None
    where: str
    entry: str | None = None
    resource_type: str | None = None
    siblings: tuple[str, ...] = ()

    def covers(self, finding: Finding, resource_type: str | None) -> bool:
        """Whether a finding is of its rule, and of a resource made from its entry."""
        if finding.rule != self.rule:
            return False
        if self.entry is None:
            return True
        if finding.resource.startswith(self.entry):
            return True
        is_of_sibling = bool(finding.resource) and finding.resource.startswith(self.siblings)
        return resource_type is not None and resource_type == self.resource_type and not is_of_sibling


def waivers_of(component: Component) -> Iterator[Waiver]:
    """The waivers of a component's type and of its entries.

    Raises:
        SchemaError: one without a reason, or with a date that is none.
    """
    for rule, reason in component.type.file.guard.items():
        yield Waiver(rule, reason, None, component.type.source)
    for key, entry in component.entries.items():
        where = component.locate((*entry.path, "Metadata", METADATA))
        for found in written_waivers(entry.metadata.get(METADATA), where):
            others = tuple(other for other in component.entries if other != key)
            yield replace(found, entry=key, resource_type=entry.rule.resource, siblings=others)


def written_waivers(written: Any, where: str) -> Iterator[Waiver]:
    """The waivers of a `Guard` in metadata.

    Raises:
        SchemaError: see waivers_of.
    """
    if written is None:
        return
    if not isinstance(written, Mapping):
        raise SchemaError("Guard is a map of rules and reasons", where=where, hint='e.g. Guard: {open-ingress: "a public site"}')
    for rule, given in written.items():
        reason, until = (given.get("Reason"), given.get("Until")) if isinstance(given, Mapping) else (given, None)
        if not isinstance(reason, str) or not reason.strip():
            raise SchemaError(f"the waiver of {rule} has no reason", where=where, hint="say why the finding is right here")
        yield Waiver(rule, " ".join(reason.split()), _date(until, rule, where), where)


def _date(until: Any, rule: str, where: str) -> date | None:
    if until is None:
        return None
    try:
        return date.fromisoformat(str(until))
    except ValueError:
        raise SchemaError(f"the waiver of {rule} ends on no date: {until!r:.40}", where=where, hint="e.g. 2027-01-31") from None


def about_waivers(waivers: list[Waiver], book: Rulebook, component: str, today: date | None) -> Iterator[Finding]:
    """What is wrong with the waivers themselves: an unknown rule, one that cannot be waived, a date that has passed."""
    for waiver in waivers:
        rule = book.rules.get(waiver.rule)
        if rule is None:
            near = nearest(waiver.rule, book.rules)
            hint = f"did you mean {near}?" if near else "core component rules shows all rules"
            yield _about(waiver, "waiver-unknown", component, f"there is no rule {waiver.rule} to waive", hint)
        elif not rule.waivable:
            yield _about(waiver, "waiver-refused", component, f"{waiver.rule} cannot be waived", rule.hint)
        elif today is not None and waiver.until is not None and waiver.until < today:
            message = f"the waiver of {waiver.rule} ended on {waiver.until.isoformat()}"
            yield _about(waiver, "waiver-ended", component, message, "renew it with a new date, or mend what it was about")


def _about(waiver: Waiver, rule: str, component: str, message: str, hint: str | None) -> Finding:
    return Finding(rule, "warning", component, "definition", waiver.entry or "", waiver.where, message, hint)
