"""Sharing files of a bucket with the accounts that components are deployed to, by statements of its bucket policy.

Every portfolio has two statements, which name the accounts that work for it: they read the portfolio's files (code, scripts), and
write context files beside them. Whoever else wrote statements keeps them.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from core_lib.framework.errors import ArtefactError

_ROUNDS = 5
_LONGEST = 20 * 1024
"""Bytes that a bucket policy may have."""

Statement = dict[str, Any]


def share(client: Any, bucket: str, folder: str, account: str, partition: str = "aws") -> bool:
    """Let an account work with what lies below `folder` (`files/portfolio`) of a bucket; whether that was new.

    Others may change the policy at the same time, so it is read again until it says what it should.

    Raises:
        ArtefactError: the policy has no room for another account, or keeps being changed by others.
    """
    for attempt in range(_ROUNDS):
        policy = _policy(client, bucket)
        wanted = _with(policy, bucket, folder, account, partition)
        if wanted == policy:
            return attempt > 0
        text = json.dumps(wanted, separators=(",", ":"))
        if len(text) > _LONGEST:
            raise ArtefactError(
                f"the bucket policy has no room for account {account}",
                where=bucket,
                hint="give some apps a bucket of their own: the facts FilesBucketName and FilesBucketRegion",
            )
        client.put_bucket_policy(Bucket=bucket, Policy=text)
    raise ArtefactError("the bucket policy keeps being changed by others", where=bucket, hint="try again")


def _policy(client: Any, bucket: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(client.get_bucket_policy(Bucket=bucket)["Policy"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        return {"Version": "2012-10-17", "Statement": []}
    return found


def _with(policy: Mapping[str, Any], bucket: str, folder: str, account: str, partition: str) -> dict[str, Any]:
    """The policy with this account among those of the folder."""
    ours = {statement["Sid"]: statement for statement in _statements(bucket, folder, partition)}
    present = {statement.get("Sid"): statement for statement in policy["Statement"]}
    root = f"arn:{partition}:iam::{account}:root"
    changed = []
    for sid, statement in ours.items():
        known = _principals(present.get(sid))
        changed.append({**statement, "Principal": {"AWS": sorted({*known, root})}})
    kept = [statement for statement in policy["Statement"] if statement.get("Sid") not in ours]
    same = all(_principals(present.get(each["Sid"])) == each["Principal"]["AWS"] for each in changed)
    return dict(policy) if same else {**policy, "Statement": [*kept, *changed]}


def _principals(statement: Mapping[str, Any] | None) -> list[str]:
    if statement is None:
        return []
    found = statement["Principal"]["AWS"]
    return sorted([found] if isinstance(found, str) else found)


def _statements(bucket: str, folder: str, partition: str) -> Iterator[Statement]:
    name = hashlib.sha256(folder.encode()).hexdigest()[:8]
    arn = f"arn:{partition}:s3:::{bucket}"
    yield {"Sid": f"CoreRead{name}", "Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{arn}/{folder}/*"}
    yield {
        "Sid": f"CoreContext{name}",
        "Effect": "Allow",
        "Action": ["s3:PutObject", "s3:DeleteObject"],
        "Resource": [f"{arn}/{folder}/*/context.{kind}" for kind in ("yaml", "json", "sh")],
    }
