"""What a build is held against before it becomes plans: the tag policy, the guard rails, cfn-lint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from core_lib.component.building import Built
from core_lib.component.guard import Finding, guard, lint_templates, ordered, rulebook, tag_findings, tag_policy
from core_lib.component.model import Component, StageTemplate
from core_lib.db import Facts
from core_lib.deployspec import CompileWarning, Linter
from core_lib.framework.errors import GuardError, TemplateError
from core_lib.framework.models import Level
from core_lib.framework.package import Package

_MOST_SHOWN = 20


def findings_of(built: Built, facts: Facts, package: Package, *, today: date | None = None) -> list[Finding]:
    """What the tag policy and the guard rails find, the worst first; see `guard` for `today`.

    Raises:
        CodecError, SchemaError: rules, a tag policy or a waiver that cannot be read.
    """
    rules = rulebook(facts.values, package.files)
    tags = list(tag_findings(tag_policy(facts.values), facts.tags(Level.BUILD), "deployment"))
    return [*tags, *guard(_templates(built), rules, today=today)]


def lint_findings(built: Built, region: str, linter: Linter) -> list[Finding]:
    """What cfn-lint finds in all templates."""
    return lint_templates(_templates(built), region, linter)


def _templates(built: Built) -> list[tuple[Component, StageTemplate]]:
    return [(compiled.component, template) for compiled in built.components.values() for template in compiled.stages.values()]


def check(built: Built, facts: Facts, package: Package, region: str, linter: Linter | None) -> list[CompileWarning]:
    """Everything that is worth a warning.

    Raises:
        GuardError: a finding of the guard rails blocks, or a required tag is missing.
        TemplateError: cfn-lint finds an error.
    """
    findings = findings_of(built, facts, package)
    _refuse(GuardError, findings, built, "change it, or accept it with its reason: Metadata: {Guard: {RULE: why}}")
    linted = [] if linter is None else lint_findings(built, region, linter)
    _refuse(TemplateError, linted, built, None)
    told = (finding for finding in ordered([*findings, *linted]) if finding.severity == "warning" and finding.waived is None)
    return [CompileWarning(place(finding, built), str(finding)) for finding in told]


def place(finding: Finding, built: Built) -> str:
    """File and line of the definition that a finding is about; the fact for a tag."""
    compiled = built.components.get(finding.component)
    if compiled is None:
        return "facts"
    component = compiled.component
    entries: Mapping[str, Any] = component.entries
    key = max((name for name in entries if finding.resource.startswith(name)), key=len, default=None)
    return component.locate(() if key is None else entries[key].path)


def _refuse(kind: type[GuardError | TemplateError], findings: Iterable[Finding], built: Built, advice: str | None) -> None:
    blocking = [finding for finding in findings if finding.blocks]
    if not blocking:
        return
    first = blocking[0]
    if len(blocking) == 1:
        raise kind(f"{first.where}: {first.rule}: {first.message}", where=place(first, built), hint=first.hint or advice)
    lines = [f"{place(finding, built)}: {finding}" for finding in blocking[:_MOST_SHOWN]]
    if len(blocking) > _MOST_SHOWN:
        lines.append(f"and {len(blocking) - _MOST_SHOWN} more")
    raise kind(f"{len(blocking)} findings block:\n  " + "\n  ".join(lines), where=place(first, built), hint=advice)
