"""AWS::EmptyBucket against a small bucket in memory that pages, refuses and throttles as S3 does."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from core_lib.execute import Again, Done, Failed
from core_lib.execute.actions.empty_bucket import MOST_REFUSED, PAGES_PER_STEP, EmptyBucket
from core_lib.framework.errors import SchemaError
from core_lib.framework.models import Target
from tests.builders.contexts import ACCOUNT, context_of
from tests.builders.scripted import names, refusal, scripted
from tests.builders.steps import drive

ACTION = EmptyBucket()
LOCKED = {"Code": "AccessDenied", "Message": "Access Denied because object protected by object lock."}
BUSY = {"Code": "InternalError", "Message": "We encountered an internal error. Please try again."}


class MemoryBucket:
    """Versions in order of their keys; `stuck` keys are refused with an error, as often as their list says (None = for ever)."""

    def __init__(self, versions: int, uploads: int = 0, page: int = 1000) -> None:
        self.versions = [f"key/{number:07d}" for number in range(versions)]
        self.uploads = [f"upload/{number}" for number in range(uploads)]
        self.page = page
        self.stuck: dict[str, tuple[dict[str, str], int | None]] = {}
        self.client = scripted(
            "s3", list_object_versions=self.list_versions, list_multipart_uploads=self.list_uploads, delete_objects=self.delete,
            abort_multipart_upload=self.abort,
        )  # fmt: skip

    def list_versions(self, Prefix: str, KeyMarker: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803 - S3's names
        left = [key for key in self.versions if key > KeyMarker and key.startswith(Prefix)]
        shown = [{"Key": key, "VersionId": f"v-{key}"} for key in left[: self.page]]
        half = len(shown) // 2
        answer: dict[str, Any] = {"Versions": shown[half:], "DeleteMarkers": shown[:half], "IsTruncated": len(left) > self.page}
        return answer | ({"NextKeyMarker": shown[-1]["Key"], "NextVersionIdMarker": "v"} if answer["IsTruncated"] else {})

    def delete(self, Delete: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803 - S3's names
        errors = []
        for each in Delete["Objects"]:
            key = each["Key"]
            error, times = self.stuck.get(key, ({}, 0))
            if times == 0:
                self.versions.remove(key)
                continue
            self.stuck[key] = (error, None if times is None else times - 1)
            errors.append({"Key": key, "VersionId": each["VersionId"], **error})
        return {"Errors": errors}

    def list_uploads(self, **_: Any) -> dict[str, Any]:
        return {"Uploads": [{"Key": key, "UploadId": "u"} for key in self.uploads], "IsTruncated": False}

    def abort(self, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - S3's names
        self.uploads.remove(Key)
        return {}


def contexts(client: Any, **params: Any) -> Any:
    spec = {"BucketName": "assets"} | params
    return lambda scratch: context_of(EmptyBucket, {"s3": client}, scratch=scratch, **spec)


def test_bucket_when_full_then_versions_markers_and_uploads_go_and_a_last_look_finds_nothing() -> None:
    bucket = MemoryBucket(25, uploads=2, page=10)
    done, _ = drive(ACTION, contexts(bucket.client))
    assert (bucket.versions, bucket.uploads) == ([], [])
    assert isinstance(done, Done)
    assert (done.outputs, done.changed) == ({"Deleted": 25, "UploadsAborted": 2}, True)
    assert names(bucket.client)[-2:] == ["list_object_versions", "list_multipart_uploads"]
    assert all(arguments["ExpectedBucketOwner"] == ACCOUNT for _, arguments in bucket.client.calls)


def test_bucket_when_it_has_many_pages_then_a_step_takes_a_few_of_them_and_says_how_far_it_is() -> None:
    bucket = MemoryBucket(1000, page=10)
    step = ACTION.start(contexts(bucket.client)({}))
    assert isinstance(step, Again)
    assert len(bucket.versions) == 1000 - PAGES_PER_STEP * 10
    assert step.after == 0
    assert step.message == "50 object versions and delete markers deleted"
    assert len(str(step.scratch)) < 300


def test_bucket_when_a_worker_is_killed_in_the_middle_then_the_next_one_goes_on_with_the_old_scratch() -> None:
    bucket = MemoryBucket(200, page=10)
    make = contexts(bucket.client)
    first = ACTION.start(make({}))
    assert isinstance(first, Again)
    ACTION.check(make(dict(first.scratch or {})))
    done, _ = drive(ACTION, lambda scratch: make(scratch or dict(first.scratch or {})))
    assert isinstance(done, Done)
    assert bucket.versions == []


def test_bucket_when_keys_are_locked_then_everything_else_goes_and_they_are_named() -> None:
    bucket = MemoryBucket(35, page=10)
    bucket.stuck = {"key/0000003": (LOCKED, None), "key/0000017": (LOCKED, None)}
    failed, _ = drive(ACTION, contexts(bucket.client))
    assert bucket.versions == ["key/0000003", "key/0000017"]
    assert isinstance(failed, Failed)
    assert "refuses to delete 2 object versions" in failed.message
    assert "key/0000003 (AccessDenied: Access Denied because object protected by object lock.)" in failed.message
    assert "BypassGovernanceRetention" in (failed.hint or "")


def test_bucket_when_a_key_fails_for_a_moment_then_another_pass_takes_it() -> None:
    bucket = MemoryBucket(25, page=10)
    bucket.stuck = {"key/0000003": (BUSY, 2)}
    done, _ = drive(ACTION, contexts(bucket.client))
    assert isinstance(done, Done)
    assert bucket.versions == []
    assert done.outputs["Deleted"] == 25


def test_bucket_when_nothing_may_be_deleted_then_it_stops_early() -> None:
    bucket = MemoryBucket(MOST_REFUSED * 20)
    bucket.stuck = {key: ({"Code": "AccessDenied", "Message": "Access Denied"}, None) for key in bucket.versions}
    failed, _ = drive(ACTION, contexts(bucket.client), most=3)
    assert isinstance(failed, Failed)
    assert "s3:DeleteObjectVersion" in (failed.hint or "")
    assert names(bucket.client).count("delete_objects") == 1


def test_bucket_when_only_a_prefix_is_meant_then_the_rest_stays() -> None:
    bucket = MemoryBucket(5)
    bucket.versions = ["a/1", "b/1", "b/2", "c/1"]
    done, _ = drive(ACTION, contexts(bucket.client, Prefix="b/"))
    assert isinstance(done, Done)
    assert bucket.versions == ["a/1", "c/1"]


def test_bucket_when_somebody_keeps_writing_then_it_fails_after_many_passes() -> None:
    bucket = MemoryBucket(1)
    delete = bucket.delete

    def delete_and_refill(**arguments: Any) -> dict[str, Any]:
        answer = delete(**arguments)
        bucket.versions.append("key/again")
        return answer

    client = scripted(
        "s3",
        list_object_versions=bucket.list_versions,
        list_multipart_uploads=bucket.list_uploads,
        delete_objects=delete_and_refill,
    )
    failed, _ = drive(ACTION, contexts(client))
    assert isinstance(failed, Failed)
    assert "does not become empty" in failed.message


def test_bucket_when_missing_then_that_is_fine() -> None:
    client = scripted("s3", list_object_versions=refusal("NoSuchBucket"))
    done, _ = drive(ACTION, contexts(client))
    assert isinstance(done, Done)
    assert (done.changed, done.message) == (False, "there is no such bucket")


@pytest.mark.parametrize("code", ["AccessDenied", "SlowDown"])
def test_bucket_when_s3_says_no_to_a_whole_call_then_the_engine_judges_it(code: str) -> None:
    with pytest.raises(ClientError, match=code):
        ACTION.start(contexts(scripted("s3", list_object_versions=refusal(code)))({}))


def test_upload_when_it_is_gone_meanwhile_then_that_is_fine() -> None:
    bucket = MemoryBucket(0, uploads=1)

    def gone(**_: Any) -> Any:
        bucket.uploads.clear()
        raise refusal("NoSuchUpload")

    client = scripted(
        "s3", list_object_versions=bucket.list_versions, list_multipart_uploads=bucket.list_uploads, abort_multipart_upload=gone
    )
    assert isinstance(drive(ACTION, contexts(client))[0], Done)


def test_governance_when_bypassed_then_s3_is_told() -> None:
    bucket = MemoryBucket(1)
    drive(ACTION, contexts(bucket.client, BypassGovernanceRetention=True))
    assert dict(bucket.client.calls)["delete_objects"]["BypassGovernanceRetention"] is True


@pytest.mark.cancel("AWS::EmptyBucket")
def test_cancel_when_in_the_middle_then_it_stops_and_says_how_far_it_came() -> None:
    bucket = MemoryBucket(1000, page=10)
    step = ACTION.start(contexts(bucket.client)({}))
    assert isinstance(step, Again)
    stopped = ACTION.cancel(contexts(bucket.client)(dict(step.scratch or {})))
    assert stopped == Done(message="stopped: 50 object versions and delete markers deleted")
    assert len(bucket.versions) == 950


def test_scope_when_a_bucket_and_prefix_are_named_then_nothing_else_is_in_it() -> None:
    target = Target(account=ACCOUNT, region="eu-west-1")
    found = EmptyBucket.scope({"BucketName": "assets", "Prefix": "b/"}, target, "aws")
    assert found["s3:ListBucketVersions"] == ("arn:aws:s3:::assets",)
    assert found["s3:DeleteObjectVersion"] == ("arn:aws:s3:::assets/b/*",)


def test_spec_when_the_bucket_is_called_bucket_then_it_is_understood_and_a_wrong_name_is_not() -> None:
    assert context_of(EmptyBucket, {}, Bucket="assets").params.bucket_name == "assets"
    with pytest.raises(SchemaError, match="BucketName"):
        context_of(EmptyBucket, {}, BucketName="No_Bucket")
