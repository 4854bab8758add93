"""A component type as text: for `core component show`, and (in Markdown) for the manual."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from core_lib.component.library import ComponentType


def type_document(kind: ComponentType) -> dict[str, Any]:
    """Everything that a user of a type needs to know, as data."""
    file = kind.file
    return {
        "Type": file.type,
        "Aliases": {alias.type: alias.options for alias in file.aliases},
        "Group": file.group,
        "Purpose": file.purpose,
        "Page": _text(kind, "page.md"),
        "Configuration": {key: rule.as_dict() for key, rule in file.configuration.items()},
        "Options": file.options,
        "Allow": {name: {"Actions": item.actions, "Resources": item.resources} for name, item in file.security.allow.items()},
        "SecurityGroups": file.security.groups,
        "Roles": tuple(file.security.roles),
        "Outputs": file.outputs,
        "Emulator": file.emulator,
        "Accepted": {**file.lint, **file.guard},
        "Example": _text(kind, "example.yaml"),
    }


def type_text(kind: ComponentType) -> str:
    """The same as plain text."""
    return "\n".join(_lines(kind)).rstrip() + "\n"


def _lines(kind: ComponentType) -> Iterator[str]:
    file = kind.file
    yield f"{file.type}: {file.purpose}"
    if file.aliases:
        yield "also called " + ", ".join(alias.type + _preset(alias.options) for alias in file.aliases)
    if page := _text(kind, "page.md"):
        yield from ("", page.strip())
    yield from _section(
        "Configuration",
        [(key, f"{rule.count:<6} {rule.resource or ''}  {rule.purpose}") for key, rule in file.configuration.items()],
    )
    yield from _section("Options", [(key, option_text(schema)) for key, schema in file.options.items()])
    yield from _section("Rights for others", [(name, ", ".join(item.actions)) for name, item in file.security.allow.items()])
    yield from _section("Outputs", list(file.outputs.items()))
    yield from ("", f"On the emulator: {'deploys' if file.emulator == 'yes' else file.emulator}")
    yield from ("", "Example", *(f"  {line}" for line in _text(kind, "example.yaml").splitlines()))


def _section(title: str, rows: list[tuple[str, str]]) -> Iterator[str]:
    if rows:
        width = max(len(name) for name, _ in rows)
        yield from ("", title, *(f"  {name:<{width}}  {text}" for name, text in rows))


def option_text(schema: Mapping[str, Any]) -> str:
    """An option in one line: what it may be, its default, what it does."""
    kind = " | ".join(str(item) for item in schema["enum"]) if "enum" in schema else str(schema.get("type", "any"))
    default = f", default {json.dumps(schema['default'])}" if "default" in schema else ""
    return f"{kind}{default}: {schema.get('description', '')}".rstrip(": ")


def _preset(options: Mapping[str, Any]) -> str:
    return f" (with {', '.join(f'{key}: {value}' for key, value in options.items())})" if options else ""


def _text(kind: ComponentType, file: str) -> str:
    return kind.files[file].decode() if file in kind.files else ""
