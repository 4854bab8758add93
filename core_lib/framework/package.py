"""Packages: the files a user hands over, as one immutable mapping of relative paths to bytes.

A package is a folder, a zip, a tar (plain or gzip), one single file, or files written into the payload. Whatever the form, the
same files give the same `Package` and the same hash. Nothing is ever written to disk while reading, and nothing that could
surprise a later reader gets in: no absolute paths, no `..`, no links, no devices, no two names that a case-insensitive file
system would take for one, no archive that blows up when unpacked. `package_sources` has one reader for each form.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from core_lib.framework.errors import PackageError

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\:*?\"<>|\ud800-\udfff]")
_LONGEST_NAME = 512
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class PackageLimits:
    """How much a package may hold. Sizes in bytes; `ratio` = unpacked size / packed size, looked at above `ratio_from`."""

    files: int = 10_000
    file_bytes: int = 32 * 1024 * 1024
    total_bytes: int = 256 * 1024 * 1024
    archive_bytes: int = 256 * 1024 * 1024
    ratio: int = 200
    ratio_from: int = 1024 * 1024


LIMITS = PackageLimits()


@dataclass(frozen=True)
class Package:
    """Files by relative POSIX path, in path order. `origin` says where they came from, for messages only."""

    files: Mapping[str, bytes]
    origin: str

    @cached_property
    def sha256(self) -> str:
        """SHA-256 (hex) over the sorted paths and contents; independent of the form the package came in."""
        digest = hashlib.sha256()
        for path, content in self.files.items():
            name = path.encode()
            digest.update(b"%d %d\n" % (len(name), len(content)))
            digest.update(name)
            digest.update(content)
        return digest.hexdigest()

    def read(self, path: str) -> bytes:
        """Content of one file.

        Raises:
            PackageError: there is no such file; the hint names the nearest one.
        """
        try:
            return self.files[path]
        except KeyError:
            near = difflib.get_close_matches(path, self.files, n=1)
            hint = f"did you mean {near[0]!r}?" if near else None
            raise PackageError(f"there is no file {_shown(path)} in the package", where=self.origin, hint=hint) from None

    def text(self, path: str) -> str:
        """Content of one file as UTF-8 text.

        Raises:
            PackageError: no such file, or not UTF-8.
        """
        try:
            return self.read(path).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise PackageError(f"{_shown(path)} is not UTF-8 text (byte {error.start})", where=self.origin) from None

    def to_zip(self) -> bytes:
        """The package as a zip archive; the same files give the same bytes."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for path, content in self.files.items():
                info = zipfile.ZipInfo(path, _ZIP_EPOCH)
                info.compress_type = zipfile.ZIP_DEFLATED
                info.external_attr = 0o100644 << 16
                info.create_system = 3
                archive.writestr(info, content)
        return buffer.getvalue()

    @classmethod
    def from_files(cls, files: Mapping[str, str | bytes], origin: str = "inline package") -> Package:
        """A package from files that are already in memory, e.g. from a payload's inline spec."""
        return gather(
            ((name, content.encode() if isinstance(content, str) else content) for name, content in files.items()), origin
        )


def gather(members: Iterable[tuple[str, bytes]], origin: str, limits: PackageLimits = LIMITS) -> Package:
    """Check names, counts and sizes of members as they arrive, and make the package.

    Raises:
        PackageError: names the member that cannot be taken and why.
    """
    files: dict[str, bytes] = {}
    names = _Names(origin)
    total = 0
    for raw_name, content in members:
        name = names.take(raw_name)
        if len(files) >= limits.files:
            raise PackageError(f"more than {limits.files} files", where=origin, hint=f"the first one too many is {name!r}")
        if len(content) > limits.file_bytes:
            raise PackageError(f"{name!r} is larger than {limits.file_bytes} bytes", where=origin)
        total += len(content)
        if total > limits.total_bytes:
            raise PackageError(f"more than {limits.total_bytes} bytes in all", where=origin, hint=f"reached at {name!r}")
        files[name] = content
    if not files:
        raise PackageError("the package is empty", where=origin)
    return Package(MappingProxyType(dict(sorted(files.items()))), origin)


def safe_name(raw: str, origin: str) -> str:
    """The name of a member as a relative POSIX path without `.` segments.

    Raises:
        PackageError: absolute, climbing (`..`), with characters that some file system refuses, or too long.
    """
    if match := _FORBIDDEN.search(raw):
        raise PackageError(f"the name {_shown(raw)} holds the character {match.group()!r}", where=origin)
    if raw.startswith("/"):
        raise PackageError(f"the name {_shown(raw)} is absolute", where=origin)
    parts = raw.split("/")
    if ".." in parts:
        raise PackageError(f"the name {_shown(raw)} leaves the package ('..')", where=origin)
    kept = [part for part in parts if part not in ("", ".")]
    if not kept:
        raise PackageError(f"the name {_shown(raw)} is empty", where=origin)
    if any(part != part.strip() or part.endswith(".") for part in kept):
        raise PackageError(f"the name {_shown(raw)} has a part that ends with a dot or starts or ends with a space", where=origin)
    name = "/".join(kept)
    if len(name) > _LONGEST_NAME:
        raise PackageError(f"the name {_shown(raw)} is longer than {_LONGEST_NAME} characters", where=origin)
    return name


def _shown(raw: str) -> str:
    return repr(raw if len(raw) <= 120 else raw[:117] + "...")


class _Names:
    """The names taken so far; refuses duplicates, case collisions, and a file where a folder is."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._files: dict[str, str] = {}
        self._folders: dict[str, str] = {}

    def take(self, raw: str) -> str:
        name = safe_name(raw, self._origin)
        folded = _folded(name)
        if other := self._files.get(folded):
            if other == name:
                raise PackageError(f"{name!r} is there twice", where=self._origin)
            raise PackageError(f"{name!r} and {other!r} differ only in case or accents' spelling", where=self._origin)
        if folded in self._folders:
            raise PackageError(f"{name!r} is a file and a folder (of {self._folders[folded]!r})", where=self._origin)
        for folder in _folders(folded):
            if folder in self._files:
                raise PackageError(f"{self._files[folder]!r} is a file and a folder (of {name!r})", where=self._origin)
            self._folders.setdefault(folder, name)
        self._files[folded] = name
        return name


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _folders(name: str) -> Iterator[str]:
    at = name.find("/")
    while at >= 0:
        yield name[:at]
        at = name.find("/", at + 1)
