"""Packages that are more, less or something else than files: archives, folders, single files, inline files, artefact keys."""

from __future__ import annotations

import gzip
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from core_lib.framework.models import InlineSpec, PackageDetails
from core_lib.framework.package import Package
from core_lib.framework.package_sources import open_package, read_archive
from core_lib.helper import FolderStore
from tasks.inputs import load_package
from tests.malformed import archives, doors
from tests.malformed.archives import member, renamed, tarred, zipped
from tests.malformed.case import Case, cases, refusal

GOOD = zipped()

NAMES = (
    ("climbing", "../deployspec.yaml", "leaves the package"),
    ("climbing-in-the-middle", "a/../../b", "leaves the package"),
    ("climbing-back-in", "a/../b", "leaves the package"),
    ("absolute", "/etc/cron.d/x", "is absolute"),
    ("drive", "C:/Windows/x", "holds the character"),
    ("network-share", "//server/share/x", "is absolute"),
    ("backslashes", "..\\..\\x", "holds the character"),
    ("stream", "a.txt:hidden", "holds the character"),
    ("control-character", "a\x1b[31m.txt", "holds the character"),
    ("line-end", "a\nb.txt", "holds the character"),
    ("wildcard", "a*.txt", "holds the character"),
    ("only-dots", "./.", "is empty"),
    ("trailing-dot", "a./b", "ends with a dot"),
    ("trailing-space", "a /b", "space"),
    ("too-long", "a" * 600, "longer than 512"),
    ("twice", "deployspec.yaml", "is there twice"),
    ("twice-by-a-detour", "./deployspec.yaml", "is there twice"),
    ("other-case", "DeploySpec.yaml", "differ only in case"),
    ("file-as-folder", "deployspec.yaml/x", "is a file and a folder"),
)

ARCHIVES = (
    Case("empty", "CORE-1006", "not a zip, tar or tar.gz", b""),
    Case("text", "CORE-1006", "not a zip, tar or tar.gz", b"Actions: []"),
    Case("html", "CORE-1006", "not a zip, tar or tar.gz", b"<html>404</html>"),
    Case("7z", "CORE-1006", "not a zip, tar or tar.gz", b"7z\xbc\xaf\x27\x1c" + bytes(100)),
    Case("zeros", "CORE-1006", "not a zip, tar or tar.gz", bytes(10_000)),
    Case("zip-without-members", "CORE-1006", "is empty", b"PK\x05\x06" + bytes(18)),
    Case("zip-cut-in-half", "CORE-1006", "damaged", GOOD[: len(GOOD) // 2]),
    Case("zip-cut-by-a-byte", "CORE-1006", "damaged", GOOD[:-1]),
    Case("zip-head-only", "CORE-1006", "damaged", b"PK\x03\x04"),
    Case("zip-with-a-flipped-bit", "CORE-1006", "damaged", GOOD[:60] + bytes([GOOD[60] ^ 255]) + GOOD[61:]),
    Case("zip-encrypted", "CORE-1006", "is encrypted", archives.encrypted()),
    Case("zip-with-bzip2", "CORE-1006", "unusual method (12)", archives.with_method(12)),
    Case("zip-with-a-method-nobody-knows", "CORE-1006", "unusual method (77)", archives.with_method(77)),
    Case("zip-that-lies-about-sizes", "CORE-1006", "is larger than", archives.lying_sizes()),
    Case("zip-that-lies-a-little", "CORE-1006", "not as large", archives.lying_sizes(b"\x00\x10\x00\x00")),
    Case("zip-bomb", "CORE-1006", "larger than", lambda: archives.zip_bomb()),
    Case("zip-of-overlapping-members", "CORE-1006", "", lambda: archives.overlapping()),
    Case("zip-of-20000-files", "CORE-1006", "more than 10000 files", lambda: archives.crowd(20_000)),
    Case("zip-with-a-nul-in-a-name", "CORE-1006", "holds the character", renamed(b"a_b.txt", b"a\x00b.txt")),
    Case("gzip-of-text", "CORE-1006", "damaged", gzip.compress(b"Actions: []")),
    Case("gzip-cut", "CORE-1006", "ends too early", tarred()[:60]),
    Case("gzip-damaged", "CORE-1006", "gzip stream", tarred()[:30] + b"\xff" * 30),
    Case("gzip-bomb", "CORE-1006", "bomb", lambda: archives.gzip_bomb()),
    Case("gzip-bomb-in-gzip", "CORE-1006", "", lambda: archives.gzip_bomb(2)),
    Case("gzip-of-100000-streams", "CORE-1006", "gzip streams", lambda: archives.gzip_members(100_000)),
    Case("tar-cut", "CORE-1006", "damaged", tarred(packed=False)[:700]),
    Case("tar-with-a-bad-checksum", "CORE-1006", "", tarred(packed=False).replace(b"0000644", b"0000777", 1)),
    Case("tar-sparse", "CORE-1006", "damaged", lambda: archives.sparse()),
    Case("tar-long-headers", "CORE-1006", "", lambda: archives.long_headers(200_000)),
    *(Case(f"zip-{name}", "CORE-1006", says, zipped(path)) for name, path, says in NAMES),
    *(Case(f"tar-{name}", "CORE-1006", says, tarred(member(path))) for name, path, says in NAMES),
    *(Case(f"zip-{name}", "CORE-1006", "link or a device", archives.zip_of_kind(kind)) for name, kind in archives.KINDS),
    *(
        Case(f"tar-{name}", "CORE-1006", "a link, a device", tarred(member("x.yaml", kind, "/etc/passwd")))
        for name, kind in archives.TAR_KINDS
    ),
)


def test_archive_when_well_formed_then_it_is_taken() -> None:
    assert list(read_archive(GOOD, "p.zip").files) == ["deployspec.yaml"]
    assert list(read_archive(tarred(), "p.tar.gz").files) == ["deployspec.yaml"]


@cases(*ARCHIVES)
def test_archive_when_malformed_then_nothing_of_it_is_taken(case: Case, tmp_path: Path) -> None:
    content = case.given() if callable(case.given) else case.given
    path = tmp_path / "package.zip"
    path.write_bytes(content)
    refusal(lambda: open_package(path), case)
    refusal(lambda: read_archive(content, "packages/shop/web/main/7/x.zip"), case)
    assert sorted(found.name for found in tmp_path.rglob("*")) == ["package.zip"]


@pytest.mark.parametrize(("path", "says"), [(path, says) for name, path, says in NAMES if name != "twice"])
def test_inline_package_when_a_name_is_malformed_then_it_is_refused(path: str, says: str) -> None:
    files = {"deployspec.yaml": archives.SPEC, path: "x"}
    request = doors.request(package=PackageDetails(inline=InlineSpec(files=files)))
    refusal(lambda: load_package(request, FolderStore(Path("nowhere"))), Case("", "CORE-1006", says, None))


def bind_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


def fill_with_holes(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(40 << 20)


def write_both_cases(path: Path) -> None:
    path.write_text("1")
    path.with_name("A.yaml").write_text("2")


def move_spec_below(path: Path) -> None:
    path.mkdir()
    (path.parent / "deployspec.yaml").rename(path / "deployspec.yaml")


SPOILERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "link-to-a-file": ("secrets.yaml", lambda path: path.symlink_to("/etc/passwd")),
    "link-to-a-folder": ("etc", lambda path: path.symlink_to("/etc")),
    "link-to-itself": ("loop", lambda path: path.symlink_to(path.parent)),
    "link-to-nothing": ("gone", lambda path: path.symlink_to("nowhere")),
    "pipe": ("pipe", os.mkfifo),
    "socket": ("s", bind_socket),
    "unreadable-name": (os.fsdecode(b"caf\xe9.yaml"), lambda path: path.write_text("x")),
    "large-file": ("large.bin", fill_with_holes),
    "cases": ("a.yaml", write_both_cases),
    "two-specs": ("deployspec.json", lambda path: path.write_text("{}")),
    "spec-below": ("app", move_spec_below),
    "nothing": ("deployspec.yaml", lambda path: path.unlink()),
}

FOLDERS = (
    Case("link-to-a-file", "CORE-1006", "is a link", None), Case("link-to-a-folder", "CORE-1006", "is a link", None),
    Case("link-to-itself", "CORE-1006", "is a link", None), Case("link-to-nothing", "CORE-1006", "is a link", None),
    Case("pipe", "CORE-1006", "not a regular file", None), Case("socket", "CORE-1006", "not a regular file", None),
    Case("unreadable-name", "CORE-1006", "holds the character", None), Case("large-file", "CORE-1006", "is larger than", None),
    Case("cases", "CORE-1006", "differ only in case", None), Case("two-specs", "CORE-1006", "are both there", None),
    Case("spec-below", "CORE-1006", "make app/ the root", None), Case("nothing", "CORE-1006", "is empty", None),
)  # fmt: skip


@cases(*FOLDERS)
def test_folder_when_it_is_no_package_then_it_is_refused(case: Case, tmp_path: Path) -> None:
    (tmp_path / "deployspec.yaml").write_text(archives.SPEC)
    name, spoil = SPOILERS[case.name]
    spoil(tmp_path / name)
    refusal(lambda: doors.compile_package(open_package(tmp_path)), case)


@pytest.mark.parametrize("name", ["nowhere", "/dev/zero", "/dev/null", "a" * 5000, "a/b\x00c"])
def test_path_when_there_is_no_package_then_it_is_refused(name: str, tmp_path: Path) -> None:
    error = refusal(lambda: open_package(tmp_path / name))
    assert error.code == "CORE-1006"


@pytest.mark.parametrize("key", ["../../etc/passwd", "/etc/passwd", "a//b", "", "a/./b", "a\x00b", "packages/none.zip", "\u202e"])
def test_key_when_it_names_no_package_then_it_is_refused(key: str, tmp_path: Path) -> None:
    request = doors.request(package=PackageDetails(key=key))
    error = refusal(lambda: load_package(request, FolderStore(tmp_path)))
    assert error.code in ("CORE-4002", "CORE-1006")


def test_payload_when_it_names_no_package_then_it_is_refused(tmp_path: Path) -> None:
    error = refusal(lambda: load_package(doors.request(), FolderStore(tmp_path)))
    assert (error.code, error.where) == ("CORE-1006", "Package")


@pytest.mark.parametrize("files", [{}, {"readme.md": "x"}, {"deployspec.txt": "x"}, {"Deployspec.yaml": "x"}])
def test_package_when_it_holds_no_definition_then_it_is_refused(files: dict[str, str]) -> None:
    error = refusal(lambda: doors.compile_package(Package.from_files(files)))
    assert error.code == "CORE-1006"
