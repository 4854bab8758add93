"""What only a folder store has to fear: links, odd names, half-written files."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from core_lib.framework.errors import ArtefactError
from core_lib.helper import FolderStore


def test_put_when_a_link_leads_out_then_refuses(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "store" / "link").symlink_to(tmp_path / "outside")
    store = FolderStore(tmp_path / "store")
    for attempt in (lambda: store.put("link/x", b"x"), lambda: store.get("link/x"), lambda: list(store.list("link/"))):
        with pytest.raises(ArtefactError, match="leads out of the store"):
            attempt()
    assert list((tmp_path / "outside").iterdir()) == []


def test_put_when_writing_fails_then_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FolderStore(tmp_path)
    store.put("a/b", b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core_lib.helper.artefacts.folder.os.fsync", full)
    with pytest.raises(ArtefactError, match="No space left"):
        store.put("a/b", b"new")
    assert store.get("a/b") == b"old"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_put_when_key_is_both_object_and_folder_then_says_so(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("a/b", b"x")
    with pytest.raises(ArtefactError, match="an object and a folder at once"):
        store.put("a/b/c", b"x")
    with pytest.raises(ArtefactError, match="an object and a folder at once"):
        store.put("a", b"x")


def test_put_if_absent_when_many_race_then_one_wins(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    gate = threading.Barrier(8)
    won: list[int] = []

    def race(number: int) -> None:
        gate.wait(10)
        if store.put("one", str(number).encode() * 1000, if_absent=True):
            won.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(won) == 1
    assert store.get("one") == str(won[0]).encode() * 1000


def test_delete_removes_folders_that_become_empty(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    store.put("a/b/c", b"x")
    store.put("a/d", b"x")
    store.delete("a/b/c")
    assert not (tmp_path / "store" / "a" / "b").exists()
    assert store.get("a/d") == b"x"


def test_location_is_an_absolute_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = FolderStore(Path("store"))
    monkeypatch.chdir("/")
    store.put("k", b"x")
    assert (tmp_path / "store" / "k").read_bytes() == b"x"
    assert store.location == str(tmp_path / "store")
