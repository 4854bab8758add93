"""cfn-lint on finished templates, through deployspec's linter, which remembers its findings by content.

Templates of components that are alike differ in their names alone. A template is therefore linted with its owner's name replaced
by one of the same length and signs, so that thousands of components cost as much as their different shapes; only where that
finds something it is linted as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from core_lib.component.guard.finding import Finding, Severity, ordered
from core_lib.component.guard.guard import Owner
from core_lib.component.model import StageTemplate
from core_lib.deployspec.lint import Finding as LintFinding
from core_lib.deployspec.lint import Level, Linter

_SEVERITY: dict[Level, Severity] = {"error": "error", "warning": "warning", "informational": "info"}
_LETTER, _DIGIT = re.compile("[a-z]"), re.compile("[0-9]")


def lint_templates(templates: Iterable[tuple[Owner, StageTemplate]], region: str, linter: Linter) -> list[Finding]:
    """What cfn-lint finds in templates that go to a region; what a type's `Lint` accepts is marked so."""
    findings: list[Finding] = []
    for owner, template in templates:
        name = owner if isinstance(owner, str) else owner.name
        accepted: Mapping[str, str] = {} if isinstance(owner, str) else owner.type.file.lint
        findings += _of_template(name, template, accepted, region, linter)
    return ordered(findings)


def _of_template(
    owner: str, template: StageTemplate, accepted: Mapping[str, str], region: str, linter: Linter
) -> Iterator[Finding]:
    text = json.dumps(template.body, indent=1, ensure_ascii=False)
    if not linter.lint(_anonymous(text, owner).encode(), [region]):
        return
    lines = text.splitlines()
    for found in linter.lint(text.encode(), [region]):
        resource, path = _place(lines, found)
        severity, reason = _SEVERITY[found.level], accepted.get(found.rule)
        yield Finding(found.rule, severity, owner, template.stage, resource, path, found.message, None, reason)


def _anonymous(text: str, owner: str) -> str:
    """The text with another name of the same length and signs: `orders-7` and `albums-3` are both `xxxxxx-0`."""
    other = _DIGIT.sub("0", _LETTER.sub("x", owner))
    return re.sub(rf"(?<![A-Za-z0-9]){re.escape(owner)}(?![A-Za-z0-9])", other, text)


def _place(lines: list[str], found: LintFinding) -> tuple[str, str]:
    """The resource that a line of indented JSON belongs to, and the path to the line in it."""
    way: dict[int, str] = {}
    for line in lines[: found.line]:
        if key := re.match(r'( *)"([^"]+)":', line):
            depth = len(key[1])
            way = {known: name for known, name in way.items() if known < depth}
            way[depth] = key[2]
    steps = list(way.values())
    return (steps[1], ".".join(steps[2:])) if len(steps) > 1 else ("", ".".join(steps))
