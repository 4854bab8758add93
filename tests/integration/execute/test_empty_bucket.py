"""AWS::EmptyBucket through the real engine against the embedded cloud's S3."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.framework.models import ActionStatus
from tests.builders.plans import action, example
from tests.integration.execute.conftest import REGION, Rehearsal


def bucket(rehearsal: Rehearsal, name: str) -> Any:
    s3 = rehearsal.direct("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return s3


@pytest.mark.example("AWS::EmptyBucket")
async def test_bucket_when_it_has_versions_markers_and_uploads_then_it_can_be_deleted_afterwards(rehearsal: Rehearsal) -> None:
    part = example("part", "AWS::EmptyBucket", target=rehearsal.target)
    name = part.spec["BucketName"]
    s3 = bucket(rehearsal, name)
    for key in ("releases/1", "releases/2", "strange & <key>/ü"):
        s3.put_object(Bucket=name, Key=key, Body=b"one")
        s3.put_object(Bucket=name, Key=key, Body=b"two")
        s3.delete_object(Bucket=name, Key=key)
    s3.create_multipart_upload(Bucket=name, Key="big")
    empty = action("it", "AWS::EmptyBucket", target=rehearsal.target, spec={"BucketName": name})
    assert (await rehearsal.run(part))["part"].outputs == {"Deleted": 6, "UploadsAborted": 0}
    outcome = await rehearsal.run(empty)
    assert outcome["it"].outputs == {"Deleted": 3, "UploadsAborted": 1}
    s3.delete_bucket(Bucket=name)
    again = await rehearsal.run(empty)
    assert (again["it"].status, again["it"].changed) == (ActionStatus.SUCCEEDED, False)


async def test_bucket_when_it_has_more_than_a_step_takes_then_it_is_emptied_page_by_page(rehearsal: Rehearsal) -> None:
    name = f"many-{rehearsal.account}"
    s3 = bucket(rehearsal, name)
    for number in range(120):
        s3.put_object(Bucket=name, Key=f"{number:03d}", Body=b"")
    slow = {"code": "SlowDown", "message": "Please reduce your request rate.", "status": 503}
    rehearsal.cloud.faults([{"match": {"service": "s3", "operation": "DeleteObjects"}, "error": slow, "times": 1}])
    outcome = await rehearsal.run(action("it", "AWS::EmptyBucket", target=rehearsal.target, spec={"BucketName": name}))
    assert outcome["it"].outputs["Deleted"] == 120
    assert "Versions" not in s3.list_object_versions(Bucket=name)
