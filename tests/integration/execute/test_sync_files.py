"""AWS::SyncFiles through the real engine against the embedded cloud's S3."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders.plans import action, example
from tests.integration.execute.conftest import REGION, Rehearsal


@pytest.mark.example("AWS::SyncFiles", but=("SourceBucket",))
async def test_site_when_synced_twice_then_only_what_differs_is_copied_and_what_is_gone_is_deleted(rehearsal: Rehearsal) -> None:
    source, live = f"files-{rehearsal.account}", f"live-{rehearsal.account}"
    part = example("part", "AWS::SyncFiles", target=rehearsal.target, SourceBucket=source, BucketName=live)
    prefix = part.spec["SourcePrefix"]
    s3 = rehearsal.direct("s3")
    for name in (source, live):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    for path, body in {"index.html": b"<h1>", "a b/ü.css": b"x", "app.js": b"1"}.items():
        s3.put_object(Bucket=source, Key=f"{prefix}{path}", Body=body)
    s3.put_object(Bucket=live, Key="old.html", Body=b"old")
    first = (await rehearsal.run(part))["part"]
    assert (first.error, first.outputs) == (None, {"Files": 3, "Copied": 3, "Deleted": 1})
    page = s3.get_object(Bucket=live, Key="index.html")
    assert (page["ContentType"], page["CacheControl"], page["Body"].read()) == ("text/html; charset=utf-8", "no-cache", b"<h1>")
    assert keys(s3, live) == {"index.html", "a b/ü.css", "app.js"}

    s3.put_object(Bucket=source, Key=f"{prefix}index.html", Body=b"<h2>")
    again = action("it", "AWS::SyncFiles", target=rehearsal.target, spec=dict(part.spec))
    assert (await rehearsal.run(again))["it"].outputs == {"Files": 3, "Copied": 1, "Deleted": 0}


async def test_site_when_it_has_more_files_than_a_step_takes_then_it_is_copied_portion_by_portion(rehearsal: Rehearsal) -> None:
    source, live = f"many-files-{rehearsal.account}", f"many-live-{rehearsal.account}"
    s3 = rehearsal.direct("s3")
    for name in (source, live):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    for number in range(130):
        s3.put_object(Bucket=source, Key=f"site/{number:03d}.txt", Body=b"")
    slow = {"code": "SlowDown", "message": "Please reduce your request rate.", "status": 503}
    rehearsal.cloud.faults([{"match": {"service": "s3", "operation": "CopyObject"}, "error": slow, "times": 1}])
    spec = {"SourceBucket": source, "SourcePrefix": "site/", "BucketName": live}
    outcome = await rehearsal.run(action("it", "AWS::SyncFiles", target=rehearsal.target, spec=spec))
    assert outcome["it"].outputs["Files"] == 130
    assert len(keys(s3, live)) == 130


def keys(s3: Any, bucket: str) -> set[str]:
    return {each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", ())}
