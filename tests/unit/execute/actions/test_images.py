"""AWS::CreateImage, AWS::CopyImage and AWS::DeleteImage against a small EC2 in memory that has images of several snapshots."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from core_lib.execute import Action, ActionContext, Again, Done, Failed
from core_lib.execute.actions.copy_image import CopyImage
from core_lib.execute.actions.create_image import CreateImage
from core_lib.execute.actions.delete_image import DeleteImage
from core_lib.execute.images.removal import MOST_TIMES_BUSY
from core_lib.framework.errors import AwsError, SchemaError
from core_lib.framework.models import Cause
from tests.builders.contexts import ACCOUNT, context_of
from tests.builders.images import Ec2World
from tests.builders.scripted import names, refusal
from tests.builders.steps import drive, undo

INSTANCE = "i-0123456789abcdef0"


def contexts(world: Ec2World, kind: type[Action[Any]], **params: Any) -> Any:
    clients = {"ec2": world.client(ACCOUNT), "ec2@eu-central-1": world.client(ACCOUNT, "eu-central-1")}

    def make(scratch: dict[str, Any], attempt: int = 1) -> ActionContext[Any]:
        return context_of(kind, clients, scratch=scratch, attempt=attempt, **params)

    return make


def create(world: Ec2World, **more: Any) -> Any:
    return contexts(world, CreateImage, InstanceId=INSTANCE, ImageName="shop-7", **more)


def copy(world: Ec2World, **more: Any) -> Any:
    return contexts(world, CopyImage, ImageName="shop-7", DestinationImageName="shop-7-enc", **more)


def delete(world: Ec2World, name: str = "shop-7", **more: Any) -> Any:
    return contexts(world, DeleteImage, ImageName=name, **more)


def test_create_when_it_takes_a_while_then_it_is_waited_for_and_image_and_snapshots_are_tagged() -> None:
    world = Ec2World(slow=3)
    done, _ = drive(CreateImage(), create(world, Tags={"App": "shop", "Build": 7}, NoReboot=True))
    (image,) = world.of(ACCOUNT)
    assert isinstance(done, Done)
    assert done.outputs == {"ImageId": image.id, "ImageName": "shop-7", "SnapshotIds": image.snapshots}
    assert done.changed
    for tags in (image.tags, *(world.snapshots[identity].tags for identity in image.snapshots)):
        assert (tags["App"], tags["Build"], tags["core:made-from"]) == ("shop", "7", INSTANCE)
    assert dict(world.client(ACCOUNT).calls)["create_image"]["NoReboot"] is True


@pytest.mark.parametrize("attempt", [1, 2])
def test_create_when_killed_before_the_ledger_knew_then_the_next_try_goes_on_with_the_same_image(attempt: int) -> None:
    world = Ec2World()
    make = create(world)
    CreateImage().start(make({}))
    again = CreateImage().start(make({}, attempt))
    (image,) = world.of(ACCOUNT)
    assert isinstance(again, Again)
    assert again.scratch == {"image": image.id, "source": INSTANCE, "made": True}


def test_create_when_an_earlier_try_shows_late_then_it_is_looked_for_again() -> None:
    world = Ec2World()
    world.refuse[f"create_image@{ACCOUNT}"] = [refusal("InvalidAMIName.Duplicate")]
    failed = CreateImage().start(create(world)({}))
    assert isinstance(failed, Failed)
    assert failed.cause is Cause.TRANSIENT


def test_create_when_another_run_made_it_then_nothing_changes_and_undo_leaves_it() -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7", tags={"core:made-from": INSTANCE, "core:made-by": "core-other"})
    done, scratch = drive(CreateImage(), create(world))
    assert isinstance(done, Done)
    assert not done.changed
    assert undo(CreateImage(), create(world), scratch) == Done(changed=False, message="the image was there before")
    assert len(world.of(ACCOUNT)) == 1


def test_create_when_the_name_is_taken_by_something_else_then_it_fails_with_a_hint() -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7")
    failed = CreateImage().start(create(world)({}))
    assert isinstance(failed, Failed)
    assert "AWS::DeleteImage" in (failed.hint or "")


def test_create_when_the_image_fails_then_the_reason_is_told_and_the_next_run_makes_another() -> None:
    world = Ec2World()
    make = create(world)
    first = CreateImage().start(make({}))
    assert isinstance(first, Again)
    (image,) = world.of(ACCOUNT)
    image.state = "failed"
    failed = CreateImage().check(make(dict(first.scratch or {})))
    assert isinstance(failed, Failed)
    assert "the key is not accessible" in failed.message
    done, _ = drive(CreateImage(), make)
    assert isinstance(done, Done)
    assert done.outputs["ImageId"] != image.id
    assert [left.name for left in world.of(ACCOUNT)] == ["shop-7"]


def test_create_when_the_image_vanishes_then_it_fails_after_a_while() -> None:
    world = Ec2World()
    make = create(world)
    first = CreateImage().start(make({}))
    assert isinstance(first, Again)
    world.images.clear()
    scratch = dict(first.scratch or {})
    for _ in range(21):
        step = CreateImage().check(make(scratch))
        scratch = dict(step.scratch or {}) if isinstance(step, Again) else scratch
    assert isinstance(step, Failed)
    assert "has vanished" in step.message


@pytest.mark.undo("AWS::CreateImage")
def test_undo_when_this_action_made_the_image_then_it_goes_with_its_snapshots() -> None:
    world = Ec2World()
    kept = world.image(ACCOUNT, "other")
    _, scratch = drive(CreateImage(), create(world))
    assert isinstance(undo(CreateImage(), create(world), scratch), Done)
    assert world.of(ACCOUNT) == [kept]
    assert sorted(world.snapshots) == sorted(kept.snapshots)


def test_undo_when_killed_after_deregistering_then_no_snapshot_is_left_behind() -> None:
    world = Ec2World()
    _, scratch = drive(CreateImage(), create(world))
    planned = CreateImage().undo(create(world)(scratch))
    assert isinstance(planned, Again)
    world.images.clear()
    assert isinstance(CreateImage().undo(create(world)(dict(planned.scratch or {}))), Done)
    assert world.snapshots == {}


def test_copy_when_made_then_it_is_encrypted_with_the_key_and_made_once() -> None:
    world = Ec2World(slow=2)
    source = world.image(ACCOUNT, "shop-7")
    make = copy(world, KmsKeyArn="alias/images", Tags={"App": "shop"})
    CopyImage().start(make({}))
    done, _ = drive(CopyImage(), make)
    (made,) = [image for image in world.of(ACCOUNT) if image.id != source.id]
    assert isinstance(done, Done)
    assert done.outputs["ImageId"] == made.id
    (call,) = [arguments for name, arguments in world.client(ACCOUNT).calls if name == "copy_image"]
    assert (call["Encrypted"], call["KmsKeyId"], call["SourceImageId"]) == (True, "alias/images", source.id)
    assert all(world.snapshots[identity].tags["App"] == "shop" for identity in made.snapshots)


def test_copy_when_an_earlier_call_is_invisible_then_its_token_finds_it() -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7")
    first, second = copy(world)({}), copy(world)({}, 2)
    assert first.token("copy") == copy(world)({}).token("copy") != second.token("copy")


@pytest.mark.undo("AWS::CopyImage")
def test_copy_when_it_goes_to_another_region_then_only_that_region_has_it() -> None:
    world = Ec2World()
    source = world.image(ACCOUNT, "shop-7")
    make = copy(world, DestinationRegion="eu-central-1")
    done, scratch = drive(CopyImage(), make)
    assert isinstance(done, Done)
    assert world.images[done.outputs["ImageId"]].region == "eu-central-1"
    assert names(world.client(ACCOUNT)) == ["describe_images"]
    undo(CopyImage(), make, scratch)
    assert list(world.images) == [source.id]
    assert len(world.snapshots) == 2


@pytest.mark.parametrize(("several", "problem"), [(0, "there is no image"), (2, "several images")])
def test_copy_when_the_source_is_not_one_image_then_it_fails_and_says_so(several: int, problem: str) -> None:
    world = Ec2World()
    for _ in range(several):
        world.image(ACCOUNT, "shop-7")
    with pytest.raises(AwsError, match=problem):
        CopyImage().start(copy(world)({}))


def test_copy_when_the_source_is_not_ready_then_it_says_so() -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7").state = "pending"
    with pytest.raises(AwsError, match="is pending"):
        CopyImage().start(copy(world)({}))


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "RequestLimitExceeded"])
def test_copy_when_ec2_says_no_then_the_engine_judges_it(code: str) -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7")
    world.refuse[f"copy_image@{ACCOUNT}"] = [refusal(code)]
    with pytest.raises(ClientError, match=code):
        CopyImage().start(copy(world)({}))


@pytest.mark.parametrize("by_id", [True, False])
def test_delete_when_found_then_image_and_all_snapshots_go(by_id: bool) -> None:
    world = Ec2World()
    image = world.image(ACCOUNT, "shop-7", disks=120)
    done, _ = drive(DeleteImage(), delete(world, image.id if by_id else "shop-7"))
    assert done == Done(message="deleted")
    assert (world.images, world.snapshots) == ({}, {})


@pytest.mark.parametrize("name", ["shop-7", "ami-0123456789abcdef0"])
def test_delete_when_absent_then_that_is_fine(name: str) -> None:
    assert drive(DeleteImage(), delete(Ec2World(), name))[0] == Done(changed=False, message="there is no such image")


def test_delete_when_the_name_is_ambiguous_then_it_is_refused_unless_all_are_meant() -> None:
    world = Ec2World()
    both = [world.image(ACCOUNT, "shop-7").id, world.image(ACCOUNT, "shop-7").id]
    refused = DeleteImage().start(delete(world)({}))
    assert isinstance(refused, Failed)
    assert all(identity in refused.message for identity in both)
    assert isinstance(drive(DeleteImage(), delete(world, All=True))[0], Done)
    assert world.snapshots == {}


def test_delete_when_the_image_belongs_to_another_account_then_it_is_refused() -> None:
    world = Ec2World()
    image = world.image("222222222222", "shop-7")
    refused = DeleteImage().start(delete(world, image.id)({}))
    assert isinstance(refused, Failed)
    assert "222222222222" in refused.message


def test_delete_when_killed_at_any_step_then_the_next_worker_finishes() -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7")
    make = delete(world)
    planned = DeleteImage().start(make({}))
    assert isinstance(planned, Again)
    DeleteImage().check(make(dict(planned.scratch or {})))
    assert DeleteImage().check(make(dict(planned.scratch or {}))) == Done(message="deleted")
    assert world.snapshots == {}


def test_delete_when_a_snapshot_stays_in_use_then_it_fails_after_a_while_and_names_it() -> None:
    world = Ec2World()
    stuck = world.image(ACCOUNT, "shop-7").snapshots[0]
    world.in_use.add(stuck)
    failed, _ = drive(DeleteImage(), delete(world), most=MOST_TIMES_BUSY + 5)
    assert isinstance(failed, Failed)
    assert stuck in failed.message
    assert list(world.snapshots) == [stuck]


def test_names_when_written_as_elsewhere_then_they_mean_the_same() -> None:
    assert context_of(DeleteImage, {}, ImageId="ami-0123456789abcdef0").params.image_name == "ami-0123456789abcdef0"
    with pytest.raises(SchemaError, match="ImageName"):
        context_of(DeleteImage, {}, ImageName="no*stars")
