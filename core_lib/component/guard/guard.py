"""The guard: every rule of a book on every template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from core_lib.component.guard.conditions import Scope
from core_lib.component.guard.finding import Finding, ordered
from core_lib.component.guard.limits import over_limits
from core_lib.component.guard.paths import RESOURCE, Place, written
from core_lib.component.guard.rule import OUTPUT, PARAMETER, Rule
from core_lib.component.guard.rulebook import Rulebook
from core_lib.component.guard.values import plain
from core_lib.component.guard.waivers import METADATA, Waiver, about_waivers, waivers_of, written_waivers
from core_lib.component.model import Component, StageTemplate

Owner = Component | str
"""A component, or the name of an owner that has no definition (`_application`)."""

_SECTIONS = (("Parameters", PARAMETER), ("Outputs", OUTPUT))


def guard(templates: Iterable[tuple[Owner, StageTemplate]], rules: Rulebook, *, today: date | None = None) -> list[Finding]:
    """Everything that breaks a rule, or a limit of CloudFormation; what is waived is marked so.

    Args:
        templates: finished templates with their owners.
        rules: the book.
        today: waivers that ended before this day do not count; None: every waiver counts (a compile has no clock).

    Raises:
        SchemaError: a waiver that cannot be read.
    """
    findings: list[Finding] = []
    waivers: dict[str, list[Waiver]] = {}
    for owner, template in templates:
        name = owner if isinstance(owner, str) else owner.name
        if name not in waivers:
            waivers[name] = [] if isinstance(owner, str) else list(waivers_of(owner))
            findings += about_waivers(waivers[name], rules, name, today)
        valid = [waiver for waiver in waivers[name] if today is None or waiver.until is None or waiver.until >= today]
        findings += _of_template(name, template, rules, valid, today)
    return ordered(findings)


def _of_template(
    owner: str, template: StageTemplate, rules: Rulebook, waivers: list[Waiver], today: date | None
) -> Iterator[Finding]:
    resources: Mapping[str, Any] = template.body.get("Resources") or {}
    for finding in _raw(owner, template, resources, rules):
        yield _waived(finding, resources.get(finding.resource), rules, waivers, today)


def _raw(owner: str, template: StageTemplate, resources: Mapping[str, Any], rules: Rulebook) -> Iterator[Finding]:
    by_type = _by_type(resources)
    parameters = _known_parameters(template)
    for logical_id, resource in resources.items():
        scope = Scope(logical_id, resource, by_type, parameters)
        properties = resource.get("Properties") or {}
        for rule in rules.about(resource.get("Type", "")):
            for place, value in rule.broken_by(properties, scope):
                yield _finding(rule.rule, owner, template.stage, logical_id, _from_resource(place), value)
    for section, kind in _SECTIONS:
        about = rules.about(kind)
        for logical_id, node in (template.body.get(section) or {}).items() if about else ():
            scope = Scope(logical_id, node, by_type, parameters)
            for rule in about:
                for place, value in rule.broken_by(node, scope):
                    yield _finding(rule.rule, owner, template.stage, logical_id, place, value)
    yield from _words(owner, template, rules)
    yield from over_limits(owner, template)


def _from_resource(place: Place) -> Place:
    return place[1:] if place[:1] == (RESOURCE,) else ("Properties", *place)


def _words(owner: str, template: StageTemplate, rules: Rulebook) -> Iterator[Finding]:
    if not rules.words:
        return
    for word in rules.words.broken_by(template.body):
        in_resource = len(word.place) > 2 and word.place[0] in ("Resources", "Parameters", "Outputs")
        resource, place = (str(word.place[1]), word.place[2:]) if in_resource else ("", word.place)
        yield _finding(word.rule, owner, template.stage, resource, place, "")
    known = {name: value for name, value in template.parameters.items() if isinstance(value, str)}
    for word in rules.words.broken_by(known):
        yield _finding(word.rule, owner, template.stage, str(word.place[0]), (), "")


def _by_type(resources: Mapping[str, Any]) -> dict[str, list[tuple[str, Mapping[str, Any]]]]:
    found: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for logical_id, resource in resources.items():
        found.setdefault(resource.get("Type", ""), []).append((logical_id, resource))
    return found


def _known_parameters(template: StageTemplate) -> dict[str, Any]:
    """Parameters whose value is known now: given by the compiler, or by default."""
    declared: Mapping[str, Any] = template.body.get("Parameters") or {}
    known = {
        name: node["Default"]
        for name, node in declared.items()
        if isinstance(node, Mapping) and "Default" in node and name not in template.parameters
    }
    return known | {name: value for name, value in template.parameters.items() if isinstance(value, str)}


def _finding(rule: Rule, owner: str, stage: str, resource: str, place: Place, value: Any) -> Finding:
    path = written(place)
    message = rule.message
    if "{" in message:
        shown = "nothing is written" if value is None else plain(value) or "a computed value"
        message = message.replace("{path}", path).replace("{value}", shown)
    return Finding(rule.id, rule.severity, owner, stage, resource, path, message, rule.hint)


def _waived(finding: Finding, resource: Any, rules: Rulebook, waivers: list[Waiver], today: date | None) -> Finding:
    rule = rules.rules.get(finding.rule)
    if rule is None or not rule.waivable:
        return finding
    kind = resource.get("Type") if isinstance(resource, Mapping) else None
    own = (resource.get("Metadata") or {}).get(METADATA) if isinstance(resource, Mapping) else None
    for waiver in (*waivers, *written_waivers(own, finding.where)):
        is_over = today is not None and waiver.until is not None and waiver.until < today
        if not is_over and waiver.covers(finding, kind):
            return replace(finding, waived=waiver.reason)
    return finding
