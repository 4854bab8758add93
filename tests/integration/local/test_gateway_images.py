"""Images and snapshots lie in one emulator, instances and volumes in another: the gateway makes them one EC2."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from deployments.local import EmbeddedCloud


def ec2(aws: EmbeddedCloud, account: str) -> Any:
    return boto3.client(
        "ec2", endpoint_url=aws.endpoint, region_name="eu-west-1", aws_access_key_id=account, aws_secret_access_key="x"
    )


def test_snapshot_when_made_of_a_volume_then_it_has_its_size_tags_and_name(aws: EmbeddedCloud, account_id: str) -> None:
    client = ec2(aws, account_id)
    volume = client.create_volume(AvailabilityZone="eu-west-1a", Size=11)["VolumeId"]
    tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "App", "Value": "shop"}]}]
    made = client.create_snapshot(VolumeId=volume, TagSpecifications=tags)
    assert made["VolumeId"] == volume
    client.create_tags(Resources=[made["SnapshotId"]], Tags=[{"Key": "Build", "Value": "7"}])
    (shown,) = client.describe_snapshots(SnapshotIds=[made["SnapshotId"]])["Snapshots"]
    assert shown["VolumeSize"] == 11
    assert {tag["Key"]: tag["Value"] for tag in shown["Tags"]} == {"App": "shop", "Build": "7"}


def test_snapshot_when_the_volume_is_unknown_then_it_is_refused(aws: EmbeddedCloud, account_id: str) -> None:
    with pytest.raises(ClientError, match=r"InvalidVolume\.NotFound"):
        ec2(aws, account_id).create_snapshot(VolumeId="vol-0123456789abcdef0")


def test_snapshot_when_copied_by_another_account_then_only_if_it_is_shared_with_it(aws: EmbeddedCloud, account_id: str) -> None:
    owner, other, third = (ec2(aws, str(int(account_id) + number)) for number in range(3))
    volume = owner.create_volume(AvailabilityZone="eu-west-1a", Size=9)["VolumeId"]
    snapshot = owner.create_snapshot(VolumeId=volume)["SnapshotId"]
    copy = {"SourceRegion": "eu-west-1", "SourceSnapshotId": snapshot}
    with pytest.raises(ClientError, match=r"InvalidSnapshot\.NotFound"):
        other.copy_snapshot(**copy)
    owner.modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=[str(int(account_id) + 1)]
    )
    copied = other.copy_snapshot(**copy)["SnapshotId"]
    (shown,) = other.describe_snapshots(SnapshotIds=[copied])["Snapshots"]
    assert (shown["VolumeSize"], shown["OwnerId"]) == (9, str(int(account_id) + 1))
    with pytest.raises(ClientError, match=r"InvalidSnapshot\.NotFound"):
        third.copy_snapshot(**copy)
