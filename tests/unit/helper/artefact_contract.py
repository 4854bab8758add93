"""What every artefact store must do. Subclasses say which store; unit tests and integration tests share these."""

from __future__ import annotations

import pytest

from core_lib.framework.errors import ArtefactError
from core_lib.helper import ArtefactStore

BAD_KEYS = [
    "", "/", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "./a", "a/./b", "a\\b", "..\\x", "C:/x", "a\x00b", "a\nb",
    "x" * 901, "a/" + "y" * 201, "a/.tmp-1",
]  # fmt: skip


class ArtefactContract:
    """Subclass and give a `store` fixture."""

    def test_get_after_put_gives_the_same_bytes(self, store: ArtefactStore) -> None:
        body = bytes(range(256)) * 10
        assert store.put("packages/a/b.zip", body) is True
        assert store.get("packages/a/b.zip") == body

    def test_put_again_replaces(self, store: ArtefactStore) -> None:
        store.put("k", b"one")
        store.put("k", b"two")
        assert store.get("k") == b"two"

    def test_put_if_absent_when_there_then_keeps_the_old_one(self, store: ArtefactStore) -> None:
        assert store.put("k", b"one", if_absent=True) is True
        assert store.put("k", b"two", if_absent=True) is False
        assert store.get("k") == b"one"

    def test_put_when_body_is_empty_then_keeps_an_empty_object(self, store: ArtefactStore) -> None:
        store.put("empty", b"")
        assert store.get("empty") == b""
        assert store.exists("empty")

    def test_put_takes_names_of_any_language(self, store: ArtefactStore) -> None:
        store.put("files/größe & 数 +%20?.yaml", b"x")
        assert store.get("files/größe & 数 +%20?.yaml") == b"x"
        assert list(store.list("files/")) == ["files/größe & 数 +%20?.yaml"]

    def test_get_when_missing_then_names_key_and_place(self, store: ArtefactStore) -> None:
        with pytest.raises(ArtefactError, match="there is no artefact 'nope'") as caught:
            store.get("nope")
        assert caught.value.where == store.location

    def test_exists_tells_objects_from_nothing_and_from_folders(self, store: ArtefactStore) -> None:
        store.put("a/b", b"x")
        assert store.exists("a/b")
        assert not store.exists("a")
        assert not store.exists("a/c")

    def test_list_gives_keys_of_a_prefix_in_byte_order(self, store: ArtefactStore) -> None:
        for key in ("files/b", "files/c/z", "files/a", "files-x", "other", "files/Z"):
            store.put(key, b"x")
        keys = list(store.list("files"))
        assert keys == sorted(keys, key=str.encode)
        assert "other" not in keys
        assert list(store.list("files/Z")) == ["files/Z"]
        assert list(store.list("none/at/all")) == []
        assert len(list(store.list())) == 6

    def test_delete_removes_and_is_content_when_nothing_is_there(self, store: ArtefactStore) -> None:
        store.put("k", b"x")
        store.delete("k")
        store.delete("k")
        assert not store.exists("k")

    def test_ensure_twice_does_no_harm(self, store: ArtefactStore) -> None:
        store.put("k", b"x")
        store.ensure()
        assert store.get("k") == b"x"

    def test_url_when_missing_then_refuses(self, store: ArtefactStore) -> None:
        with pytest.raises(ArtefactError, match="there is no artefact"):
            store.url("nope")

    def test_put_and_get_when_key_is_not_allowed_then_refuse(self, store: ArtefactStore) -> None:
        for key in BAD_KEYS:
            with pytest.raises(ArtefactError, match="is not an artefact key"):
                store.put(key, b"x")
            with pytest.raises(ArtefactError, match="is not an artefact key"):
                store.get(key)
