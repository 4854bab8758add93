"""Shapes: what CloudFormation's schema of a resource says about a value, as far as a user can write it wrong.

Looked at are names of properties, whether a value is a map, a list or a single value, and words from a fixed list. Lengths,
patterns and what must be there are left to cfn-lint, which sees the finished template. Alternatives (`oneOf`, `anyOf`, `allOf`)
are taken together: what any of them takes is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

import regex

from core_lib.component.resources import resolved, resource_schema

MAP, LIST, SCALAR = "a map", "a list", "a single value"
_KINDS = {"object": MAP, "array": LIST}
_BRANCHES = ("allOf", "anyOf", "oneOf")
_DEEPEST = 20

Node = Mapping[str, Any]


class Shape:
    """What may stand at one place of a resource."""

    def __init__(self, schema: Node, nodes: Iterable[Node]) -> None:
        """`nodes` are the parts of `schema` that may describe the place: one, or several alternatives."""
        written = list(nodes)
        self._schema = schema
        self._below: dict[tuple[str, ...], Shape] = {}
        self._nodes = [part for node in written for part in _together(schema, node, 0)]
        self._described = [*written, *self._nodes]
        self.kinds = self._all_kinds()
        self.words = self._all_words()
        self.names = {name: None for node in self._nodes for name in node.get("properties", {})}
        self._patterns = {pattern: None for node in self._nodes for pattern in node.get("patternProperties", {})}
        self.is_open = self._takes_any_name()
        self.read_only = _read_only(schema) if any(node is schema for node in self._nodes) else frozenset()

    def _all_kinds(self) -> frozenset[str]:
        """The kinds of value that are taken; empty when nothing is said."""
        found: set[str] = set()
        for node in self._nodes:
            types = node.get("type", ())
            found.update(_KINDS.get(name, SCALAR) for name in ([types] if isinstance(types, str) else types))
        if not found and any("properties" in node for node in self._nodes):
            found.add(MAP)
        return frozenset(found)

    def _all_words(self) -> tuple[str, ...] | None:
        """The words that are taken; None when others are too."""
        said = [node for node in self._nodes if "type" in node or "enum" in node]
        if not said or not all("enum" in node for node in said):
            return None
        return tuple(dict.fromkeys(as_word(word) for node in said for word in node["enum"]))

    def _takes_any_name(self) -> bool:
        maps = [node for node in self._nodes if {"properties", "patternProperties", "additionalProperties"} & node.keys()]
        return not any(node.get("additionalProperties") is False for node in maps)

    @property
    def identity(self) -> tuple[int, ...]:
        """Equal for two shapes that are made of the same parts of a schema, which stay in memory."""
        return tuple(id(node) for node in self._nodes)

    @property
    def description(self) -> str | None:
        """The first description that is given."""
        return next((str(node["description"]) for node in self._described if node.get("description")), None)

    @property
    def raw_words(self) -> tuple[Any, ...]:
        """The words as the schema has them: numbers are numbers."""
        return tuple(word for node in self._nodes for word in node.get("enum", ()))

    @property
    def scalars(self) -> frozenset[str]:
        """The JSON types of the single values that are taken."""
        types = (node.get("type", ()) for node in self._nodes)
        return frozenset(name for each in types for name in ([each] if isinstance(each, str) else each)) - _KINDS.keys()

    def patterns(self) -> Iterator[tuple[str, Shape]]:
        """Patterns of names, with the shape of what they name."""
        return ((pattern, self._part("patternProperties", pattern)) for pattern in self._patterns)

    def takes(self, name: str) -> bool:
        """Whether a map here may have a property of this name."""
        return name in self.names or self.is_open or any(_fits(pattern, name) for pattern in self._patterns)

    def below(self, name: str) -> Shape:
        """The shape of a property."""
        if name in self.names:
            return self._part("properties", name)
        pattern = next((each for each in self._patterns if _fits(each, name)), None)
        return self._part("patternProperties", pattern) if pattern is not None else self._part("additionalProperties")

    def _part(self, *steps: str) -> Shape:
        """The shape of what stands under these keys of the schema."""
        found = self._below.get(steps)
        if found is None:
            found = self._below[steps] = Shape(self._schema, self._at(steps))
        return found

    def _at(self, steps: tuple[str, ...]) -> Iterator[Node]:
        for node in self._nodes:
            part: Any = node
            for step in steps:
                part = part.get(step, {}) if isinstance(part, Mapping) else {}
            if isinstance(part, Mapping) and part:
                yield part

    @property
    def writable(self) -> Iterator[str]:
        """The names of the properties that a user may write."""
        return (name for name in self.names if name not in self.read_only)

    @property
    def item(self) -> Shape:
        """The shape of an item of a list."""
        return self._part("items")


def _together(schema: Node, node: Node, depth: int) -> Iterator[Node]:
    """A node with its reference followed, and all its alternatives."""
    found = resolved(schema, node)
    yield found
    if depth < _DEEPEST:
        for branch in _BRANCHES:
            for part in found.get(branch, ()):
                if isinstance(part, Mapping):
                    yield from _together(schema, part, depth + 1)


def _read_only(schema: Node) -> frozenset[str]:
    """Properties that AWS makes and nobody writes."""
    written = {*schema.get("createOnlyProperties", ()), *schema.get("writeOnlyProperties", ())}
    paths = (path for path in schema.get("readOnlyProperties", ()) if path not in written)
    return frozenset(path.removeprefix("/properties/") for path in paths if path.count("/") == 2)


@lru_cache(maxsize=10_000)
def _fits(pattern: str, name: str) -> bool:
    try:
        return regex.search(pattern, name, timeout=0.2) is not None
    except (regex.error, TimeoutError):
        return True


def as_word(value: Any) -> str:
    """A scalar as CloudFormation compares it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@cache
def shape_of(resource: str) -> Shape | None:
    """The shape of a resource type; None when CloudFormation has no such type."""
    schema = resource_schema(resource)
    return None if schema is None else Shape(schema, [schema])
