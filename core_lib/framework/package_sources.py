"""One reader for each form a package comes in: folder, zip, tar, single file. `Package` says what may get in."""

from __future__ import annotations

import io
import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from core_lib.framework.errors import PackageError
from core_lib.framework.package import LIMITS, Package, PackageLimits, gather, safe_name

OUTPUT_MARK = ".core-output"
"""A file that marks a folder as made by a compile: such a folder below a package is no part of it."""

_IGNORED_FOLDERS = frozenset({".git", ".hg", ".svn", ".core", ".venv", ".idea", ".vscode", "__pycache__", "node_modules"})
_IGNORED_FILES = frozenset({".DS_Store", "Thumbs.db", ".gitignore", ".gitattributes", OUTPUT_MARK})
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ZIP_FAULTS = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, NotImplementedError, RuntimeError,
    struct.error,
)  # fmt: skip
_TAR_FAULTS = (tarfile.TarError, EOFError, OSError, ValueError, OverflowError, struct.error)
_GZIP = b"\x1f\x8b"
_CHUNK = 1024 * 1024
_SLICE = 64 * 1024
_TAR_OVERHEAD = 4096


def open_package(path: Path, limits: PackageLimits = LIMITS) -> Package:
    """Read a package from a folder, an archive (.zip, .tar, .tar.gz, .tgz) or one single spec file.

    Raises:
        PackageError: the path cannot be read, or something in it cannot be taken; the message names the member.
    """
    origin = path.name or str(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return gather(_walk(path, origin, limits), f"folder {origin}", limits)
        if not stat.S_ISREG(mode):
            raise PackageError("neither a folder nor a regular file", where=origin)
        if path.stat().st_size > limits.archive_bytes:
            raise PackageError(f"larger than {limits.archive_bytes} bytes", where=origin)
        content = path.read_bytes()
    except OSError as error:
        raise PackageError(f"cannot be read: {error.strerror or type(error).__name__}", where=_shown(origin)) from error
    except ValueError as error:
        raise PackageError(f"not a path: {error}", where=_shown(origin)) from error
    if path.suffix.lower() in {".yaml", ".yml", ".json"}:
        return gather([(path.name, content)], f"file {origin}", limits)
    return read_archive(content, origin, limits)


def read_archive(content: bytes, origin: str, limits: PackageLimits = LIMITS) -> Package:
    """Read a zip or a (gzipped) tar from memory, told apart by their first bytes.

    Raises:
        PackageError: not an archive, damaged, or with a member that cannot be taken.
    """
    where = f"archive {origin}"
    if len(content) > limits.archive_bytes:
        raise PackageError(f"larger than {limits.archive_bytes} bytes", where=where)
    if content[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return gather(_zip_members(content, where, limits), where, limits)
    if content[:2] == _GZIP:
        return gather(_tar_members(_gunzip(content, where, limits), where, limits), where, limits)
    if content[257:262] == b"ustar":
        return gather(_tar_members(content, where, limits), where, limits)
    raise PackageError("not a zip, tar or tar.gz archive", where=where, hint="the first bytes fit none of them")


def _walk(root: Path, origin: str, limits: PackageLimits) -> Iterator[tuple[str, bytes]]:
    folders = [("", os.fspath(root))]
    while folders:
        prefix, folder = folders.pop()
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda item: item.name):
                name = prefix + entry.name
                if entry.is_symlink():
                    raise PackageError(f"{name!r} is a link", where=origin, hint="put the file itself into the package")
                if entry.is_dir(follow_symlinks=False):
                    if entry.name not in _IGNORED_FOLDERS and not os.path.exists(os.path.join(entry.path, OUTPUT_MARK)):
                        folders.append((name + "/", entry.path))
                elif not entry.is_file(follow_symlinks=False):
                    raise PackageError(f"{name!r} is not a regular file", where=origin)
                elif entry.name not in _IGNORED_FILES:
                    yield name, _bounded_file(entry.path, name, origin, limits)


def _bounded_file(path: str, name: str, origin: str, limits: PackageLimits) -> bytes:
    with open(path, "rb") as file:
        content = file.read(limits.file_bytes + 1)
    if len(content) > limits.file_bytes:
        raise PackageError(f"{name!r} is larger than {limits.file_bytes} bytes", where=origin)
    return content


def _zip_members(content: bytes, where: str, limits: PackageLimits) -> Iterator[tuple[str, bytes]]:
    budget = _Budget(len(content), where, limits)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in archive.infolist():
                _check_zip_member(info, where)
                if info.is_dir():
                    safe_name(info.filename, where)
                    continue
                if info.file_size > limits.file_bytes:
                    raise PackageError(f"{info.filename!r} is larger than {limits.file_bytes} bytes", where=where)
                with archive.open(info) as member:
                    body = member.read(limits.file_bytes + 1)
                if len(body) != info.file_size:
                    raise PackageError(f"{info.filename!r} is not as large as the archive says", where=where)
                budget.spend(info.filename, len(body))
                yield info.filename, body
    except PackageError:
        raise
    except _ZIP_FAULTS as error:
        raise PackageError(f"the zip archive is damaged: {_reason(error)}", where=where) from error


def _check_zip_member(info: zipfile.ZipInfo, where: str) -> None:
    name = info.orig_filename
    if "\x00" in name:
        safe_name(name, where)
    if info.flag_bits & 0x1:
        raise PackageError(f"{name!r} is encrypted", where=where)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or (kind == stat.S_IFDIR and not info.is_dir()):
        raise PackageError(f"{name!r} is a link or a device", where=where, hint="put the file itself into the package")
    if info.compress_type not in _ZIP_METHODS:
        raise PackageError(f"{name!r} is compressed with an unusual method ({info.compress_type})", where=where)


def _gunzip(content: bytes, where: str, limits: PackageLimits) -> bytes:
    """All bytes of a gzip stream, bounded in size and ratio while it unpacks."""
    parts: list[bytes] = []
    size = position = streams = 0
    while content[position : position + 2] == _GZIP:
        streams += 1
        if streams > limits.files:
            raise PackageError(f"more than {limits.files} gzip streams", where=where)
        stream = zlib.decompressobj(wbits=31)
        pending = b""
        while not stream.eof:
            if not pending:
                pending = content[position : position + _SLICE]
                position += len(pending)
            part = _unpacked(stream, pending, where)
            pending = stream.unconsumed_tail
            if not part and not pending and position >= len(content) and not stream.eof:
                raise PackageError("the gzip stream ends too early", where=where)
            size += len(part)
            _check_ratio(size, len(content), where, limits)
            parts.append(part)
        position -= len(stream.unused_data)
    return b"".join(parts)


def _unpacked(stream: zlib._Decompress, pending: bytes, where: str) -> bytes:
    try:
        return stream.decompress(pending, _CHUNK)
    except zlib.error as error:
        raise PackageError(f"the gzip stream is damaged: {error}", where=where) from error


def _check_ratio(size: int, packed: int, where: str, limits: PackageLimits) -> None:
    most = limits.total_bytes + limits.files * _TAR_OVERHEAD
    if size > most or (size > limits.ratio_from and size > limits.ratio * packed):
        raise PackageError(f"unpacks to more than {size} bytes from {packed}", where=where, hint="it looks like a bomb")


def _tar_members(content: bytes, where: str, limits: PackageLimits) -> Iterator[tuple[str, bytes]]:
    budget = _Budget(len(content), where, limits)
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for info in archive:
                if info.isdir():
                    if info.name not in (".", "./", ""):
                        safe_name(info.name, where)
                    continue
                if not info.isfile() or info.issparse():
                    raise PackageError(f"{info.name!r} is a link, a device or a sparse file", where=where)
                safe_name(info.name, where)
                member = archive.extractfile(info)
                body = member.read(limits.file_bytes + 1) if member else b""
                budget.spend(info.name, len(body))
                yield info.name, body
    except PackageError:
        raise
    except _TAR_FAULTS as error:
        raise PackageError(f"the tar archive is damaged: {_reason(error)}", where=where) from error


def _shown(origin: str) -> str:
    return repr(origin[:80]) if len(origin) > 80 or not origin.isprintable() else origin


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__


class _Budget:
    """Counts unpacked bytes and compares them with the packed size, so that a bomb is noticed early."""

    def __init__(self, packed: int, where: str, limits: PackageLimits) -> None:
        self._packed = max(packed, 1)
        self._where = where
        self._limits = limits
        self._size = 0

    def spend(self, name: str, size: int) -> None:
        self._size += size
        if self._size > self._limits.ratio_from and self._size > self._limits.ratio * self._packed:
            raise PackageError(
                f"unpacks to more than {self._limits.ratio} times its size", where=self._where, hint=f"reached at {name!r}"
            )
