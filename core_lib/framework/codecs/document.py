"""Document: data together with the knowledge of where each value was written."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from core_lib.framework.codecs.nodes import Node, Path


class Document:
    """What was read from a file or a message.

    `data` holds dicts with text keys, lists, text, numbers, booleans, None and TaggedValue. `source` names the file for people.
    """

    def __init__(self, data: Any, source: str, node: Callable[[], Node] | None = None) -> None:
        self.data = data
        self.source = source
        self._node = node

    @cached_property
    def _root(self) -> Node | None:
        return self._node() if self._node else None

    def locate(self, path: Path = ()) -> str:
        """`file:line:column` (from 1) of the value at `path`: of its key in a map, of the item itself in a list.

        Steps that do not exist are passed over, so the place of a missing key is that of the map it is missing from.
        """
        if self._root is None:
            return self.source
        line, column = self._root.place(path)
        return f"{self.source}:{line + 1}:{column + 1}"

    def value(self, path: Path) -> Any:
        """The value at `path`. Raises KeyError or IndexError when there is none."""
        value = self.data
        for step in path:
            value = value[step]
        return value

    def holding(self, data: Any) -> Document:
        """Other data that is told to lie where this document's lies."""
        return Document(data, self.source, self._node)

    def __repr__(self) -> str:
        return f"Document({self.source!r})"
