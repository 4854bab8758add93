"""AWS::SyncFiles against buckets in memory that list in pages and in the order of S3, and keep what a copy is told."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.execute import Again, Done, Failed
from core_lib.execute.actions import sync_files
from core_lib.execute.actions.sync_files import SyncFiles
from core_lib.execute.buckets.copies import LARGEST, Headers
from core_lib.framework.models import Target
from tests.builders.contexts import ACCOUNT, REGION, context_of
from tests.builders.scripted import names, refusal, scripted
from tests.builders.steps import drive

ACTION = SyncFiles()
SOURCE = "files/shop/web/main/7/site/"


class MemoryBuckets:
    """Objects by bucket and key: content, and the headers that a copy was told. `with_kms`: ETags tell nothing."""

    def __init__(self, site: dict[str, str], live: dict[str, str] | None = None, *, with_kms: bool = False) -> None:
        self.with_kms = with_kms
        self.sizes: dict[str, int] = {}
        self.objects = {
            "files": {f"{SOURCE}{path}": {"Body": body} for path, body in site.items()},
            "live": {path: {"Body": body} for path, body in (live or {}).items()},
        }
        self.client = scripted(
            "s3", list_objects_v2=self.list, head_object=self.head, copy_object=self.copy, delete_object=self.delete
        )

    @property
    def live(self) -> dict[str, str]:
        return {path: told["Body"] for path, told in self.objects["live"].items()}

    def headers(self, path: str) -> dict[str, str]:
        return {name: value for name, value in self.objects["live"][path].items() if name != "Body"}

    def did(self, method: str) -> list[str]:
        return [arguments["Key"] for name, arguments in self.client.calls if name == method]

    def list(self, Bucket: str, Prefix: str, MaxKeys: int, StartAfter: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803
        found = sorted((key for key in self.objects[Bucket] if key.startswith(Prefix)), key=str.encode)
        left = [key for key in found if key.encode() > StartAfter.encode()]
        contents = [{"Key": key, "Size": self.size(Bucket, key), "ETag": self.etag(Bucket, key)} for key in left[:MaxKeys]]
        return {"Contents": contents, "IsTruncated": len(left) > MaxKeys}

    def size(self, bucket: str, key: str) -> int:
        return self.sizes.get(key, len(self.objects[bucket][key]["Body"]))

    def etag(self, bucket: str, key: str) -> str:
        seed = f"{bucket}/{key}" if self.with_kms else self.objects[bucket][key]["Body"]
        return hashlib.md5(seed.encode(), usedforsecurity=False).hexdigest()

    def head(self, Bucket: str, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        found = self.objects[Bucket].get(Key)
        if found is None:
            raise refusal("404", status=404)
        return {"ChecksumCRC64NVME": found["Body"]} | {name: value for name, value in found.items() if name != "Body"}

    def copy(self, Bucket: str, Key: str, CopySource: str, **told: Any) -> dict[str, Any]:  # noqa: N803
        headers = {name: told[name] for name in ("ContentType", "CacheControl") if name in told}
        bucket, _, key = CopySource.partition("/")
        self.objects[Bucket][Key] = self.objects[bucket][key] | headers
        return {}

    def delete(self, Bucket: str, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        self.objects[Bucket].pop(Key, None)
        return {}


def contexts(buckets: MemoryBuckets, **params: Any) -> Any:
    spec = {"SourceBucket": "files", "SourcePrefix": SOURCE, "BucketName": "live"} | params
    return lambda scratch: context_of(SyncFiles, {"s3": buckets.client}, scratch=scratch, **spec)


def synced(buckets: MemoryBuckets, **params: Any) -> Done:
    done, _ = drive(ACTION, contexts(buckets, **params))
    assert isinstance(done, Done), done
    return done


def test_files_when_new_then_they_are_copied_inside_s3_with_their_content_types() -> None:
    buckets = MemoryBuckets({"index.html": "<h1>", "app.js": "1", "font.woff2": "x", "data.unknown": "?"})
    done = synced(buckets)
    assert (done.outputs, done.changed) == ({"Files": 4, "Copied": 4, "Deleted": 0}, True)
    types = {path: buckets.headers(path)["ContentType"] for path in buckets.live}
    assert types == {
        "index.html": "text/html; charset=utf-8",
        "app.js": "text/javascript; charset=utf-8",
        "font.woff2": "font/woff2",
        "data.unknown": "application/octet-stream",
    }


def test_files_when_the_own_bucket_is_named_then_every_call_on_it_names_its_owner() -> None:
    buckets = MemoryBuckets({"a.txt": "1"}, {"b.txt": "2"})
    synced(buckets, Delete=True)
    on_live = [arguments for _, arguments in buckets.client.calls if arguments["Bucket"] == "live"]
    assert {arguments["ExpectedBucketOwner"] for arguments in on_live} == {ACCOUNT}


@pytest.mark.parametrize("with_kms", [False, True])
def test_files_when_synced_again_then_nothing_is_copied_even_where_etags_tell_nothing(with_kms: bool) -> None:
    buckets = MemoryBuckets({"index.html": "<h1>", "a/b.css": "x"}, with_kms=with_kms)
    synced(buckets)
    again = synced(buckets)
    assert (again.outputs["Copied"], again.changed) == (0, False)


@pytest.mark.parametrize("with_kms", [False, True])
def test_file_when_its_content_differs_at_the_same_size_then_it_alone_is_copied(with_kms: bool) -> None:
    buckets = MemoryBuckets({"a.txt": "old", "b.txt": "same"}, with_kms=with_kms)
    synced(buckets)
    buckets.objects["files"][f"{SOURCE}a.txt"] = {"Body": "new"}
    buckets.client.calls.clear()
    assert synced(buckets).outputs["Copied"] == 1
    assert (buckets.did("copy_object"), buckets.live["a.txt"]) == (["a.txt"], "new")


def test_file_when_only_its_caching_changes_then_it_is_copied_again() -> None:
    buckets = MemoryBuckets({"index.html": "<h1>", "app.js": "1"})
    synced(buckets)
    done = synced(buckets, CacheControl={"*.html": "no-cache", "*.css": "max-age=9"})
    assert done.outputs["Copied"] == 1
    assert (buckets.headers("index.html")["CacheControl"], "CacheControl" in buckets.headers("app.js")) == ("no-cache", False)
    assert synced(buckets).outputs["Copied"] == 1, "and back again"


def test_file_when_a_content_type_is_given_then_it_counts() -> None:
    buckets = MemoryBuckets({"feed": "x", "app.LOG": "y"})
    synced(buckets, ContentTypes={".log": "text/x-log"})
    assert buckets.headers("app.LOG")["ContentType"] == "text/x-log"


def test_gone_files_when_not_asked_for_then_they_stay() -> None:
    buckets = MemoryBuckets({"a.txt": "1"}, {"old.txt": "2"})
    synced(buckets)
    assert set(buckets.live) == {"a.txt", "old.txt"}


def test_gone_files_when_asked_for_then_they_are_deleted_after_all_copies() -> None:
    buckets = MemoryBuckets({"a.txt": "1", "z.txt": "1"}, {"m.txt": "2"})
    done = synced(buckets, Delete=True)
    assert done.outputs == {"Files": 2, "Copied": 2, "Deleted": 1}
    assert set(buckets.live) == {"a.txt", "z.txt"}
    changes = [name for name in names(buckets.client) if name in ("copy_object", "delete_object")]
    assert changes == ["copy_object", "copy_object", "delete_object"]


def test_excluded_files_when_asked_for_then_they_are_neither_copied_nor_deleted() -> None:
    buckets = MemoryBuckets({"a.js": "1", "a.js.map": "m", "_content/x": "1", "folder/": ""}, {"kept.map": "2"})
    synced(buckets, Delete=True, Exclude=["*.map", "_content/*"])
    assert set(buckets.live) == {"a.js", "kept.map"}


def test_source_when_it_has_no_file_then_nothing_is_deleted_and_the_error_says_where_it_looked() -> None:
    buckets = MemoryBuckets({}, {"live.txt": "1"})
    failed, _ = drive(ACTION, contexts(buckets, Delete=True))
    assert isinstance(failed, Failed)
    assert "s3://files/" + SOURCE in failed.message
    assert buckets.live == {"live.txt": "1"}
    synced(buckets, Delete=True, AllowEmpty=True)
    assert buckets.live == {}


def test_file_when_s3_cannot_copy_it_in_one_call_then_the_others_are_copied_and_its_name_is_told() -> None:
    buckets = MemoryBuckets({"film.mp4": "x", "a.txt": "1"})
    buckets.sizes[f"{SOURCE}film.mp4"] = LARGEST + 1
    failed, _ = drive(ACTION, contexts(buckets, Delete=True))
    assert isinstance(failed, Failed)
    assert "film.mp4" in failed.message
    assert set(buckets.live) == {"a.txt"}


def test_many_files_when_a_worker_dies_between_two_portions_then_the_next_one_goes_on_behind_the_last_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sync_files, "KEYS_PER_STEP", 3)
    buckets = MemoryBuckets({f"{number}.txt": "x" for number in range(8)})
    step = ACTION.start(contexts(buckets)({}))
    assert isinstance(step, Again)
    assert step.scratch is not None
    assert (step.scratch["after"], step.message) == ("2.txt", "3 of 3 files copied")
    ACTION.check(contexts(buckets)(dict(step.scratch)))
    buckets.client.calls.clear()
    again = ACTION.check(contexts(buckets)(dict(step.scratch)))
    assert isinstance(again, Again)
    assert buckets.did("copy_object") == [], "the dead worker had copied these"


@pytest.mark.cancel("AWS::SyncFiles")
def test_cancel_when_it_is_under_way_then_what_is_copied_stays() -> None:
    done = ACTION.cancel(contexts(MemoryBuckets({}))({"files": 9, "copied": 4}))
    assert isinstance(done, Done)
    assert done.message == "stopped: 4 of 9 files copied"


PATHS = st.dictionaries(
    st.text("abZ/.é-", min_size=1, max_size=6).filter(lambda path: not path.endswith("/")), st.text("xy", max_size=2)
)


@given(PATHS.filter(bool), PATHS, st.integers(1, 4))
def test_any_two_sides_when_synced_with_delete_in_portions_of_any_size_then_they_are_the_same(
    site: dict[str, str], live: dict[str, str], portion: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sync_files, "KEYS_PER_STEP", portion)
        buckets = MemoryBuckets(site, live)
        synced(buckets, Delete=True)
        assert buckets.live == site


def test_source_when_in_another_region_then_it_is_asked_there() -> None:
    buckets = MemoryBuckets({"a.txt": "1"})
    spec = {"SourceBucket": "files", "SourcePrefix": SOURCE, "BucketName": "live", "SourceRegion": "us-east-1"}
    ctx = context_of(SyncFiles, {"s3@us-east-1": buckets.client, "s3": buckets.client}, **spec)
    assert isinstance(ACTION.start(ctx), Done)


def test_caching_when_several_patterns_match_then_the_first_counts() -> None:
    headers = Headers({}, {"*.html": "no-cache", "*": "max-age=60"})
    assert headers.of("index.html")["CacheControl"] == "no-cache"
    assert headers.of("a/b.css")["CacheControl"] == "max-age=60"


def test_permissions_when_nothing_is_to_be_deleted_then_deleting_is_not_asked_for() -> None:
    params = {"SourceBucket": "files", "SourcePrefix": SOURCE, "BucketName": "live"}
    scope = SyncFiles.scope(params, Target(account=ACCOUNT, region=REGION), "aws")
    assert scope["s3:PutObject"] == ("arn:aws:s3:::live/*",)
    assert scope["s3:GetObject"] == (f"arn:aws:s3:::files/{SOURCE}*", "arn:aws:s3:::live/*")
    assert scope["s3:DeleteObject"] == ()
    assert SyncFiles.scope(params | {"Delete": True}, Target(account=ACCOUNT, region=REGION), "aws")["s3:DeleteObject"]
