"""Artefacts in a folder: for laptops, tests, and shared file systems."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core_lib.framework.errors import ArtefactError
from core_lib.helper.artefacts.contract import check_key, missing

_TEMPORARY = ".tmp-"


class FolderStore:
    """A store in a folder. Files are written beside their place and moved there, so nobody ever sees half a file."""

    def __init__(self, root: Path) -> None:
        self._root = root.expanduser().absolute()

    @property
    def location(self) -> str:
        """The folder."""
        return str(self._root)

    def ensure(self) -> None:
        """See `ArtefactStore.ensure`."""
        with self._errors("the folder"):
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str | None = None,  # noqa: ARG002 - part of the contract
        if_absent: bool = False,
    ) -> bool:
        """See `ArtefactStore.put`; a folder keeps no content types."""
        path = self._path(key)
        with self._errors(key):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._refuse_escape(path.parent, key)
            if if_absent and path.exists():
                return False
            temporary = path.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"
            try:
                _write(temporary, body)
                return _move(temporary, path, if_absent=if_absent)
            finally:
                temporary.unlink(missing_ok=True)

    def get(self, key: str) -> bytes:
        """See `ArtefactStore.get`."""
        path = self._path(key)
        with self._errors(key):
            self._refuse_escape(path, key)
            if not path.is_file():
                raise missing(key, self.location)
            return path.read_bytes()

    def exists(self, key: str) -> bool:
        """See `ArtefactStore.exists`."""
        path = self._path(key)
        with self._errors(key):
            self._refuse_escape(path, key)
            return path.is_file()

    def list(self, prefix: str = "") -> Iterator[str]:
        """See `ArtefactStore.list`."""
        folder = prefix.rpartition("/")[0]
        start = self._path(folder) if folder else self._root
        with self._errors(prefix):
            self._refuse_escape(start, prefix)
            keys = [key for key in self._walk(start) if key.startswith(prefix)]
        yield from sorted(keys, key=lambda key: key.encode())

    def delete(self, key: str) -> None:
        """See `ArtefactStore.delete`. Folders that become empty go, too."""
        path = self._path(key)
        with self._errors(key):
            self._refuse_escape(path, key)
            if path.is_dir():
                return
            path.unlink(missing_ok=True)
            for folder in path.parents:
                if folder == self._root or not _remove_empty(folder):
                    break

    def url(self, key: str, *, seconds: int = 3600) -> str:  # noqa: ARG002 - part of the contract
        """See `ArtefactStore.url`; a `file://` address holds as long as the file."""
        if not self.exists(key):
            raise missing(key, self.location)
        return self._path(key).as_uri()

    def share(self, folder: str, account: str) -> bool:  # noqa: ARG002 - part of the contract
        """See `ArtefactStore.share`; who may read a folder is the machine's business."""
        return False

    def _path(self, key: str) -> Path:
        return self._root.joinpath(*check_key(key).split("/"))

    def _refuse_escape(self, path: Path, key: str) -> None:
        """Links inside the folder must not lead out of it."""
        if not path.resolve().is_relative_to(self._root.resolve()):
            raise ArtefactError(f"{key!r} leads out of the store through a link", where=self.location)

    def _walk(self, start: Path) -> Iterator[str]:
        for folder, _, names in os.walk(start):
            for name in names:
                if not name.startswith(_TEMPORARY):
                    yield (Path(folder) / name).relative_to(self._root).as_posix()

    @contextmanager
    def _errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise ArtefactError(
                f"{key!r} cannot be an object and a folder at once", where=self.location, hint="use another key"
            ) from error
        except OSError as error:
            raise ArtefactError(f"{key!r}: {error.strerror or error}", where=self.location) from error


def _write(path: Path, body: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


def _move(temporary: Path, path: Path, *, if_absent: bool) -> bool:
    """Put the finished file in its place. A hard link fails when the name is taken, which a rename would not."""
    if not if_absent:
        temporary.replace(path)
        return True
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    return True


def _remove_empty(folder: Path) -> bool:
    with suppress(OSError):
        folder.rmdir()
        return True
    return False
