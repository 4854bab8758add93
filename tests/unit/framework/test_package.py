"""Packages: the same files give the same package whatever their form; nothing surprising gets in."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core_lib.framework.errors import CoreError, PackageError
from core_lib.framework.package import Package, PackageLimits, gather
from core_lib.framework.package_sources import OUTPUT_MARK, open_package, read_archive

FILES = {"deployspec.yaml": b"- x\n", "net/vpc.yaml": b"Resources: {}\n", "net/sub/a.json": b"{}"}


def make_zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def make_tar(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def make_folder(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def test_package_when_read_from_any_form_then_files_and_hash_are_the_same(tmp_path: Path) -> None:
    forms = [
        Package.from_files(FILES),
        open_package(make_folder(tmp_path / "p", FILES)),
        read_archive(make_zip(FILES), "p.zip"),
        read_archive(make_tar(FILES), "p.tgz"),
        read_archive(make_tar(FILES, "w"), "p.tar"),
        read_archive(make_tar({f"./{name}": body for name, body in FILES.items()}), "dotted"),
        read_archive(Package.from_files(FILES).to_zip(), "own"),
    ]
    assert {form.sha256 for form in forms} == {forms[0].sha256}
    assert all(dict(form.files) == FILES and list(form.files) == sorted(FILES) for form in forms)


def test_package_when_files_come_in_another_order_then_hash_is_the_same() -> None:
    assert Package.from_files(FILES).sha256 == Package.from_files(dict(reversed(FILES.items()))).sha256


def test_hash_when_a_name_borrows_from_the_content_then_it_differs() -> None:
    assert Package.from_files({"ab": "c"}).sha256 != Package.from_files({"a": "bc"}).sha256


def test_to_zip_when_called_twice_then_bytes_are_the_same() -> None:
    assert Package.from_files(FILES).to_zip() == Package.from_files(dict(reversed(FILES.items()))).to_zip()


def test_open_when_path_is_one_spec_file_then_package_holds_just_that(tmp_path: Path) -> None:
    (tmp_path / "deployspec.yaml").write_bytes(b"[]")
    (tmp_path / "other.yaml").write_bytes(b"[]")
    assert list(open_package(tmp_path / "deployspec.yaml").files) == ["deployspec.yaml"]


def test_open_when_folder_has_version_control_then_it_is_left_out(tmp_path: Path) -> None:
    make_folder(tmp_path, {**FILES, ".git/config": b"x", "net/__pycache__/a.pyc": b"x", ".DS_Store": b"x"})
    assert dict(open_package(tmp_path).files) == FILES


def test_open_when_a_folder_was_made_by_a_compile_then_it_is_left_out(tmp_path: Path) -> None:
    make_folder(tmp_path, {**FILES, f"made/{OUTPUT_MARK}": b"", "made/deploy.actions": b"x", "made/templates/a.yaml": b"x"})
    assert dict(open_package(tmp_path).files) == FILES


def test_open_when_nothing_is_there_then_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="No such file"):
        open_package(tmp_path / "nowhere")


def test_open_when_folder_holds_a_link_then_it_is_refused(tmp_path: Path) -> None:
    make_folder(tmp_path, FILES)
    (tmp_path / "net" / "secret").symlink_to("/etc/passwd")
    with pytest.raises(PackageError, match="'net/secret' is a link"):
        open_package(tmp_path)


def test_open_when_folder_holds_a_pipe_then_it_is_refused(tmp_path: Path) -> None:
    make_folder(tmp_path, FILES)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PackageError, match="'pipe' is not a regular file"):
        open_package(tmp_path)


BAD_NAMES = [
    "../evil", "a/../../evil", "/etc/passwd", "..", "a/..", "c:evil", "C:\\evil", "a\\..\\evil", "a\nb", "a\x7fb", "nul\x01",
    ".", "./", "a/b./c", "a /b", " a", "x" * 600, "a?b", "a*b", "a|b", 'a"b', "<a>",
]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES)
def test_package_when_a_name_is_unsafe_then_it_is_refused(name: str) -> None:
    with pytest.raises(PackageError):
        Package.from_files({name: b"x"})


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/../../evil", "C:\\evil"])
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_archive_when_a_member_climbs_out_then_it_is_refused(name: str, make: object) -> None:
    with pytest.raises(PackageError, match=r"leaves the package|absolute|character"):
        read_archive(make({name: b"x", **FILES}), "evil")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ("a.yaml", "A.yaml", "differ only in case"),
        ("caf\u00e9", "cafe\u0301", "differ only in case"),
        ("a", "a/b", "a file and a folder"),
        ("a/b", "a", "a file and a folder"),
        ("A/b", "a", "a file and a folder"),
        ("a/b", "a//b", "there twice"),
    ],
)
def test_package_when_two_names_collide_then_it_is_refused(first: str, second: str, text: str) -> None:
    with pytest.raises(PackageError, match=text):
        Package.from_files({first: b"1", second: b"2"})


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zip_when_a_member_is_there_twice_then_it_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", b"1")
        archive.writestr("a", b"2")
    with pytest.raises(PackageError, match="'a' is there twice"):
        read_archive(buffer.getvalue(), "p.zip")


def test_zip_when_a_member_is_a_link_then_it_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(PackageError, match="'link' is a link"):
        read_archive(buffer.getvalue(), "p.zip")


def test_zip_when_a_name_hides_behind_a_nul_then_it_is_refused() -> None:
    body = make_zip({"aXb": b"x"}).replace(b"aXb", b"a\x00b")
    with pytest.raises(PackageError, match="character"):
        read_archive(body, "p.zip")


def test_zip_when_a_member_is_encrypted_then_it_is_refused() -> None:
    body = bytearray(make_zip({"a": b"x"}))
    body[body.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(PackageError, match="'a' is encrypted"):
        read_archive(bytes(body), "p.zip")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.BLKTYPE])
def test_tar_when_a_member_is_a_link_or_device_then_it_is_refused(kind: bytes) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo("odd")
        info.type = kind
        info.linkname = "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(PackageError, match="'odd' is a link, a device"):
        read_archive(buffer.getvalue(), "p.tgz")


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_archive_when_it_is_a_bomb_then_it_is_refused(make: object) -> None:
    with pytest.raises(PackageError, match="unpacks to more than"):
        read_archive(make({"zeros": bytes(8 * 1024 * 1024)}), "bomb")  # type: ignore[operator]


def test_gzip_when_it_unpacks_for_ever_then_reading_stops_early() -> None:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(squeeze.compress(bytes(1024 * 1024)) for _ in range(64)) + squeeze.flush()
    with pytest.raises(PackageError, match="looks like a bomb"):
        read_archive(bomb, "bomb.gz")


def test_package_when_over_a_limit_then_error_names_the_limit() -> None:
    small = PackageLimits(files=2, file_bytes=10, total_bytes=15)
    with pytest.raises(PackageError, match="more than 2 files"):
        gather([("a", b""), ("b", b""), ("c", b"")], "p", small)
    with pytest.raises(PackageError, match="'a' is larger than 10 bytes"):
        gather([("a", b"x" * 11)], "p", small)
    with pytest.raises(PackageError, match="more than 15 bytes in all"):
        gather([("a", b"x" * 10), ("b", b"x" * 10)], "p", small)


def test_package_when_empty_then_it_is_refused() -> None:
    with pytest.raises(PackageError, match="empty"):
        Package.from_files({})


def test_read_when_a_file_is_missing_then_the_nearest_is_named() -> None:
    with pytest.raises(PackageError, match=r"did you mean 'net/vpc\.yaml'"):
        Package.from_files(FILES).read("net/vcp.yaml")


def test_text_when_not_utf8_then_error_names_the_byte() -> None:
    with pytest.raises(PackageError, match="byte 2"):
        Package.from_files({"a": b"ab\xff"}).text("a")


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"\x1f\x8b\x08\x00"]))
def test_archive_when_bytes_are_random_then_only_core_errors_come_out(tail: bytes, head: bytes) -> None:
    try:
        read_archive(head + tail, "noise")
    except CoreError:
        return


@given(st.integers(0, 10_000), st.integers(0, 255), st.sampled_from([make_zip, make_tar, lambda files: make_tar(files, "w")]))
@settings(max_examples=300)
def test_archive_when_one_byte_is_damaged_then_only_core_errors_come_out(at: int, value: int, make: object) -> None:
    body = bytearray(make(FILES))  # type: ignore[operator]
    body[at % len(body)] = value
    try:
        read_archive(bytes(body), "damaged")
    except CoreError:
        return


@given(st.integers(0, 10_000), st.sampled_from([make_zip, make_tar]))
def test_archive_when_cut_short_then_only_core_errors_come_out(at: int, make: object) -> None:
    body = make(FILES)  # type: ignore[operator]
    try:
        read_archive(body[: at % len(body)], "cut")
    except CoreError:
        return
