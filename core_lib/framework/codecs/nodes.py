"""Nodes: the values of a document together with the places they were written at."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from core_lib.framework.codecs.nearest import spelling
from core_lib.framework.codecs.tags import TaggedValue
from core_lib.framework.errors import CodecError

Path = tuple[str | int, ...]


class Kind(Enum):
    """What a node holds."""

    SCALAR = "scalar"
    LIST = "list"
    MAP = "map"


class Node:
    """One value. `content`: a scalar, a list of nodes, or a map of key -> (key line, key column, node).

    Lines and columns count from 0. `weight` is the number of values below and including this one with all aliases expanded,
    `height` the levels of nesting below it.
    """

    __slots__ = ("column", "content", "height", "kind", "line", "open", "tag", "weight")

    def __init__(self, kind: Kind, content: Any, line: int, column: int, tag: str | None = None) -> None:
        self.kind = kind
        self.content = content
        self.line = line
        self.column = column
        self.tag = tag
        self.weight = 1
        self.height = 0
        self.open = kind is not Kind.SCALAR

    def place(self, path: Path) -> tuple[int, int]:
        """Line and column (from 0) of the value at `path`; of the deepest part that exists when not all of it does.

        Keys may differ in case and underscores from what was written; steps that are not in the document are passed over.
        """
        node, line, column = self, self.line, self.column
        for step in path:
            if node.kind is Kind.MAP:
                entry = node.content.get(str(step)) or _same_spelling(node.content, str(step))
                if entry is not None:
                    line, column, node = entry
            elif node.kind is Kind.LIST and isinstance(step, int) and step < len(node.content):
                node = node.content[step]
                line, column = node.line, node.column
        return line, column


def _same_spelling(content: dict[str, tuple[int, int, Node]], step: str) -> tuple[int, int, Node] | None:
    wanted = spelling(step)
    return next((entry for key, entry in content.items() if spelling(key) == wanted), None)


def construct(node: Node, fault: Callable[[Node, str], CodecError]) -> Any:
    """The plain data of a node: dict, list, scalars and TaggedValue. Aliases become copies, never shared objects."""
    kind = node.kind
    if kind is Kind.SCALAR:
        value = node.content
    elif kind is Kind.MAP:
        value = {key: construct(entry[2], fault) for key, entry in node.content.items()}
    else:
        value = [construct(item, fault) for item in node.content]
    if node.tag is None:
        return value
    try:
        return TaggedValue(node.tag, value)
    except CodecError as error:
        raise fault(node, f"{error.message}{f' ({error.hint})' if error.hint else ''}") from error
