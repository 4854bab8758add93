"""Users: killed tries, everything that hangs on a user, pages. Answers in the shapes of botocore's model of IAM."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.execute import Done, token_for, validate_spec
from core_lib.execute.actions.create_user import CreateUser
from core_lib.execute.users.parameters import MARK
from core_lib.framework.errors import SchemaError
from tests.builders.carry import carry_through
from tests.builders.contexts import context_of
from tests.builders.scripted import names, refusal, scripted

GONE = refusal("NoSuchEntity")


def user(name: str = "ann", **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:iam::111111111111:user/{name}"
    return {"User": {"UserName": name, "Path": "/", "UserId": "AIDA" + "X" * 16, "Arn": arn, "CreateDate": 0, **more}}


def test_user_when_the_try_that_made_it_was_killed_then_its_policy_is_written_now() -> None:
    ctx = context_of("AWS::CreateUser", UserName="ann", Roles="Deploy")
    mark = token_for(ctx.run_id, ctx.action_id, 1, "user")
    iam = scripted(
        "iam", get_user=user(), list_user_tags={"Tags": [{"Key": MARK, "Value": mark}]}, get_user_policy=GONE, put_user_policy={},
    )  # fmt: skip
    step, _ = carry_through("AWS::CreateUser", context_of("AWS::CreateUser", {"iam": iam}, UserName="ann", Roles="Deploy"))
    assert isinstance(step, Done)
    assert (step.outputs["Created"], step.changed) == (["ann"], True)
    assert iam.calls[-1][1]["PolicyName"] == "ann-AssumeRoles-Policy"


def test_user_when_somebody_else_made_it_then_nothing_of_it_is_touched() -> None:
    iam = scripted("iam", get_user=user(), list_user_tags={"Tags": []}, get_user_policy=GONE)
    step, _ = carry_through("AWS::CreateUser", context_of("AWS::CreateUser", {"iam": iam}, UserNames=["ann"], Roles=["Deploy"]))
    assert isinstance(step, Done)
    assert (step.changed, step.message) == (False, "left as they are: ann")


def test_users_when_there_are_many_then_a_step_takes_ten_of_them() -> None:
    iam = scripted("iam", get_user=GONE, create_user=lambda **given: user(given["UserName"]))
    ctx = context_of("AWS::CreateUser", {"iam": iam}, UserNames=[f"u{number}" for number in range(25)])
    first = CreateUser().start(ctx)
    assert (len(iam.calls), first.scratch["done"]) == (20, 10)  # type: ignore[union-attr,index]
    step, _ = carry_through("AWS::CreateUser", ctx)
    assert isinstance(step, Done)
    assert len(step.outputs["Created"]) == 25


def test_deletion_when_lists_have_pages_then_everything_of_all_pages_is_removed_before_the_user() -> None:
    key = {"AccessKeyMetadata": [{"AccessKeyId": "AKIA" + "A" * 16}], "IsTruncated": True, "Marker": "more"}
    last = {"AccessKeyMetadata": [{"AccessKeyId": "AKIA" + "B" * 16}], "IsTruncated": False}
    device = {"UserName": "ann", "SerialNumber": "arn:aws:iam::111111111111:mfa/phone", "EnableDate": 0}
    fob = {"UserName": "ann", "SerialNumber": "GAHT12345678", "EnableDate": 0}
    credential = {
        "UserName": "ann", "Status": "Active", "CreateDate": 0, "ServiceSpecificCredentialId": "ACCA" + "A" * 16,
        "ServiceName": "codecommit.amazonaws.com",
    }  # fmt: skip
    iam = scripted(
        "iam", delete_login_profile=GONE, list_access_keys=lambda **given: last if "Marker" in given else key,
        delete_access_key={},
        list_signing_certificates={"Certificates": [
            {"UserName": "ann", "CertificateId": "C" * 24, "CertificateBody": "x", "Status": "Active"}]},
        delete_signing_certificate={},
        list_ssh_public_keys={"SSHPublicKeys": [
            {"UserName": "ann", "SSHPublicKeyId": "APKA" + "A" * 16, "Status": "Active", "UploadDate": 0}]},
        delete_ssh_public_key={}, list_service_specific_credentials={"ServiceSpecificCredentials": [credential]},
        delete_service_specific_credential={}, list_mfa_devices={"MFADevices": [device, fob]}, deactivate_mfa_device={},
        delete_virtual_mfa_device={}, list_user_policies={"PolicyNames": ["one"]}, delete_user_policy={},
        list_attached_user_policies={"AttachedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]},
        detach_user_policy=GONE, list_groups_for_user={"Groups": []}, delete_user={},
    )  # fmt: skip
    step, _ = carry_through("AWS::DeleteUser", context_of("AWS::DeleteUser", {"iam": iam}, UserName="ann"))
    assert isinstance(step, Done)
    assert step.outputs == {"Deleted": ["ann"]}
    called = names(iam)
    assert (called.count("delete_access_key"), called.count("delete_virtual_mfa_device")) == (2, 1)
    assert called.count("deactivate_mfa_device") == 2
    assert called[-1] == "delete_user"


def test_put_when_undone_then_a_user_that_was_not_there_is_deleted() -> None:
    empty = {"list_user_tags": {"Tags": []}, "get_user_policy": GONE}
    lists = {
        "list_access_keys": {"AccessKeyMetadata": []}, "list_signing_certificates": {"Certificates": []},
        "list_ssh_public_keys": {}, "list_service_specific_credentials": {}, "list_mfa_devices": {"MFADevices": []},
        "list_user_policies": {"PolicyNames": []}, "list_attached_user_policies": {}, "list_groups_for_user": {"Groups": []},
    }  # fmt: skip
    iam = scripted("iam", get_user=GONE, create_user=user(), delete_login_profile=GONE, delete_user={}, **empty, **lists)
    step, scratch = carry_through("AWS::PutUser", context_of("AWS::PutUser", {"iam": iam}, UserName="ann"))
    assert isinstance(step, Done)
    assert step.changed
    undone, _ = carry_through("AWS::PutUser", context_of("AWS::PutUser", {"iam": iam}, scratch=scratch, UserName="ann"), "undo")
    assert isinstance(undone, Done)
    assert undone.changed
    assert names(iam)[-1] == "delete_user"


@pytest.mark.parametrize("wrong", [{"UserNames": []}, {"UserNames": ["a b"]}, {"UserNames": ["x"] * 51}, {}])
def test_users_when_their_names_cannot_be_used_then_the_spec_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match="UserNames"):
        validate_spec("AWS::DeleteUser", wrong)
