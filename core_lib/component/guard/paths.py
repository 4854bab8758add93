"""Paths into resources: `SecurityGroupIngress[*].CidrIp`.

Name            a property
"aws:Name"      the same, for names with dots or other signs
*               every entry of a map
[*]             every item of a list; what is no list is a list of one, as in IAM policies
**.Name         the property at any depth
$.DeletionPolicy   from the resource, not from its Properties; $id is its logical id
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core_lib.component.guard.values import ABSENT, alternatives, is_function

ITEMS = "[*]"
ENTRIES = "*"
DEPTHS = "**"

RESOURCE = "$"
"""First step of a place that starts at the resource."""

Place = tuple[str | int, ...]

_STEP = re.compile(r'(?:^|\.)(?:"([^"]+)"|(\*\*|\*|[A-Za-z0-9_:-]+))|(\[\*\])')


@dataclass(frozen=True, slots=True)
class Route:
    """A path, taken apart. `from_resource`: it starts at the resource and not at the value that is looked at."""

    steps: tuple[str, ...]
    from_resource: bool = False
    logical_id: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it leads to one value at most."""
        return not any(step in (ITEMS, ENTRIES, DEPTHS) for step in self.steps)


def route(text: str) -> Route:
    """A path as it is written in a rule.

    Raises:
        ValueError: it cannot be read.
    """
    if text == "$id":
        return Route((), logical_id=True)
    from_resource = text.startswith("$.")
    rest = text[2:] if from_resource else text
    steps: list[str] = []
    position = 0
    while position < len(rest):
        match = _STEP.match(rest, position)
        if match is None:
            raise ValueError(f'{text!r} is no path, e.g. Tags[*].Key, Condition."aws:SourceArn"')
        steps.append(match[1] or match[2] or ITEMS)
        position = match.end()
    if not steps:
        raise ValueError("a path is empty")
    return Route(tuple(steps), from_resource)


def found(node: Any, steps: tuple[str, ...], parameters: Mapping[str, Any]) -> Iterator[tuple[Place, Any]]:
    """Everything that a path leads to, with its place below `node`; ABSENT where the last steps lead nowhere.

    A CloudFormation function ends the way: it is given as it stands, for nothing is known of what lies below.
    """
    return _below(node, steps, 0, (), parameters)


def _below(
    node: Any, steps: tuple[str, ...], depth: int, place: Place, parameters: Mapping[str, Any]
) -> Iterator[tuple[Place, Any]]:
    if is_function(node):
        for value in alternatives(node, parameters):
            if value is node:
                yield place, node
            else:
                yield from _below(value, steps, depth, place, parameters)
        return
    if depth == len(steps):
        yield place, node
        return
    step = steps[depth]
    if step == ITEMS:
        yield from _items(node, steps, depth + 1, place, parameters)
    elif step == ENTRIES:
        if isinstance(node, Mapping):
            for name, value in node.items():
                yield from _below(value, steps, depth + 1, (*place, name), parameters)
    elif step == DEPTHS:
        yield from _any_depth(node, steps, depth + 1, place, parameters)
    elif isinstance(node, Mapping) and step in node:
        yield from _below(node[step], steps, depth + 1, (*place, step), parameters)
    elif ITEMS not in steps[depth + 1 :] and ENTRIES not in steps[depth + 1 :]:
        yield (*place, step), ABSENT


def _items(
    node: Any, steps: tuple[str, ...], depth: int, place: Place, parameters: Mapping[str, Any]
) -> Iterator[tuple[Place, Any]]:
    if isinstance(node, list):
        for index, item in enumerate(node):
            for value in alternatives(item, parameters):
                if value is not ABSENT:
                    yield from _below(value, steps, depth, (*place, index), parameters)
    elif node is not ABSENT and node is not None:
        yield from _below(node, steps, depth, place, parameters)


def _any_depth(
    node: Any, steps: tuple[str, ...], depth: int, place: Place, parameters: Mapping[str, Any]
) -> Iterator[tuple[Place, Any]]:
    wanted = steps[depth]
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == wanted:
                yield from _below(value, steps, depth + 1, (*place, name), parameters)
            yield from _any_depth(value, steps, depth, (*place, name), parameters)
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from _any_depth(item, steps, depth, (*place, index), parameters)


def written(place: Place) -> str:
    """`Policies[0].PolicyDocument`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".")
