"""The image actions through the real engine: instances in MiniStack, images and snapshots in moto, joined by the gateway."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from core_lib.framework.models import ActionStatus
from tests.builders.plans import action, example
from tests.integration.execute.conftest import REGION, ROLE, Rehearsal


def instance(rehearsal: Rehearsal) -> str:
    made = rehearsal.direct("ec2").run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
    return str(made["Instances"][0]["InstanceId"])


def client_of(rehearsal: Rehearsal, account: str, region: str = REGION) -> Any:
    return boto3.client(
        "ec2", endpoint_url=rehearsal.cloud.endpoint, region_name=region, aws_access_key_id=account, aws_secret_access_key="x"
    )


def own_images(rehearsal: Rehearsal) -> dict[str, dict[str, Any]]:
    found = rehearsal.direct("ec2").describe_images(Owners=["self"])["Images"]
    return {image["Name"]: image for image in found}


def tags_of(rehearsal: Rehearsal, snapshot: str) -> dict[str, str]:
    (found,) = rehearsal.direct("ec2").describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    return {tag["Key"]: tag["Value"] for tag in found["Tags"]}


def snapshot_of(image: dict[str, Any]) -> str:
    return str(image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"])


async def test_chain_when_an_image_is_baked_copied_and_the_first_one_deleted_then_only_the_tagged_copy_is_left(
    rehearsal: Rehearsal,
) -> None:
    bake = action(
        "bake", "AWS::CreateImage", target=rehearsal.target,
        spec={"InstanceId": instance(rehearsal), "ImageName": "shop-7", "Tags": {"App": "shop"}},
    )  # fmt: skip
    copy = action(
        "copy", "AWS::CopyImage", target=rehearsal.target, after=["bake"], references={"bake": bake.id},
        spec={"ImageName": "{{ outputs.bake.ImageId }}", "DestinationImageName": "shop-7-enc", "Tags": {"App": "shop"}},
    )  # fmt: skip
    delete = action(
        "delete", "AWS::DeleteImage", target=rehearsal.target, after=["copy"], spec={"ImageName": "shop-7"}
    )  # fmt: skip
    outcome = await rehearsal.run(bake, copy, delete)
    assert [outcome[name].status for name in ("bake", "copy", "delete")] == [ActionStatus.SUCCEEDED] * 3
    (copied,) = own_images(rehearsal).values()
    assert (copied["Name"], copied["ImageId"]) == ("shop-7-enc", outcome["copy"].outputs["ImageId"])
    assert {tag["Key"]: tag["Value"] for tag in copied["Tags"]}["App"] == "shop"
    assert tags_of(rehearsal, snapshot_of(copied))["App"] == "shop"
    (gone,) = outcome["bake"].outputs["SnapshotIds"]
    assert gone not in [each["SnapshotId"] for each in rehearsal.direct("ec2").describe_snapshots()["Snapshots"]]


async def test_images_when_run_a_second_time_then_nothing_changes(rehearsal: Rehearsal) -> None:
    bake = action(
        "bake", "AWS::CreateImage", target=rehearsal.target, spec={"InstanceId": instance(rehearsal), "ImageName": "shop-7"}
    )  # fmt: skip
    copy = action(
        "copy", "AWS::CopyImage", target=rehearsal.target, after=["bake"],
        spec={"ImageName": "shop-7", "DestinationImageName": "shop-7-enc"},
    )  # fmt: skip
    first, second = await rehearsal.run(bake, copy), await rehearsal.run(bake, copy)
    assert (first["copy"].changed, second["bake"].changed, second["copy"].changed) == (True, False, False)
    assert first["copy"].outputs == second["copy"].outputs
    assert len(own_images(rehearsal)) == 2


async def test_image_when_the_target_is_undone_then_it_goes_with_its_snapshots(rehearsal: Rehearsal) -> None:
    bake = action(
        "bake", "AWS::CreateImage", target=rehearsal.target, on_failure="undo",
        spec={"InstanceId": instance(rehearsal), "ImageName": "shop-7"},
    )  # fmt: skip
    bad = action(
        "bad", "AWS::GetStackOutputs", target=rehearsal.target, after=["bake"], spec={"StackName": "no"}, on_failure="undo"
    )
    before = len(rehearsal.direct("ec2").describe_snapshots()["Snapshots"])
    outcome = await rehearsal.run(bake, bad)
    assert outcome["bake"].status is ActionStatus.CANCELLED
    assert own_images(rehearsal) == {}
    assert len(rehearsal.direct("ec2").describe_snapshots()["Snapshots"]) == before


async def test_image_when_absent_then_deleting_it_is_fine(rehearsal: Rehearsal) -> None:
    outcome = await rehearsal.run(action("it", "AWS::DeleteImage", target=rehearsal.target, spec={"ImageName": "nothing-here"}))
    assert (outcome["it"].status, outcome["it"].changed) == (ActionStatus.SUCCEEDED, False)


async def test_image_when_shared_then_undoing_takes_back_only_what_was_added(rehearsal: Rehearsal) -> None:
    ec2 = rehearsal.direct("ec2")
    image = ec2.create_image(InstanceId=instance(rehearsal), Name="shop-7")["ImageId"]
    snapshot = snapshot_of(own_images(rehearsal)["shop-7"])

    def shared_with() -> tuple[list[Any], list[Any]]:
        launch = ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")["LaunchPermissions"]
        volumes = ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
        return launch, volumes["CreateVolumePermissions"]

    first = action(
        "first", "AWS::ShareImage", target=rehearsal.target, spec={"ImageName": "shop-7", "AccountsToShare": "222222222222"}
    )  # fmt: skip
    assert (await rehearsal.run(first))["first"].changed is True
    assert (await rehearsal.run(first))["first"].changed is False
    more = action(
        "more", "AWS::ShareImage", target=rehearsal.target, on_failure="undo",
        spec={"ImageName": image, "AccountsToShare": ["222222222222", "333333333333"]},
    )  # fmt: skip
    bad = action(
        "bad", "AWS::GetStackOutputs", target=rehearsal.target, after=["more"], spec={"StackName": "no"}, on_failure="undo"
    )
    assert (await rehearsal.run(more, bad))["more"].status is ActionStatus.CANCELLED
    assert shared_with() == ([{"UserId": "222222222222"}], [{"UserId": "222222222222"}])


async def test_image_when_duplicated_to_accounts_then_each_has_its_own_and_one_that_was_missing_is_made_later(
    rehearsal: Rehearsal, account_id: str
) -> None:
    """The gateway lets moto copy a snapshot that another account shares; moto registers images on snapshots of its own."""
    image = rehearsal.direct("ec2").create_image(InstanceId=instance(rehearsal), Name="shop-7")["ImageId"]
    near, far = (str(int(rehearsal.account) + number) for number in (1, 2))
    rehearsal.cloud.add_role(near, ROLE, trusts=account_id)
    duplicate = action(
        "it", "AWS::DuplicateImageToAccount", target=rehearsal.target,
        spec={"ImageName": "shop-7", "AccountsToShare": [near, far], "Tags": {"App": "shop"}},
    )  # fmt: skip
    first = await rehearsal.run(duplicate)
    assert first["it"].error is not None
    assert f"the image is in 1 of 2 accounts; not in {far}: " in first["it"].error.message
    rehearsal.cloud.add_role(far, ROLE, trusts=account_id)
    second = await rehearsal.run(duplicate)
    assert second["it"].outputs["SourceImageId"] == image
    for account in (near, far):
        ec2 = client_of(rehearsal, account)
        (made,) = ec2.describe_images(Owners=["self"])["Images"]
        assert (made["ImageId"], made["Name"]) == (second["it"].outputs["ImageIds"][account], "shop-7")
        copies = ec2.describe_snapshots(Filters=[{"Name": "tag:core:made-for", "Values": ["shop-7"]}])["Snapshots"]
        assert len(copies) == 1


async def test_duplicates_when_the_target_is_undone_then_they_are_gone_everywhere(rehearsal: Rehearsal, account_id: str) -> None:
    rehearsal.direct("ec2").create_image(InstanceId=instance(rehearsal), Name="shop-7")
    near = str(int(rehearsal.account) + 1)
    rehearsal.cloud.add_role(near, ROLE, trusts=account_id)
    duplicate = action(
        "it", "AWS::DuplicateImageToAccount", target=rehearsal.target, on_failure="undo",
        spec={"ImageName": "shop-7", "AccountsToShare": [near]},
    )  # fmt: skip
    bad = action(
        "bad", "AWS::GetStackOutputs", target=rehearsal.target, after=["it"], spec={"StackName": "no"}, on_failure="undo"
    )
    assert (await rehearsal.run(duplicate, bad))["it"].status is ActionStatus.CANCELLED
    ec2 = client_of(rehearsal, near)
    assert ec2.describe_images(Owners=["self"])["Images"] == []
    assert ec2.describe_snapshots(Filters=[{"Name": "tag:core:made-for", "Values": ["shop-7"]}])["Snapshots"] == []
    assert list(own_images(rehearsal)) == ["shop-7"]


@pytest.mark.example("AWS::CreateImage", "AWS::CopyImage", "AWS::DeleteImage")
async def test_making_images_when_the_examples_run_then_the_new_one_is_in_both_regions_and_the_old_one_gone(
    rehearsal: Rehearsal,
) -> None:
    bake = example("bake", "AWS::CreateImage", target=rehearsal.target, InstanceId=instance(rehearsal))
    rehearsal.direct("ec2").create_image(InstanceId=bake.spec["InstanceId"], Name="shop-web-6")
    outcome = await rehearsal.run(
        bake,
        example("copy", "AWS::CopyImage", target=rehearsal.target, after=["bake"]),
        example("delete", "AWS::DeleteImage", target=rehearsal.target, after=["copy"]),
    )
    assert {row.status for row in outcome.rows.values()} == {ActionStatus.SUCCEEDED}
    assert list(own_images(rehearsal)) == ["shop-web-7"]
    (copied,) = client_of(rehearsal, rehearsal.account, "eu-central-1").describe_images(Owners=["self"])["Images"]
    assert copied["Name"] == "shop-web-7-encrypted"


@pytest.mark.example("AWS::ShareImage", "AWS::DuplicateImageToAccount")
async def test_giving_images_away_when_the_examples_run_then_other_accounts_have_them(
    rehearsal: Rehearsal, account_id: str
) -> None:
    rehearsal.direct("ec2").create_image(InstanceId=instance(rehearsal), Name="shop-web-7-encrypted")
    for account in ("222222222222", "333333333333"):
        rehearsal.cloud.add_role(account, ROLE, trusts=account_id)
    outcome = await rehearsal.run(
        example("share", "AWS::ShareImage", target=rehearsal.target),
        example("duplicate", "AWS::DuplicateImageToAccount", target=rehearsal.target, after=["share"]),
    )
    assert {row.status for row in outcome.rows.values()} == {ActionStatus.SUCCEEDED}
    assert set(outcome["duplicate"].outputs["ImageIds"]) == {"222222222222", "333333333333"}
