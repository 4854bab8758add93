"""The generated pages about components: one for each type, the overview, where each deploys, and the rules of the guard rails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from pieces import code, table

from cli.component_pages import option_text
from core_lib.component.guard import SEVERITIES, Rule, builtin_rules
from core_lib.component.library import ComponentType, builtin_catalogue

FOLDER = "reference/components"


def types() -> list[ComponentType]:
    """All types, by group and name."""
    return sorted(builtin_catalogue().types.values(), key=lambda kind: (kind.file.group, kind.name))


def page_of(kind: ComponentType) -> str:
    """Where the page of a type lies."""
    return f"{FOLDER}/{kind.name.replace('::', '-').lower()}.md"


def pages() -> dict[str, str]:
    """The Markdown of every type's page, by path."""
    return {page_of(kind): "\n".join(_page(kind)) + "\n" for kind in types()}


def navigation() -> list[Mapping[str, object]]:
    """The types as entries of the navigation, by group."""
    grouped = groupby(types(), key=lambda kind: kind.file.group)
    return [{group.capitalize(): [{kind.name: page_of(kind)} for kind in kinds]} for group, kinds in grouped]


def component_types() -> str:
    """All types by group, with their other names."""
    rows = [
        (
            kind.file.group, f"[{kind.name}](components/{page_of(kind).rsplit('/', 1)[-1]})", kind.file.purpose,
            ", ".join(code(alias.type) for alias in kind.file.aliases),
        )
        for kind in types()
    ]  # fmt: skip
    return table(("group", "type", "what it makes", "also called"), rows)


def component_emulator() -> str:
    """Where each type's example deploys."""
    rows = [(kind.name, "yes" if kind.file.emulator == "yes" else f"no: {kind.file.emulator}") for kind in types()]
    return table(("type", "deploys on the embedded cloud"), rows)


def guard_rules() -> str:
    """The rules of the guard rails, the worst first."""
    found = sorted(builtin_rules().rules.values(), key=lambda rule: (SEVERITIES.index(rule.severity), rule.id))
    return table(("rule", "severity", "found when", "why", "what to do", "looks at"), [_rule(rule) for rule in found])


def _rule(rule: Rule) -> tuple[str, ...]:
    kinds = ", ".join(code(kind) for kind in rule.for_) or "every text"
    severity = rule.severity if rule.waivable else f"{rule.severity}, cannot be waived"
    return code(rule.id), severity, _safe(rule.message), _safe(rule.why), _safe(rule.hint or ""), kinds


def _page(kind: ComponentType) -> Iterator[str]:
    file = kind.file
    yield from (f"# {file.type}", "", file.purpose, "")
    if file.aliases:
        presets = [f"{code(alias.type)}{_preset(alias.options)}" for alias in file.aliases]
        yield from (f"Also called {', '.join(presets)}.", "")
    yield from (_text(kind, "page.md").strip(), "")
    yield from _section("Example", [f"```yaml\n{_text(kind, 'example.yaml').strip()}\n```"])
    yield from _section("Configuration", _configuration(kind))
    options = [(code(key), _safe(option_text(schema))) for key, schema in file.options.items()]
    yield from _section("Options", [table(("option", "meaning"), options)] if options else [])
    rights = [
        (code(name), ", ".join(code(action) for action in item.actions), ", ".join(code(place) for place in item.resources))
        for name, item in file.security.allow.items()
    ]
    yield from _section("Rights for others", [table(("`Allow`", "actions", "on"), rights)] if rights else [])
    outputs = [(code(name), _safe(meaning)) for name, meaning in file.outputs.items()]
    yield from _section("Outputs", [table(("output", "meaning"), outputs)] if outputs else [])
    yield from _section("Stages", _stages(kind))
    accepted = [(code(rule), _safe(reason)) for rule, reason in {**file.lint, **file.guard}.items()]
    yield from _section("Accepted findings", [table(("rule", "why it is right here"), accepted)] if accepted else [])


def _configuration(kind: ComponentType) -> Iterator[str]:
    rules = kind.file.configuration
    rows = [
        (code(key), rule.count, code(rule.resource) if rule.resource else "", _safe(rule.purpose), ", ".join(rule.security))
        for key, rule in rules.items()
    ]
    if rows:
        yield table(("key", "how many", "resource", "what it is", "`Pipeline::Security`"), rows)
    for key, rule in rules.items():
        for name, reason in rule.refused.items():
            yield f"- {code(key)} takes no {code(name)}: {_safe(reason)}."
        for name, schema in rule.extra.items():
            meaning = option_text(schema) if isinstance(schema, Mapping) else ""
            yield f"- {code(key)} takes {code(name)} besides: {_safe(meaning)}."


def _stages(kind: ComponentType) -> Iterator[str]:
    security = kind.file.security
    groups = ", ".join(code(group) for group in security.groups) or "none"
    roles = ", ".join(code(role) for role in security.roles) or "none"
    stages = ", ".join(code(stage) for stage in kind.file.stages) or "none"
    yield f"Security groups: {groups}. Roles: {roles}. Stages of its own: {stages}."
    steps = [
        (
            task,
            code(step.name),
            code(step.kind),
            f"after {step.after}" if step.after else f"before {step.before}" if step.before else "",
        )
        for task in ("deploy", "release", "teardown")
        for step in getattr(kind.file.steps, task)
    ]
    if steps:
        yield table(("task", "action", "kind", "when"), steps)
    yield f"Embedded cloud: {'its example deploys' if kind.file.emulator == 'yes' else kind.file.emulator}."


def _section(title: str, body: Iterable[str]) -> Iterator[str]:
    found = list(body)
    if found:
        yield from (f"## {title}", "")
        for index, part in enumerate(found):
            follows = index + 1 < len(found) and part.startswith("- ") and found[index + 1].startswith("- ")
            yield from (part,) if follows else (part, "")


def _preset(options: Mapping[str, object]) -> str:
    return f" ({', '.join(f'{key}: {value}' for key, value in options.items())})" if options else ""


def _text(kind: ComponentType, file: str) -> str:
    return kind.files[file].decode() if file in kind.files else ""


def _safe(text: str) -> str:
    """Text within a table or a list: no cell ends, no expressions and tags begin."""
    return " ".join(text.split()).replace("|", "&#124;").replace("<", "&lt;")
