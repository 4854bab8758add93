"""Accounts behind the gateway: who acts where, which roles let whom in, how an organization's accounts come and go."""

from __future__ import annotations

import time
import uuid
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from deployments.local import EmbeddedCloud

ONCE = Config(retries={"total_max_attempts": 1})


def client(cloud: EmbeddedCloud, service: str, key: str, **more: Any) -> Any:
    """A client without retries that acts as the account `key` (or with the given credentials)."""
    return boto3.client(
        service,
        endpoint_url=cloud.endpoint,
        region_name=more.pop("region", "eu-west-1"),
        aws_access_key_id=key,
        aws_secret_access_key="any",
        config=ONCE,
        **more,
    )


def session_client(cloud: EmbeddedCloud, service: str, credentials: dict[str, Any]) -> Any:
    """A client that acts with credentials which STS has issued."""
    return client(cloud, service, credentials["AccessKeyId"], aws_session_token=credentials["SessionToken"])


def organization(cloud: EmbeddedCloud, management: str) -> Any:
    """The Organizations client of a fresh organization."""
    organizations = client(cloud, "organizations", management)
    organizations.create_organization(FeatureSet="ALL")
    return organizations


def create_account(organizations: Any, email: str, **more: Any) -> dict[str, Any]:
    """Create an account and wait for its final status."""
    status = organizations.create_account(Email=email, AccountName="workload", **more)["CreateAccountStatus"]
    deadline = time.monotonic() + 10
    while status["State"] == "IN_PROGRESS" and time.monotonic() < deadline:
        time.sleep(0.05)
        status = organizations.describe_create_account_status(CreateAccountRequestId=status["Id"])["CreateAccountStatus"]
    return dict(status)


def email() -> str:
    return f"{uuid.uuid4()}@example.com"


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_access_key_when_it_has_twelve_digits_then_it_is_the_account(cloud: EmbeddedCloud, account_id: str) -> None:
    assert client(cloud, "sts", account_id).get_caller_identity()["Account"] == account_id


def test_resource_when_created_in_one_account_then_another_does_not_see_it(cloud: EmbeddedCloud, account_id: str) -> None:
    client(cloud, "ssm", account_id).put_parameter(Name="/here", Value="1", Type="String")
    with pytest.raises(ClientError) as refusal:
        client(cloud, "ssm", "200000000001").get_parameter(Name="/here")
    assert code_of(refusal) == "ParameterNotFound"


def test_assume_role_when_the_role_trusts_the_caller_then_calls_act_in_its_account(cloud: EmbeddedCloud, account_id: str) -> None:
    arn = cloud.add_role(account_id, "deployer")
    sts = client(cloud, "sts", cloud.account)
    credentials = sts.assume_role(RoleArn=arn, RoleSessionName="run-1")["Credentials"]
    identity = session_client(cloud, "sts", credentials).get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{account_id}:assumed-role/deployer/run-1"
    session_client(cloud, "ssm", credentials).put_parameter(Name="/x", Value="1", Type="String")
    assert client(cloud, "ssm", account_id).get_parameter(Name="/x")["Parameter"]["Value"] == "1"


def test_assume_role_when_chained_over_three_accounts_then_the_last_one_is_reached(cloud: EmbeddedCloud, account_id: str) -> None:
    middle = str(int(account_id) - 1)
    first = cloud.add_role(middle, "hop")
    second = cloud.add_role(account_id, "deployer", trusts=middle)
    hop = client(cloud, "sts", cloud.account).assume_role(RoleArn=first, RoleSessionName="run-1")["Credentials"]
    end = session_client(cloud, "sts", hop).assume_role(RoleArn=second, RoleSessionName="run-1")["Credentials"]
    assert session_client(cloud, "sts", end).get_caller_identity()["Account"] == account_id


def test_assume_role_when_chained_for_more_than_an_hour_then_it_is_refused(cloud: EmbeddedCloud, account_id: str) -> None:
    first = cloud.add_role(account_id, "hop")
    second = cloud.add_role(account_id, "deployer", trusts=account_id)
    hop = client(cloud, "sts", cloud.account).assume_role(RoleArn=first, RoleSessionName="run-1")["Credentials"]
    with pytest.raises(ClientError) as refusal:
        session_client(cloud, "sts", hop).assume_role(RoleArn=second, RoleSessionName="run-1", DurationSeconds=7200)
    assert code_of(refusal) == "ValidationError"


@pytest.mark.parametrize(
    ("role", "trusts", "wanted", "given"),
    [
        ("missing", None, None, None),
        ("deployer", "999999999998", None, None),
        ("deployer", None, "secret-1", None),
        ("deployer", None, "secret-1", "secret-2"),
    ],
    ids=["no such role", "trusts another account", "external id left out", "wrong external id"],
)
def test_assume_role_when_the_role_does_not_let_the_caller_in_then_access_is_denied(
    cloud: EmbeddedCloud, account_id: str, role: str, trusts: str | None, wanted: str | None, given: str | None
) -> None:
    cloud.add_role(account_id, "deployer", trusts=trusts, external_id=wanted)
    more = {"ExternalId": given} if given else {}
    arn = f"arn:aws:iam::{account_id}:role/{role}"
    with pytest.raises(ClientError) as refusal:
        client(cloud, "sts", cloud.account).assume_role(RoleArn=arn, RoleSessionName="run-1", **more)
    assert code_of(refusal) == "AccessDenied"
    assert f"sts:AssumeRole on resource: {arn}" in refusal.value.response["Error"]["Message"]


def test_assume_role_when_the_external_id_fits_then_it_is_granted(cloud: EmbeddedCloud, account_id: str) -> None:
    arn = cloud.add_role(account_id, "deployer", external_id="secret-1")
    sts = client(cloud, "sts", cloud.account)
    assert sts.assume_role(RoleArn=arn, RoleSessionName="run-1", ExternalId="secret-1")["Credentials"]


def test_assume_role_when_the_role_was_deleted_then_it_is_denied_at_once(cloud: EmbeddedCloud, account_id: str) -> None:
    arn = cloud.add_role(account_id, "deployer")
    sts = client(cloud, "sts", cloud.account)
    sts.assume_role(RoleArn=arn, RoleSessionName="run-1")
    client(cloud, "iam", account_id).delete_role(RoleName="deployer")
    with pytest.raises(ClientError) as refusal:
        sts.assume_role(RoleArn=arn, RoleSessionName="run-1")
    assert code_of(refusal) == "AccessDenied"


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("ssm", "describe_parameters", "UnrecognizedClientException"),
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("s3", "list_buckets", "InvalidAccessKeyId"),
    ],
)
def test_session_key_when_nobody_issued_it_then_the_call_is_refused(
    cloud: EmbeddedCloud, service: str, call: str, code: str
) -> None:
    with pytest.raises(ClientError) as refusal:
        getattr(client(cloud, service, "ASIAUNKNOWNUNKNOWN00"), call)()
    assert code_of(refusal) == code


def test_create_account_when_accepted_then_it_is_in_progress_first_and_can_be_entered_after(
    cloud: EmbeddedCloud, account_id: str
) -> None:
    organizations = organization(cloud, account_id)
    first = organizations.create_account(Email=email(), AccountName="w")["CreateAccountStatus"]
    assert (first["State"], "AccountId" in first) == ("IN_PROGRESS", False)
    status = create_account(organizations, email())
    assert status["State"] == "SUCCEEDED"
    arn = f"arn:aws:iam::{status['AccountId']}:role/OrganizationAccountAccessRole"
    credentials = client(cloud, "sts", account_id).assume_role(RoleArn=arn, RoleSessionName="run-1")["Credentials"]
    role = session_client(cloud, "iam", credentials).get_role(RoleName="OrganizationAccountAccessRole")["Role"]
    assert role["Arn"] == arn


def test_create_account_when_the_role_is_named_then_that_role_exists(cloud: EmbeddedCloud, account_id: str) -> None:
    status = create_account(organization(cloud, account_id), email(), RoleName="Entrance")
    assert client(cloud, "iam", status["AccountId"]).get_role(RoleName="Entrance")["Role"]["RoleName"] == "Entrance"


def test_create_account_when_the_email_is_in_use_then_the_request_fails(cloud: EmbeddedCloud, account_id: str) -> None:
    organizations = organization(cloud, account_id)
    address = email()
    create_account(organizations, address)
    second = create_account(organizations, address.upper())
    assert (second["State"], second["FailureReason"]) == ("FAILED", "EMAIL_ALREADY_EXISTS")
    failed = organizations.list_create_account_status(States=["FAILED"])["CreateAccountStatuses"]
    assert [status["Id"] for status in failed] == [second["Id"]]
    assert len(organizations.list_accounts()["Accounts"]) == 2


def test_close_account_when_done_then_the_account_is_suspended_and_shut(cloud: EmbeddedCloud, account_id: str) -> None:
    organizations = organization(cloud, account_id)
    closed = create_account(organizations, email())["AccountId"]
    organizations.close_account(AccountId=closed)
    assert organizations.describe_account(AccountId=closed)["Account"]["Status"] == "SUSPENDED"
    with pytest.raises(ClientError) as refusal:
        client(cloud, "sts", account_id).assume_role(
            RoleArn=f"arn:aws:iam::{closed}:role/OrganizationAccountAccessRole", RoleSessionName="run-1"
        )
    assert code_of(refusal) == "AccessDenied"


@pytest.mark.parametrize(
    ("service", "call", "arguments"),
    [
        ("ram", "get_resource_shares", {"resourceOwner": "SELF"}),
        ("guardduty", "list_detectors", {}),
        ("sso-admin", "list_instances", {}),
        ("securityhub", "enable_security_hub", {}),
        ("servicecatalog", "list_portfolios", {}),
        ("account", "list_regions", {}),
        ("cloudtrail", "describe_trails", {}),
        ("ec2", "get_ebs_encryption_by_default", {}),
        ("lambda", "list_functions", {}),
        ("cloudwatch", "list_metrics", {}),
    ],
)
def test_service_when_only_one_emulator_has_it_then_the_gateway_reaches_that_one(
    cloud: EmbeddedCloud, account_id: str, service: str, call: str, arguments: dict[str, str]
) -> None:
    answer = getattr(client(cloud, service, account_id), call)(**arguments)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_create_image_when_the_instance_exists_then_the_image_can_be_described_and_shared(
    cloud: EmbeddedCloud, account_id: str
) -> None:
    ec2 = client(cloud, "ec2", account_id)
    instance = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    image = ec2.create_image(InstanceId=instance, Name="golden")["ImageId"]
    assert ec2.describe_images(ImageIds=[image])["Images"][0]["Name"] == "golden"
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": "200000000003"}]})
    permissions = ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")["LaunchPermissions"]
    assert permissions == [{"UserId": "200000000003"}]


def test_create_image_when_the_instance_does_not_exist_then_it_says_so(cloud: EmbeddedCloud, account_id: str) -> None:
    with pytest.raises(ClientError) as refusal:
        client(cloud, "ec2", account_id).create_image(InstanceId="i-0123456789abcdef0", Name="golden")
    assert code_of(refusal) == "InvalidInstanceID.NotFound"
