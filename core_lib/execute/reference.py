"""The reference page of action kinds, generated from their classes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from core_lib.execute.action import Action
from core_lib.execute.kinds import Kinds, catalogue
from core_lib.execute.parameters import json_schema
from core_lib.framework.codecs import dump_yaml

_GROUPS = {
    "cloudformation": "Stacks",
    "ec2": "Images",
    "iam": "Users",
    "s3": "Buckets",
    "ssm": "Parameters",
    "lambda": "Work that is done elsewhere",
    "states": "Work that is done elsewhere",
    "codebuild": "Work that is done elsewhere",
    "cloudwatch": "Metrics and alarms",
}
_OTHERS = "Other AWS services"
_SYSTEM = "Order, messages and the web"


def reference_markdown(kinds: Kinds | None = None) -> str:
    """A Markdown page: for each kind its purpose, parameters, permissions, source and an example."""
    found = catalogue() if kinds is None else kinds
    lines = ["# Action kinds", ""]
    for group in dict.fromkeys((*_GROUPS.values(), _OTHERS, _SYSTEM)):
        members = [kind for kind in found.values() if _group(kind) == group]
        lines += [f"## {group}", ""] if members else []
        for kind in members:
            lines += _section(kind)
    return "\n".join(lines).rstrip() + "\n"


def _section(kind: type[Action[Any]]) -> Iterator[str]:
    yield from (f"### {kind.kind}", "", kind.purpose, "")
    if kind.aliases:
        yield from (f"Also called {', '.join(f'`{name}`' for name in kind.aliases)}.", "")
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
        yield from ("```yaml", dump_yaml({"Kind": kind.kind, "Spec": dict(kind.example)}).rstrip(), "```", "")
    yield from _outputs(kind)
    yield from (_ways_back(kind), "")
    if kind.permissions:
        yield from (f"Permissions: {', '.join(f'`{name}`' for name in kind.permissions)}", "")
    if kind.source:
        yield from (f"Source: <{kind.source}>", "")


def _outputs(kind: type[Action[Any]]) -> Iterator[str]:
    if kind.outputs is None:
        yield from ("Outputs: known only at run time.", "")
    elif kind.outputs:
        yield from ("| Output | Meaning |", "|---|---|")
        yield from (f"| `{name}` | {meaning} |" for name, meaning in kind.outputs.items())
        yield ""


def _ways_back(kind: type[Action[Any]]) -> str:
    """What happens to it when a run is cancelled, undone or tried again, from the methods the class has of its own."""
    stops = kind.cancel is not Action.cancel
    returns = kind.undo is not Action.undo
    parts = [
        "It changes nothing, so a plan runs it too." if kind.reads_only else "",
        "When the run is cancelled, it is stopped." if stops else "It cannot be stopped: a cancelled run waits for its end.",
        "`OnFailure: undo` asks it to take back what it did." if returns else "There is nothing to undo.",
        "After trouble with AWS or the network the same step is tried again with the same tokens (`Retry`).",
    ]
    return " ".join(part for part in parts if part)


def _group(kind: type[Action[Any]]) -> str:
    """The group of a kind: by the AWS service it works with."""
    if not kind.kind.startswith("AWS::"):
        return _SYSTEM
    services = [permission.partition(":")[0] for permission in kind.permissions]
    return next((_GROUPS[service] for service in services if service in _GROUPS), _OTHERS)


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
