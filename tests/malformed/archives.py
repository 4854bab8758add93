"""Archives that no tool should make, made by hand."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Sequence

SPEC = "Targets: {Accounts: [shop-prod], Regions: [eu-west-1]}\nActions: [{Name: a, Kind: NoOp}]\n"


def zipped(*names: str, content: str = SPEC, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with the deployspec and these members, whatever their names."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as archive:
        warnings.simplefilter("ignore")
        archive.writestr("deployspec.yaml", SPEC)
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def zip_of_kind(kind: int, target: str = "/etc/passwd") -> bytes:
    """A zip with one member of this Unix kind (a link, a device, a pipe)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("deployspec.yaml", SPEC)
        info = zipfile.ZipInfo("secrets.yaml")
        info.create_system = 3
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, target)
    return buffer.getvalue()


def patched(archive: bytes, local: tuple[int, bytes], central: tuple[int, bytes]) -> bytes:
    """The zip with bytes written at an offset of each local and of each central header."""
    body = bytearray(archive)
    for mark, (offset, value) in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
        at = body.find(mark)
        while at >= 0:
            body[at + offset : at + offset + len(value)] = value
            at = body.find(mark, at + 4)
    return bytes(body)


def encrypted() -> bytes:
    """A zip whose members say that they are encrypted."""
    return patched(zipped(), (6, b"\x01\x00"), (8, b"\x01\x00"))


def with_method(number: int) -> bytes:
    """A zip whose members say that they are compressed with this method."""
    return patched(zipped(), (8, struct.pack("<H", number)), (10, struct.pack("<H", number)))


def lying_sizes(size: bytes = b"\xfe\xff\xff\xff") -> bytes:
    """A zip whose members claim to be of another size, by default almost 4 GiB."""
    return patched(zipped(), (22, size), (24, size))


def renamed(old: bytes, new: bytes) -> bytes:
    """A zip with a member whose name no zip library would write; both names have the same length."""
    assert len(old) == len(new)
    return zipped(old.decode()).replace(old, new)


def zip_bomb() -> bytes:
    """64 MiB of one letter in a few kilobytes."""
    return zipped("big.txt", content="\0" * (64 << 20))


def crowd(count: int) -> bytes:
    """A zip with that many files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for number in range(count):
            archive.writestr(f"f/{number}", b"")
    return buffer.getvalue()


def overlapping() -> bytes:
    """A zip whose directory names one stored member many times, under names of their own."""
    body = bytearray()
    name = b"big.txt"
    packed = zlib.compress(b"\0" * (8 << 20), 9)[2:-4]
    crc = zlib.crc32(b"\0" * (8 << 20))
    head = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 8, 0, 0, crc, len(packed), 8 << 20, len(name), 0)
    body += head + name + packed
    start = len(body)
    for number in range(100):
        other = b"b%05d" % number + b"t"
        body += struct.pack(
            "<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, crc, len(packed), 8 << 20, len(other), 0, 0, 0, 0, 0, 0
        )
        body += other
    body += struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 100, 100, len(body) - start, start, 0)
    return bytes(body)


def tarred(*members: tarfile.TarInfo, packed: bool = True, format: int = tarfile.PAX_FORMAT) -> bytes:  # noqa: A002 - tarfile's own word
    """A tar (gzipped unless told not to) with the deployspec and these members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as archive:
        for info in (member("deployspec.yaml"), *members):
            archive.addfile(info, io.BytesIO(SPEC.encode()) if info.isreg() else None)
    return gzip.compress(buffer.getvalue(), mtime=0) if packed else buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    """A member of a tar: a file with a deployspec in it, or a link, a device, a folder."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    info.size = len(SPEC) if kind == tarfile.REGTYPE else 0
    return info


def sparse() -> bytes:
    """A tar with a file that says it is a terabyte of holes."""
    info = member("holes.bin")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(1 << 40),
                        "GNU.sparse.name": "holes.bin"}  # fmt: skip
    return tarred(info)


def long_headers(count: int) -> bytes:
    """A tar with a member whose extended header holds that many fields."""
    record = b"70 x=" + b"y" * 64 + b"\n"
    body = record * count
    head = tarfile.TarInfo("pax")
    head.type, head.size = tarfile.XHDTYPE, len(body)
    filled = body + bytes(-len(body) % 512)
    return gzip.compress(head.tobuf() + filled + member("a.txt").tobuf() + SPEC.encode() + bytes(1024), mtime=0)


def gzip_bomb(layers: int = 1) -> bytes:
    """256 MiB of nothing, gzipped so many times."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    chunk = b"\0" * (1 << 20)
    content = b"".join([packer.compress(chunk) for _ in range(256)] + [packer.flush()])
    for _ in range(layers - 1):
        content = gzip.compress(content, mtime=0)
    return content


def gzip_members(count: int) -> bytes:
    """Very many gzip streams one after the other."""
    return gzip.compress(b"", mtime=0) * count


KINDS: Sequence[tuple[str, int]] = (
    ("link", stat.S_IFLNK), ("pipe", stat.S_IFIFO), ("character-device", stat.S_IFCHR), ("block-device", stat.S_IFBLK),
    ("socket", stat.S_IFSOCK), ("folder-that-is-a-file", stat.S_IFDIR),
)  # fmt: skip
TAR_KINDS: Sequence[tuple[str, bytes]] = (
    ("link", tarfile.SYMTYPE), ("hard-link", tarfile.LNKTYPE), ("pipe", tarfile.FIFOTYPE), ("character-device", tarfile.CHRTYPE),
    ("block-device", tarfile.BLKTYPE), ("unknown-kind", b"Z"),
)  # fmt: skip
