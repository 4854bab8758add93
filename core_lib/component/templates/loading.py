"""The trees of a type's folder, parsed once in the life of the process."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from core_lib.component.library import ComponentType
from core_lib.component.templates.tree import Tree
from core_lib.framework.codecs import Document, load_document


class Forest:
    """All trees of one type: its own files first, then the shared parts."""

    def __init__(self, found: ComponentType) -> None:
        self._type = found
        self._trees: dict[str, Tree] = {}

    def tree(self, name: str) -> Tree:
        """The tree of a file.

        Raises:
            KeyError: there is no such file.
            CodecError, RenderError, TemplateError: it cannot be used.
        """
        if name not in self._trees:
            self._trees[name] = Tree(load_document(self.content(name), f"{self._type.source}/{name}"), self.tree)
        return self._trees[name]

    def content(self, name: str) -> bytes:
        """A file of the folder, or a shared part. Raises KeyError when there is none."""
        found = self._type.files.get(name)
        return self._type.shared[name] if found is None else found

    def text(self, name: str) -> str:
        """A file as text, for the filter `read_part`. Raises KeyError when there is none."""
        return self.content(name).decode("utf-8-sig")

    def data(self, value: Any, name: str) -> Tree:
        """A tree that stands in `type.yaml`; `name` tells which part of it."""
        key = f"type.yaml#{name}"
        if key not in self._trees:
            self._trees[key] = Tree(Document(value, f"{self._type.source}/{key}"), self.tree)
        return self._trees[key]


@lru_cache(maxsize=1_000)
def forest_of(found: ComponentType) -> Forest:
    """The forest of a type."""
    return Forest(found)
