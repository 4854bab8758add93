"""Sharing files of the artefact bucket with other accounts: S3 itself decides what they may do."""

from __future__ import annotations

import json
import random
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from core_lib.framework.errors import ArtefactError
from core_lib.helper.artefacts import S3Store
from core_lib.helper.artefacts.sharing import share
from deployments.local import EmbeddedCloud


def s3(cloud: EmbeddedCloud, account: str) -> Any:
    return boto3.client(
        "s3", endpoint_url=cloud.endpoint, region_name="eu-west-1", aws_access_key_id=account, aws_secret_access_key="x"
    )


def some_account() -> str:
    return str(random.SystemRandom().randrange(200_000_000_000, 999_999_999_999))


@pytest.fixture
def store(aws: EmbeddedCloud) -> S3Store:
    owner = some_account()
    made = S3Store(lambda: s3(aws, owner), f"shared-{owner}", region="eu-west-1")
    made.ensure()
    made.put("files/shop/web/app.zip", b"code")
    made.put("files/other/secret.txt", b"theirs")
    return made


def bucket_of(store: S3Store) -> str:
    return store.location.removeprefix("s3://")


def test_share_when_an_account_works_for_a_portfolio_then_it_reads_its_files_and_writes_context_only(
    aws: EmbeddedCloud, store: S3Store
) -> None:
    account, bucket = some_account(), bucket_of(store)
    client = s3(aws, account)
    with pytest.raises(ClientError, match="AccessDenied"):
        client.get_object(Bucket=bucket, Key="files/shop/web/app.zip")
    assert store.share("files/shop", account)
    assert client.get_object(Bucket=bucket, Key="files/shop/web/app.zip")["Body"].read() == b"code"
    client.put_object(Bucket=bucket, Key="files/shop/web/main/1/app/context.json", Body=b"{}")
    for denied in (
        lambda: client.put_object(Bucket=bucket, Key="files/shop/web/app.zip", Body=b"evil"),
        lambda: client.get_object(Bucket=bucket, Key="files/other/secret.txt"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            denied()


def test_share_when_others_are_there_already_then_they_stay(aws: EmbeddedCloud, store: S3Store) -> None:
    owner, bucket = bucket_of(store).removeprefix("shared-"), bucket_of(store)
    about = {"Action": "s3:PutBucketAcl", "Resource": f"arn:aws:s3:::{bucket}"}
    theirs = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", **about}
    client = s3(aws, owner)
    client.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [theirs]}))
    first, second = some_account(), some_account()
    assert store.share("files/shop", first)
    assert store.share("files/shop", second)
    assert not store.share("files/shop", first)
    statements = json.loads(client.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert statements[0]["Sid"] == "Theirs"
    assert [len(each["Principal"]["AWS"]) for each in statements[1:]] == [2, 2]


def test_share_when_the_policy_is_full_then_it_says_what_to_do(store: S3Store) -> None:
    class Full:
        """A bucket whose policy has 700 accounts already."""

        def get_bucket_policy(self, **_: Any) -> dict[str, str]:
            roots = [f"arn:aws:iam::{number:012}:root" for number in range(700)]
            statement = {"Sid": "Many", "Effect": "Allow", "Principal": {"AWS": roots}, "Action": "s3:Get*", "Resource": "*"}
            return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}

    with pytest.raises(ArtefactError, match="has no room") as told:
        share(Full(), bucket_of(store), "files/shop", some_account())
    assert "FilesBucketName" in (told.value.hint or "")
