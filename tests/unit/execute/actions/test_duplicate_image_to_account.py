"""AWS::DuplicateImageToAccount against a small EC2 of several accounts in memory, with slow, failing and refused copies."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.execute import Again, Done, Failed
from core_lib.execute.actions.duplicate_image_to_account import ACCOUNTS_PER_STEP, MOST_SLIPS, DuplicateImageToAccount
from core_lib.execute.images.live import the_image
from core_lib.framework.errors import AssumeRoleError, AwsError, SchemaError
from core_lib.framework.models import Cause
from tests.builders.contexts import ACCOUNT, context_of
from tests.builders.images import Ec2World
from tests.builders.scripted import names, refusal
from tests.builders.steps import drive, undo

ACTION = DuplicateImageToAccount()
TWO, THREE, FOUR = "222222222222", "333333333333", "444444444444"


def contexts(world: Ec2World, accounts: Any = (TWO, THREE), **params: Any) -> Any:
    spec = {"ImageName": "shop-7", "AccountsToShare": list(accounts)} | params
    clients = {"ec2": world.client(ACCOUNT)} | {f"ec2@{account}": world.client(account) for account in accounts}
    return lambda scratch, attempt=1: context_of(DuplicateImageToAccount, clients, scratch=scratch, attempt=attempt, **spec)


def test_image_when_duplicated_then_every_account_has_its_own_on_encrypted_copies_of_all_snapshots() -> None:
    world = Ec2World(slow=2)
    source = world.image(ACCOUNT, "shop-7", disks=3)
    done, _ = drive(ACTION, contexts(world, KmsKeyArn="alias/images", Tags={"App": "shop"}))
    assert isinstance(done, Done)
    assert (done.changed, done.message) == (True, "the image is in 2 of 2 accounts")
    assert done.outputs["SourceImageId"] == source.id
    for account in (TWO, THREE):
        (image,) = world.of(account)
        assert (image.id, image.name) == (done.outputs["ImageIds"][account], "shop-7")
        assert image.tags["App"] == "shop"
        assert sorted(image.snapshots) == sorted(each.id for each in world.snapshots_of(account))
        assert [(each.key, each.tags["App"]) for each in world.snapshots_of(account)] == [("alias/images", "shop")] * 3
        assert {each.tags["core:made-from"] for each in world.snapshots_of(account)} == set(source.snapshots)


def test_image_when_registered_then_it_is_like_the_first_one_and_other_disks_stay_as_they_are() -> None:
    world = Ec2World()
    source = world.image(ACCOUNT, "shop-7", disks=1)
    disk = {"SnapshotId": source.snapshots[0], "VolumeType": "gp3", "Iops": 3000, "Encrypted": True, "DeleteOnTermination": True}
    source.more = {
        "BootMode": "uefi",
        "BlockDeviceMappings": [{"DeviceName": "/dev/sda", "Ebs": disk}, {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"}],
    }
    drive(ACTION, contexts(world, [TWO]))
    asked = dict(world.client(TWO).calls)["register_image"]
    kept = {"SnapshotId": world.snapshots_of(TWO)[0].id, "VolumeType": "gp3", "Iops": 3000, "DeleteOnTermination": True}
    assert asked["BlockDeviceMappings"] == [
        {"DeviceName": "/dev/sda", "Ebs": kept}, {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"},
    ]  # fmt: skip
    assert (asked["BootMode"], asked["Architecture"], asked["RootDeviceName"], asked["EnaSupport"]) == (
        "uefi",
        "x86_64",
        "/dev/sda",
        True,
    )


def test_image_when_duplicated_already_then_nothing_is_made_and_undo_takes_nothing_away() -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7")
    drive(ACTION, contexts(world))
    for image in world.of(TWO) + world.of(THREE):
        image.tags["core:made-by"] = "core-another-run"
    done, scratch = drive(ACTION, contexts(world))
    assert isinstance(done, Done)
    assert not done.changed
    assert len(world.of(TWO)) == 1
    undone = undo(ACTION, contexts(world), scratch)
    assert isinstance(undone, Done)
    assert not undone.changed
    assert len(world.of(TWO)) == 1


def test_account_when_its_copies_go_wrong_then_the_action_fails_and_names_who_has_it_and_who_not() -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7")
    world.broken = {THREE}
    failed, _ = drive(ACTION, contexts(world))
    assert isinstance(failed, Failed)
    assert failed.cause is Cause.PERMANENT
    assert "in 1 of 2 accounts" in failed.message
    assert f"not in {THREE}: the copy " in failed.message
    assert "Given key ID is not accessible" in failed.message
    assert f"in {TWO} ({world.of(TWO)[0].id})" in failed.message


@pytest.mark.parametrize("attempt", [1, 2])
def test_retry_when_one_account_was_missing_then_only_that_one_is_worked_on_and_broken_copies_go(attempt: int) -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7")
    world.broken = {THREE}
    drive(ACTION, contexts(world))
    world.broken = set()
    world.client(TWO).calls.clear()
    make = contexts(world)
    done, _ = drive(ACTION, lambda scratch: make(scratch, attempt))
    assert isinstance(done, Done)
    assert not {"copy_snapshot", "register_image"} & set(names(world.client(TWO)))
    assert (len(world.of(THREE)), len(world.snapshots_of(THREE))) == (1, 2)


def test_account_when_killed_after_any_call_then_nothing_is_made_twice() -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7")
    make = contexts(world, [TWO])
    scratch: dict[str, Any] = {}
    step = ACTION.start(make({}))
    while isinstance(step, Again):
        scratch = dict(step.scratch or scratch)
        ACTION.check(make(scratch))  # the worker dies before the ledger knows
        step = ACTION.check(make(scratch))
    assert isinstance(step, Done)
    assert (len(world.of(TWO)), len(world.snapshots_of(TWO))) == (1, 2)


def test_account_when_killed_between_two_copies_then_the_first_one_is_used() -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7")
    world.refuse[f"copy_snapshot@{TWO}"] = []
    first = world.client(TWO)
    make = contexts(world, [TWO])
    planned = ACTION.start(make({}))
    assert isinstance(planned, Again)
    shared = ACTION.check(make(dict(planned.scratch or {})))
    assert isinstance(shared, Again)
    original = next(iter(world.of(ACCOUNT)))
    tags = {"core:made-from": original.snapshots[0], "core:made-for": "shop-7"}
    kept = world.snapshot(TWO, tags=tags)
    other = world.snapshot(TWO, tags=tags | {"core:made-for": "another"})
    done, _ = drive(ACTION, make)
    assert isinstance(done, Done)
    assert names(first).count("copy_snapshot") == 1
    assert kept.id in world.of(TWO)[0].snapshots
    assert other.id not in world.of(TWO)[0].snapshots


@pytest.mark.undo("AWS::DuplicateImageToAccount")
def test_undo_when_duplicates_were_made_then_they_go_with_their_snapshots_and_the_sharing_ends() -> None:
    world = Ec2World()
    source = world.image(ACCOUNT, "shop-7")
    world.snapshots[source.snapshots[0]].shared = {FOUR}
    _, scratch = drive(ACTION, contexts(world))
    assert world.snapshots[source.snapshots[0]].shared == {TWO, THREE, FOUR}
    undone = undo(ACTION, contexts(world), scratch)
    assert isinstance(undone, Done)
    assert undone.changed
    assert list(world.images) == [source.id]
    assert sorted(world.snapshots) == sorted(source.snapshots)
    assert world.snapshots[source.snapshots[0]].shared == {FOUR}


def test_account_when_throttled_then_it_is_tried_again_while_the_others_go_on() -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7")
    world.refuse[f"copy_snapshot@{TWO}"] = [refusal("RequestLimitExceeded")] * 2 + [refusal("ResourceLimitExceeded")] * 20
    done, _ = drive(ACTION, contexts(world))
    assert isinstance(done, Done)
    assert len(world.of(TWO)) == 1


def test_account_when_throttled_for_ever_then_it_fails_as_passing() -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7")
    world.refuse[f"copy_snapshot@{TWO}"] = [refusal("RequestLimitExceeded")] * (MOST_SLIPS + 1)
    failed, _ = drive(ACTION, contexts(world))
    assert isinstance(failed, Failed)
    assert failed.cause is Cause.TRANSIENT


@pytest.mark.parametrize(
    "error", [refusal("UnauthorizedOperation", "not you"), AssumeRoleError("the role cannot be assumed: not you", where=TWO)]
)
def test_account_when_it_does_not_let_us_in_then_the_others_have_it_and_it_is_named(error: Exception) -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7")
    world.refuse[f"describe_images@{TWO}"] = [error]
    failed, _ = drive(ACTION, contexts(world))
    assert isinstance(failed, Failed)
    assert f"not in {TWO}" in failed.message
    assert "not you" in failed.message
    assert len(world.of(THREE)) == 1


def test_account_when_the_name_means_something_else_there_then_it_fails_and_that_image_stays() -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7")
    foreign = world.image(TWO, "shop-7")
    failed, _ = drive(ACTION, contexts(world))
    assert isinstance(failed, Failed)
    assert foreign.id in failed.message
    assert world.of(TWO) == [foreign]


def test_accounts_when_there_are_many_then_a_step_takes_a_few_and_all_get_their_turn() -> None:
    world = Ec2World(slow=1)
    world.image(ACCOUNT, "shop-7", disks=1)
    many = [f"{number:012d}" for number in range(40)]
    make = contexts(world, many)
    planned = ACTION.start(make({}))
    assert isinstance(planned, Again)
    shared = ACTION.check(make(dict(planned.scratch or {})))
    assert isinstance(shared, Again)
    ACTION.check(make(dict(shared.scratch or {})))
    assert sum(bool(world.client(account).calls) for account in many) == ACCOUNTS_PER_STEP
    done, scratch = drive(ACTION, make)
    assert isinstance(done, Done)
    assert set(done.outputs["ImageIds"]) == set(many)
    assert len(str(scratch)) < 40 * 250


@pytest.mark.cancel("AWS::DuplicateImageToAccount")
def test_cancel_when_in_the_middle_then_nothing_more_begins_and_it_says_how_far_it_came() -> None:
    world = Ec2World(slow=50)
    world.image(ACCOUNT, "shop-7")
    planned = ACTION.start(contexts(world)({}))
    assert isinstance(planned, Again)
    stopped = ACTION.cancel(contexts(world)(dict(planned.scratch or {})))
    assert isinstance(stopped, Done)
    assert "in 0 of 2 accounts" in (stopped.message or "")


def test_image_when_it_is_of_windows_then_it_is_refused_with_the_way_round() -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7").more = {"Platform": "windows"}
    failed = ACTION.start(contexts(world)({}))
    assert isinstance(failed, Failed)
    assert "AWS::CopyImage" in (failed.hint or "")


def test_image_when_absent_or_gone_in_the_middle_then_it_says_so() -> None:
    world = Ec2World()
    with pytest.raises(AwsError, match="there is no image shop-7"):
        ACTION.start(contexts(world)({}))
    image = world.image(ACCOUNT, "shop-7")
    assert the_image(world.client(ACCOUNT), image.id, "here").name == "shop-7"
    planned = ACTION.start(contexts(world)({}))
    assert isinstance(planned, Again)
    world.images.clear()
    failed = ACTION.check(contexts(world)({**(planned.scratch or {}), "sharing": False}))
    assert isinstance(failed, Failed)
    assert "has vanished" in failed.message


def test_spec_when_it_names_nobody_or_no_siblings_then_it_is_refused() -> None:
    for params in ({"accounts": ()}, {"Siblings": [TWO]}):
        with pytest.raises(SchemaError):
            contexts(Ec2World(), **params)({})
