"""AWS::CreateUser, AWS::PutUser and AWS::DeleteUser against the embedded cloud."""

from __future__ import annotations

import json

import pytest

from core_lib.framework.models import ActionStatus
from tests.builders.plans import action, example
from tests.integration.execute.conftest import Rehearsal

BROKEN = {"StackName": "nowhere"}
ANYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})


@pytest.mark.example("AWS::CreateUser")
async def test_user_when_created_twice_then_the_second_run_leaves_it_as_it_is(rehearsal: Rehearsal) -> None:
    wanted = example("it", "AWS::CreateUser", target=rehearsal.target)
    first = await rehearsal.run(wanted)
    iam = rehearsal.direct("iam")
    policy = iam.get_user_policy(UserName="deployer", PolicyName="deployer-AssumeRoles-Policy")["PolicyDocument"]
    assert policy["Statement"][0]["Resource"] == [
        "arn:aws:iam::222222222222:role/ReadOnly", f"arn:aws:iam::{rehearsal.account}:role/Deploy",
    ]  # fmt: skip
    assert first["it"].outputs["Created"] == ["deployer"]
    assert first["it"].outputs["UserArns"]["deployer"].endswith(":user/machines/deployer")
    second = await rehearsal.run(example("it", "AWS::CreateUser", target=rehearsal.target, Roles=["Other"]))
    assert (second["it"].changed, second["it"].outputs["Created"]) == (False, [])
    assert iam.get_user_policy(UserName="deployer", PolicyName="deployer-AssumeRoles-Policy")["PolicyDocument"] == policy


@pytest.mark.undo("AWS::CreateUser")
async def test_users_when_undone_then_only_those_that_the_run_made_are_deleted(rehearsal: Rehearsal) -> None:
    iam = rehearsal.direct("iam")
    iam.create_user(UserName="older")
    made = example("it", "AWS::CreateUser", target=rehearsal.target, UserNames=["older", "newer"])
    fails = action("bad", "AWS::GetStackOutputs", target=rehearsal.target, after=["it"], spec=BROKEN, on_failure="undo")
    outcome = await rehearsal.run(made, fails)
    assert outcome["it"].status is ActionStatus.CANCELLED
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["older"]


@pytest.mark.example("AWS::PutUser", but=("PermissionsBoundary",))
@pytest.mark.undo("AWS::PutUser")
async def test_user_when_put_then_roles_and_tags_are_what_is_asked_for_and_undo_restores_them(rehearsal: Rehearsal) -> None:
    iam = rehearsal.direct("iam")
    policy = iam.create_policy(PolicyName="Boundary", PolicyDocument=ANYTHING)["Policy"]["Arn"]
    before = example("it", "AWS::PutUser", target=rehearsal.target, PermissionsBoundary=policy)
    assert (await rehearsal.run(before))["it"].changed
    assert (await rehearsal.run(before))["it"].changed is False
    after = example("it", "AWS::PutUser", target=rehearsal.target, Roles=["Other"], PermissionsBoundary=None, Tags={"Owner": "x"})
    fails = action("bad", "AWS::GetStackOutputs", target=rehearsal.target, after=["it"], spec=BROKEN, on_failure="undo")
    outcome = await rehearsal.run(after, fails)
    assert outcome["it"].status is ActionStatus.CANCELLED
    document = iam.get_user_policy(UserName="deployer", PolicyName="deployer-AssumeRoles-Policy")["PolicyDocument"]
    assert document["Statement"][0]["Resource"] == [f"arn:aws:iam::{rehearsal.account}:role/Deploy"]
    assert iam.get_user(UserName="deployer")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == policy
    assert {tag["Key"]: tag["Value"] for tag in iam.list_user_tags(UserName="deployer")["Tags"]}["Owner"] == "platform"


@pytest.mark.example("AWS::DeleteUser")
async def test_user_when_deleted_then_everything_that_hangs_on_it_goes_first(rehearsal: Rehearsal) -> None:
    iam = rehearsal.direct("iam")
    iam.create_user(UserName="deployer")
    iam.create_access_key(UserName="deployer")
    iam.create_login_profile(UserName="deployer", Password="aB3!aB3!aB3!")
    iam.create_group(GroupName="team")
    iam.add_user_to_group(GroupName="team", UserName="deployer")
    iam.put_user_policy(UserName="deployer", PolicyName="one", PolicyDocument=ANYTHING)
    outcome = await rehearsal.run(example("it", "AWS::DeleteUser", target=rehearsal.target))
    assert outcome["it"].outputs == {"Deleted": ["deployer"]}
    assert iam.list_users()["Users"] == []
    again = await rehearsal.run(example("it", "AWS::DeleteUser", target=rehearsal.target))
    assert (again["it"].changed, again["it"].message) == (False, "there are no such users")
