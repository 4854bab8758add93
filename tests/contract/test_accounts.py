"""Accounts, roles and the organization, as the platform relies on them."""

from __future__ import annotations

import time

import pytest
from botocore.exceptions import ClientError

from tests.contract.backends import HOME, REGION, ROLE, Backend, name


def test_caller_identity_of_an_assumed_role_is_the_other_account(backend: Backend) -> None:
    account = backend.member_account()
    identity = backend.client("sts", account).get_caller_identity()
    assert identity["Account"] == account
    assert f"assumed-role/{ROLE}/contract" in identity["Arn"]


def test_twelve_digit_access_key_is_an_account(backend: Backend) -> None:
    account = backend.member_account()
    keys = {"aws_access_key_id": account, "aws_secret_access_key": "test"}
    assert backend.raw("sts", REGION, keys).get_caller_identity()["Account"] == account


def test_parameters_of_two_accounts_and_regions_are_apart(backend: Backend) -> None:
    one, two = backend.member_account(), backend.member_account()
    key = "/" + name()
    for account, region in ((one, "eu-west-1"), (one, "us-east-1"), (two, "eu-west-1")):
        backend.client("ssm", account, region).put_parameter(Name=key, Value=f"{account}{region}", Type="String")
    for account, region in ((one, "eu-west-1"), (one, "us-east-1"), (two, "eu-west-1")):
        value = backend.client("ssm", account, region).get_parameter(Name=key)["Parameter"]["Value"]
        assert value == f"{account}{region}"


def test_role_that_does_not_exist_cannot_be_assumed(backend: Backend) -> None:
    account = backend.member_account()
    with pytest.raises(ClientError) as refused:
        backend.client("sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/Missing", RoleSessionName="contract")
    assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_account_moves_between_units_and_is_listed_there(backend: Backend) -> None:
    account = backend.member_account()
    organizations = backend.client("organizations", region="us-east-1")
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit = organizations.create_organizational_unit(ParentId=root, Name=name())["OrganizationalUnit"]["Id"]
    organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)
    listed = organizations.list_accounts_for_parent(ParentId=unit)["Accounts"]
    assert [entry["Id"] for entry in listed] == [account]


def test_tags_of_an_account_are_read_back(backend: Backend) -> None:
    account = backend.member_account()
    organizations = backend.client("organizations", region="us-east-1")
    organizations.tag_resource(ResourceId=account, Tags=[{"Key": "tier", "Value": "1"}])
    assert organizations.list_tags_for_resource(ResourceId=account)["Tags"] == [{"Key": "tier", "Value": "1"}]


def test_email_is_used_once_only(backend: Backend) -> None:
    organizations = backend.client("organizations", region="us-east-1")
    backend.member_account()
    email = f"{name()}@example.com"
    states = []
    for _ in range(2):
        status = organizations.create_account(Email=email, AccountName=name())["CreateAccountStatus"]
        for _ in range(50):
            if status["State"] != "IN_PROGRESS":
                break
            time.sleep(0.1)
            status = organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])["CreateAccountStatus"]
        states.append((status["State"], status.get("FailureReason")))
    assert states == [("SUCCEEDED", None), ("FAILED", "EMAIL_ALREADY_EXISTS")]


def test_closed_account_is_suspended(backend: Backend) -> None:
    account = backend.member_account()
    organizations = backend.client("organizations", region="us-east-1")
    organizations.close_account(AccountId=account)
    assert organizations.describe_account(AccountId=account)["Account"]["Status"] in ("SUSPENDED", "PENDING_CLOSURE")


def test_home_account_is_the_management_account(backend: Backend) -> None:
    backend.member_account()
    organization = backend.client("organizations", region="us-east-1").describe_organization()["Organization"]
    assert organization["MasterAccountId"] == HOME
