"""The contract of artefact stores, on a folder and on an emulated bucket in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from moto import mock_aws

from core_lib.framework.errors import ArtefactError, SettingsError
from core_lib.framework.settings import Settings
from core_lib.helper import ArtefactStore, AwsSessions, FolderStore, S3Store, open_store
from tests.unit.helper.artefact_contract import ArtefactContract

BUCKET = "core-artefacts-123456789012-eu-west-1"


@pytest.fixture
def emulated(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsSessions]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws(), AwsSessions(_settings()) as sessions:
        yield sessions


def _settings(location: str | None = None) -> Settings:
    return Settings(aws={"region": "eu-west-1"}, artefacts={"location": location} if location else {})  # type: ignore[arg-type]


class TestFolder(ArtefactContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ArtefactStore:
        store = FolderStore(tmp_path / "deep" / "store")
        store.ensure()
        return store

    def test_url_is_a_readable_file(self, store: ArtefactStore) -> None:
        store.put("a b/c", b"x")
        assert Path(unquote(urlsplit(store.url("a b/c")).path)).read_bytes() == b"x"


class TestS3(ArtefactContract):
    @pytest.fixture
    def store(self, emulated: AwsSessions) -> ArtefactStore:
        store = open_store(_settings(), emulated)
        store.ensure()
        return store

    def test_location_fills_in_prefix_account_and_region(self, store: ArtefactStore) -> None:
        assert store.location == f"s3://{BUCKET}"

    def test_bucket_is_private_versioned_and_encrypted(self, store: ArtefactStore, emulated: AwsSessions) -> None:
        s3 = emulated.client("s3")
        assert all(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values())
        assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
        rules = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"

    def test_put_encrypts_and_keeps_the_content_type(self, store: ArtefactStore, emulated: AwsSessions) -> None:
        store.put("k", b"x", content_type="application/json")
        head = emulated.client("s3").head_object(Bucket=BUCKET, Key="k")
        assert (head["ServerSideEncryption"], head["ContentType"]) == ("AES256", "application/json")

    def test_put_when_body_is_large_then_sends_parts(self, emulated: AwsSessions, store: ArtefactStore) -> None:
        large = S3Store(lambda: emulated.client("s3"), BUCKET, "p", multipart_bytes=5 * 1024 * 1024)
        body = b"0123456789" * 700_000
        large.put("big", body)
        assert large.get("big") == body
        assert emulated.client("s3").head_object(Bucket=BUCKET, Key="p/big")["ETag"].endswith('-2"')

    def test_prefix_keeps_stores_apart(self, emulated: AwsSessions, store: ArtefactStore) -> None:
        inner = open_store(_settings(f"s3://{BUCKET}/team/a/"), emulated)
        inner.put("k", b"inner")
        store.put("k", b"outer")
        assert inner.get("k") == b"inner"
        assert list(inner.list()) == ["k"]
        assert list(store.list()) == ["k", "team/a/k"]
        assert inner.location == f"s3://{BUCKET}/team/a"

    def test_list_follows_the_pages(self, store: ArtefactStore, emulated: AwsSessions) -> None:
        events = emulated.client("s3").meta.events
        events.register("provide-client-params.s3.ListObjectsV2", lambda params, **_: {**params, "MaxKeys": 2})
        for number in range(5):
            store.put(f"many/{number}", b"")
        assert list(store.list("many/")) == [f"many/{number}" for number in range(5)]

    def test_url_is_signed_with_version_4(self, store: ArtefactStore) -> None:
        store.put("k", b"x")
        assert "X-Amz-Signature=" in store.url("k", seconds=60)
        assert "X-Amz-Expires=60" in store.url("k", seconds=60)

    def test_put_when_bucket_is_missing_then_says_what_to_do(self, emulated: AwsSessions) -> None:
        store = S3Store(lambda: emulated.client("s3"), "no-such-bucket")
        with pytest.raises(ArtefactError, match="NoSuchBucket") as caught:
            store.put("k", b"x")
        assert "create the bucket" in (caught.value.hint or "")


def test_open_store_gives_a_folder_for_a_path(tmp_path: Path) -> None:
    with AwsSessions(_settings()) as sessions:
        assert open_store(_settings(str(tmp_path)), sessions).location == str(tmp_path)
        assert open_store(_settings(f"file://{tmp_path}/a%20b"), sessions).location == f"{tmp_path}/a b"


@pytest.mark.parametrize("location", ["ftp://x/y", "s3://", "s3://Bad_Bucket", "s3://b", "s3://x{nope}"])
def test_open_store_when_location_is_wrong_then_refuses(location: str) -> None:
    with AwsSessions(_settings()) as sessions, pytest.raises(SettingsError) as caught:
        open_store(_settings(location), sessions)
    assert caught.value.where == "artefacts.location"
