"""The reference page of action kinds, generated from their classes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from core_lib.execute.action import Action
from core_lib.execute.kinds import Kinds, catalogue
from core_lib.execute.parameters import json_schema


def reference_markdown(kinds: Kinds | None = None) -> str:
    """A Markdown page: for each kind its purpose, parameters, permissions, source and an example."""
    found = catalogue() if kinds is None else kinds
    lines = ["# Action kinds", ""]
    for kind in found.values():
        lines += _section(kind)
    return "\n".join(lines).rstrip() + "\n"


def _section(kind: type[Action[Any]]) -> Iterator[str]:
    yield from (f"## {kind.kind}", "", kind.purpose, "")
    schema = json_schema(kind)
    required = set(schema.get("required", ()))
    properties: Mapping[str, Any] = schema.get("properties", {})
    if properties:
        yield from ("| Parameter | Type | Default | Meaning |", "|---|---|---|---|")
        for name, description in properties.items():
            default = "required" if name in required else _default(description)
            yield f"| `{name}` | {_type(description)} | {default} | {description.get('description', '')} |"
        yield ""
    if kind.example:
        yield from ("```json", json.dumps({"Kind": kind.kind, "Spec": kind.example}, indent=2), "```", "")
    if kind.permissions:
        yield from (f"Permissions: {', '.join(f'`{name}`' for name in kind.permissions)}", "")
    if kind.source:
        yield from (f"Source: <{kind.source}>", "")


def _default(description: Mapping[str, Any]) -> str:
    value = description.get("default")
    return "" if value in (None, {}, []) else f"`{json.dumps(value)}`"


def _type(description: Mapping[str, Any]) -> str:
    if "anyOf" in description:
        return " or ".join(_type(option) for option in description["anyOf"] if option.get("type") != "null")
    if "enum" in description:
        return ", ".join(f"`{value}`" for value in description["enum"])
    if "const" in description:
        return f"`{description['const']}`"
    return {"object": "map", "array": "list"}.get(str(description.get("type", "any")), str(description.get("type", "any")))
