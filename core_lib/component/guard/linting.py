"""cfn-lint on finished templates, through deployspec's linter, which remembers its findings by content.

Templates of components that are alike differ in names alone: of components, of parameters that stand for outputs of others, of
statements of policies, of resources that are called after a digest. A template is therefore linted with these names replaced by
others, so that thousands of components cost as much as their different shapes; only where that finds an error or a warning it is
linted as it is. What cfn-lint tells for information only is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from core_lib.component.guard.finding import Finding, Severity, ordered
from core_lib.component.guard.guard import Owner
from core_lib.component.model import APPLICATION, StageTemplate, Wire
from core_lib.deployspec.lint import Finding as LintFinding
from core_lib.deployspec.lint import Linter

_WITH_DIGEST = "[A-Z][A-Za-z0-9]*[0-9a-f]{8,}"
_SID = '(?<="Sid": ")[A-Za-z0-9]+'
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
    if not _told(linter.lint(anonymous(text, owner, template.parameters).encode(), [region])):
        return
    lines = text.splitlines()
    for found in _told(linter.lint(text.encode(), [region])):
        resource, path = _place(lines, found)
        severity: Severity = "error" if found.level == "error" else "warning"
        reason = accepted.get(found.rule)
        yield Finding(found.rule, severity, owner, template.stage, resource, path, found.message, None, reason)


def _told(findings: Iterable[LintFinding]) -> list[LintFinding]:
    return [finding for finding in findings if finding.level != "informational"]


def anonymous(text: str, owner: str, parameters: Mapping[str, str | Wire]) -> str:
    """A template's text without the names that are its component's own: equal for components that are alike.

    `orders-7` and `albums-3` both become `xxxxxx-0`; parameters with values of others, statements of policies, and names with
    digests are numbered.
    """
    wires = {name: wire for name, wire in parameters.items() if isinstance(wire, Wire) and wire.owner not in (owner, APPLICATION)}
    owners = {owner, *(wire.owner for wire in wires.values())}
    numbered: dict[str, str] = {}

    def other(match: re.Match[str]) -> str:
        word = match[0]
        if word in owners:
            return _DIGIT.sub("0", _LETTER.sub("x", word))
        known = numbered.get(word)
        if known is None:
            known = numbered[word] = f"{'Value' if word in wires else 'Id'}{len(numbered):08}"
        return known

    names = "|".join(re.escape(name) for name in sorted({*owners, *wires}, key=lambda name: (-len(name), name)))
    return re.sub(rf"(?<![A-Za-z0-9])(?:{names}|{_WITH_DIGEST}|{_SID})(?![A-Za-z0-9])", other, text)


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
