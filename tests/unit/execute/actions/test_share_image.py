"""AWS::ShareImage against a small EC2 in memory whose images have several snapshots."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from core_lib.execute import Again, Done
from core_lib.execute.actions.share_image import ShareImage
from core_lib.framework.errors import AwsError, SchemaError
from tests.builders.contexts import ACCOUNT, context_of
from tests.builders.images import Ec2World
from tests.builders.scripted import names, refusal
from tests.builders.steps import drive, undo

OTHER, THIRD = "222222222222", "333333333333"
UNIT = "arn:aws:organizations::111111111111:ou/o-a1b2c3d4e5/ou-ab12-cdef3456"


def contexts(world: Ec2World, **params: Any) -> Any:
    spec = {"ImageName": "shop-7", "AccountsToShare": [OTHER, THIRD]} | params
    return lambda scratch: context_of(ShareImage, {"ec2": world.client(ACCOUNT)}, scratch=scratch, **spec)


def test_image_when_shared_then_it_and_all_its_snapshots_are() -> None:
    world = Ec2World()
    image = world.image(ACCOUNT, "shop-7", disks=3)
    make = contexts(world, AccountsToShare=[OTHER, ACCOUNT], OrganizationalUnitArns=UNIT, Tags={"App": "shop"})
    done, _ = drive(ShareImage(), make)
    assert done == Done(outputs={"ImageId": image.id, "SharedWith": [OTHER, UNIT]}, message="shared with 2 more")
    assert image.launch == [{"UserId": OTHER}, {"OrganizationalUnitArn": UNIT}]
    assert [world.snapshots[identity].shared for identity in image.snapshots] == [{OTHER}] * 3
    assert [world.snapshots[identity].tags for identity in image.snapshots] == [{"App": "shop"}] * 3
    assert image.tags == {"App": "shop"}


def test_image_when_shared_already_then_nothing_is_modified() -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7")
    drive(ShareImage(), contexts(world))
    world.client(ACCOUNT).calls.clear()
    done, _ = drive(ShareImage(), contexts(world))
    assert isinstance(done, Done)
    assert not done.changed
    assert not any(name.startswith("modify") for name in names(world.client(ACCOUNT)))


@pytest.mark.undo("AWS::ShareImage")
def test_undo_when_some_had_it_before_then_only_the_others_lose_it() -> None:
    world = Ec2World()
    image = world.image(ACCOUNT, "shop-7")
    drive(ShareImage(), contexts(world, AccountsToShare=[OTHER]))
    _, scratch = drive(ShareImage(), contexts(world))
    assert undo(ShareImage(), contexts(world), scratch) == Done()
    assert image.launch == [{"UserId": OTHER}]
    assert [world.snapshots[identity].shared for identity in image.snapshots] == [{OTHER}] * 2


def test_undo_when_the_image_is_gone_then_that_is_fine() -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7")
    _, scratch = drive(ShareImage(), contexts(world))
    for method in ("modify_image_attribute", "modify_snapshot_attribute"):
        world.refuse[f"{method}@{ACCOUNT}"] = [refusal("InvalidAMIID.NotFound"), refusal("InvalidSnapshot.NotFound")]
    assert undo(ShareImage(), contexts(world), scratch) == Done()


def test_undo_when_only_tags_were_set_then_sharing_stays() -> None:
    world = Ec2World()
    image = world.image(ACCOUNT, "shop-7")
    drive(ShareImage(), contexts(world))
    _, scratch = drive(ShareImage(), contexts(world, Tags={"App": "shop"}))
    assert undo(ShareImage(), contexts(world), scratch) == Done(changed=False, message="it was shared before")
    assert image.launch == [{"UserId": OTHER}, {"UserId": THIRD}]


def test_image_when_killed_between_the_call_and_the_ledger_then_undo_still_knows_what_was_added() -> None:
    world = Ec2World()
    image = world.image(ACCOUNT, "shop-7")
    first = ShareImage().start(contexts(world)({}))
    assert isinstance(first, Again)
    scratch = dict(first.scratch or {})
    ShareImage().check(contexts(world)(scratch))
    assert isinstance(ShareImage().check(contexts(world)(scratch)), Done)
    undo(ShareImage(), contexts(world), scratch)
    assert image.launch == []


def test_image_when_it_goes_to_hundreds_of_accounts_then_a_call_takes_a_hundred_of_them() -> None:
    world = Ec2World()
    image = world.image(ACCOUNT, "shop-7", disks=1)
    accounts = [f"{number:012d}" for number in range(250)]
    drive(ShareImage(), contexts(world, AccountsToShare=accounts))
    assert len(world.snapshots[image.snapshots[0]].shared) == len(image.launch) == 250
    assert names(world.client(ACCOUNT)).count("modify_image_attribute") == 3


def test_image_when_absent_then_it_fails_and_says_so() -> None:
    with pytest.raises(AwsError, match="there is no image shop-7"):
        ShareImage().start(contexts(Ec2World())({}))


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "RequestLimitExceeded", "InvalidParameter"])
def test_image_when_ec2_says_no_then_the_engine_judges_it(code: str) -> None:
    world = Ec2World()
    world.image(ACCOUNT, "shop-7")
    world.refuse[f"modify_image_attribute@{ACCOUNT}"] = [refusal(code)]
    with pytest.raises(ClientError, match=code):
        drive(ShareImage(), contexts(world))


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"Siblings": [OTHER]}, f"not among Siblings: {THIRD}"),
        ({"Siblings": []}, "not among Siblings"),
        ({"AccountsToShare": []}, "name somebody"),
        ({"AccountsToShare": ["12"]}, "AccountsToShare"),
    ],
)
def test_spec_when_it_names_nobody_or_strangers_then_it_is_refused(params: dict[str, Any], problem: str) -> None:
    with pytest.raises(SchemaError, match=problem):
        contexts(Ec2World(), **params)({})
