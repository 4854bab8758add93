"""What was rendered before: a component whose inputs are all the same is not rendered again.

The inputs are the definition after its functions, the type's folder, the names, the facts, the vars, and this package's own code.
What templates read of the package's files is held against its content. A memory that cannot be read is an empty one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from core_lib.component.model import Component
from core_lib.component.naming import Names
from core_lib.framework.codecs import sha256_hex, to_json
from core_lib.framework.errors import CoreError

_READ = "files"
_MADE = "trees"
_CODE = ("component", "renderer")


class Pages:
    """The trees of one component by what they are for, and the files that were read for them."""

    def __init__(self, known: Mapping[str, Any] | None = None) -> None:
        self._known: Mapping[str, Any] = (known or {}).get(_MADE, {})
        self.trees: dict[str, Any] = {}
        self.files: dict[str, str] = dict((known or {}).get(_READ, {}))
        self.rendered = 0

    def tree(self, name: str, render: Callable[[], Any]) -> Any:
        """The tree of this name, rendered only when it is not known."""
        if name not in self.trees:
            if name in self._known:
                self.trees[name] = self._known[name]
            else:
                self.trees[name] = render()
                self.rendered += 1
        return self.trees[name]

    def read(self, name: str, text: str) -> str:
        """Remember that a file of the package was read; its text."""
        self.files[name] = sha256_hex(text)
        return text

    def data(self) -> dict[str, Any]:
        """As it is kept."""
        return {_MADE: self.trees, _READ: self.files}


class Memory:
    """Pages by the hash of a component's inputs, in one file, or for the life of this object only."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known = _loaded(path)
        self._pages: dict[str, Pages] = {}

    @property
    def rendered(self) -> int:
        """How many trees were rendered, that is: not known."""
        return sum(pages.rendered for pages in self._pages.values())

    def pages(self, key: str, read_file: Callable[[str], str]) -> Pages:
        """The pages of these inputs; empty ones when a file that was read has changed."""
        known = self._known.get(key)
        if known is not None and not all(_is_same(name, digest, read_file) for name, digest in known[_READ].items()):
            known = None
        return self._pages.setdefault(key, Pages(known))

    def save(self) -> None:
        """Keep what this compile used, for the next one; a folder that cannot be written is passed over."""
        if self._path is None or not self.rendered:
            return
        text = json.dumps({key: pages.data() for key, pages in self._pages.items()}, ensure_ascii=False)
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(text, encoding="utf-8")
            draft.replace(self._path)


def inputs_hash(component: Component, names: Names, shared: str) -> str:
    """The hash of all that the trees of a component follow from; `shared` is that of what all components share."""
    entries = {
        key: [entry.properties, entry.metadata, entry.policies, entry.links, entry.agents,
              [[grant.source, grant.allow] for grant in entry.grants]]
        for key, entry in component.entries.items()
    }  # fmt: skip
    own = [component.name, component.written_type, component.type.digest, component.options, component.persist, entries]
    return sha256_hex(to_json([shared, own, names.prn, names.build_name, names.stacks], sort_keys=False))


@cache
def code_stamp() -> str:
    """Changes when this package's own code does, or that of the renderer."""
    root = Path(__file__).parents[2]
    paths = [path for folder in _CODE for path in (root / folder).rglob("*.py")]
    found = sorted((str(path.relative_to(root)), path.stat()) for path in paths)
    return sha256_hex(to_json([[name, stat.st_size, stat.st_mtime_ns] for name, stat in found]))


def _loaded(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and all(_is_page(page) for page in found.values()) else {}


def _is_page(page: Any) -> bool:
    return isinstance(page, dict) and isinstance(page.get(_MADE), dict) and isinstance(page.get(_READ), dict)


def _is_same(name: str, digest: str, read_file: Callable[[str], str]) -> bool:
    try:
        return sha256_hex(read_file(name)) == digest
    except CoreError:  # it is not there any more, or is no text now
        return False
