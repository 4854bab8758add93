"""The catalogue: all types that a compile knows, those of the platform and those of the user."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files as resource_files
from importlib.resources.abc import Traversable
from typing import Any

from core_lib.component.library.included import with_included
from core_lib.component.library.types import ComponentType, TypeFile
from core_lib.framework.codecs import canonical_json, load_document, nearest, parse, sha256_hex
from core_lib.framework.errors import CompileError, SchemaError

TYPE_FILE = "type.yaml"
SHARED = "_shared"


class Catalogue:
    """Types by name and alias, and the shared parts that their templates include."""

    def __init__(self, types: Iterable[ComponentType], shared: Mapping[str, bytes]) -> None:
        self.shared = shared
        self.types: dict[str, ComponentType] = {}
        self._aliases: dict[str, tuple[ComponentType, Mapping[str, Any]]] = {}
        for found in types:
            self._add(found)

    def _add(self, added: ComponentType) -> None:
        names = [(added.name, {}), *((alias.type, alias.options) for alias in added.file.aliases)]
        for name, options in names:
            other = self._aliases.get(name)
            if other is not None and other[0].name != added.name:
                raise SchemaError(f"two types are called {name}", where=added.source, hint=f"the other one: {other[0].source}")
            self._aliases[name] = (added, options)
        self.types[added.name] = added

    def find(self, name: str) -> tuple[ComponentType, Mapping[str, Any]]:
        """The type of this name, and the options that the name presets.

        Raises:
            CompileError: there is none; the hint names the nearest.
        """
        found = self._aliases.get(name)
        if found is None:
            near = nearest(name, self._aliases)
            hint = f"did you mean {near}?" if near else "core component list shows all types"
            raise CompileError(f"there is no component type {name}", hint=hint)
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """All names, aliases too, sorted."""
        return tuple(sorted(self._aliases))

    def extended(self, files: Mapping[str, bytes], source: str) -> Catalogue:
        """This catalogue with the types of a user's folder over it; a user's type replaces one of the same name.

        Shared parts of the folder are there for our types too (an agent of one's own, say), but replace none of ours for them,
        nor for what belongs to the whole app: its key is ours to make.

        Args:
            files: the folder's files by their path in it.
            source: the folder, for messages.

        Raises:
            CodecError, SchemaError: a `type.yaml` that cannot be used.
        """
        shared = {**self.shared, **_below(files, f"{SHARED}/")}
        own = tuple(read_types(files, shared, source))
        replaced = {found.name for found in own}
        added = {path: body for path, body in shared.items() if path not in self.shared}
        kept = [_with_shared(found, added) for name, found in self.types.items() if name not in replaced]
        return Catalogue([*kept, *own], {**shared, **self.shared})


def _with_shared(found: ComponentType, added: Mapping[str, bytes]) -> ComponentType:
    """A type that also sees these shared parts."""
    if not added:
        return found
    digest = sha256_hex(canonical_json([found.digest, _digest(added)]))
    return ComponentType(found.file, found.files, {**added, **found.shared}, digest, found.source)


def read_types(files: Mapping[str, bytes], shared: Mapping[str, bytes], source: str) -> Iterator[ComponentType]:
    """Every folder with a `type.yaml` as a type, in path order."""
    shared_digest = _digest(shared)
    for path in sorted(files):
        if path != TYPE_FILE and not path.endswith(f"/{TYPE_FILE}"):
            continue
        folder = path.removesuffix(TYPE_FILE)
        place = f"{source}/{path}"
        own = {name: body for name, body in _below(files, folder).items() if not _is_nested(files, folder, name)}
        read = parse(TypeFile, with_included(load_document(files[path], place), shared))
        digest = sha256_hex(canonical_json([_digest(own), shared_digest]))
        yield ComponentType(read, own, shared, digest, f"{source}/{folder}".rstrip("/"))


def _is_nested(files: Mapping[str, bytes], folder: str, name: str) -> bool:
    """Whether a file belongs to another type whose folder lies in this one."""
    parts = name.split("/")[:-1]
    return any(f"{folder}{'/'.join(parts[: depth + 1])}/{TYPE_FILE}" in files for depth in range(len(parts)))


def _below(files: Mapping[str, bytes], folder: str) -> dict[str, bytes]:
    return {path[len(folder) :]: body for path, body in sorted(files.items()) if path.startswith(folder)}


def _digest(files: Mapping[str, bytes]) -> str:
    return sha256_hex(canonical_json({name: sha256_hex(body) for name, body in files.items()}))


@cache
def builtin_catalogue() -> Catalogue:
    """The platform's own types."""
    files = dict(_walk(resource_files("core_lib.component") / "types", ""))
    shared = _below(files, f"{SHARED}/")
    return Catalogue(read_types(files, shared, "types"), shared)


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            if not entry.name.startswith((".", "__pycache__")):
                yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry.read_bytes()
