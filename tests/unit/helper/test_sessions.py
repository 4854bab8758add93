"""AwsSessions: the right credentials everywhere, few expensive clients, never a fallback."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from core_lib.framework.errors import AssumeRoleError, AwsError
from core_lib.framework.models import Target
from core_lib.framework.settings import Settings
from core_lib.helper import AwsSessions, Pacer, Role
from core_lib.helper.clients import current_binding

HUB = "arn:aws:iam::100000000000:role/hub"
ONE = Target(account="111111111111", region="eu-west-1")
TWO = Target(account="222222222222", region="eu-west-1")


@pytest.fixture
def emulated(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


def _settings(**aws: Any) -> Settings:
    return Settings(aws={"region": "eu-west-1", **aws})  # type: ignore[arg-type]


def _account(client: Any) -> str:
    return str(client.get_caller_identity()["Account"])


@pytest.mark.usefixtures("emulated")
def test_client_without_target_uses_the_platforms_own_credentials() -> None:
    with AwsSessions(_settings()) as sessions:
        assert _account(sessions.client("sts")) == "123456789012" == sessions.identity.account


@pytest.mark.usefixtures("emulated")
def test_client_for_a_target_acts_in_its_account_under_the_runs_name() -> None:
    with AwsSessions(_settings(), correlation_id="20261123-1") as sessions:
        arn = sessions.client("sts", ONE).get_caller_identity()["Arn"]
    assert arn == "arn:aws:sts::111111111111:assumed-role/OrganizationAccountAccessRole/core-20261123-1"


@pytest.mark.usefixtures("emulated")
def test_clients_of_many_accounts_used_at_once_never_mix() -> None:
    targets = [
        Target(account=f"{number:012d}", region=region) for number in range(300, 320) for region in ("eu-west-1", "us-east-1")
    ]
    wrong: list[tuple[str, str]] = []
    with AwsSessions(_settings()) as sessions:

        def work(mine: list[Target]) -> None:
            for _ in range(3):
                for target in mine:
                    found = _account(sessions.client("sts", target))
                    if found != target.account:
                        wrong.append((target.key, found))

        threads = [threading.Thread(target=work, args=(targets[start::4],)) for start in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert wrong == []


@pytest.mark.usefixtures("emulated")
def test_client_is_cached_and_shares_what_is_expensive() -> None:
    with AwsSessions(_settings()) as sessions:
        one, two = sessions.client("sts", ONE), sessions.client("sts", TWO)
        assert sessions.client("sts", ONE) is one
        assert one is not two
        assert one._endpoint is two._endpoint


@pytest.mark.usefixtures("emulated")
def test_paginators_and_errors_of_a_target_client_work_as_usual() -> None:
    with AwsSessions(_settings()) as sessions:
        stacks = sessions.client("cloudformation", ONE)
        assert stacks.get_paginator("describe_stacks").paginate().build_full_result() == {"Stacks": []}
        assert stacks.meta.region_name == "eu-west-1"
        with pytest.raises(stacks.exceptions.ClientError, match="does not exist"):
            stacks.describe_stacks(StackName="nope")


@pytest.mark.usefixtures("emulated")
def test_role_is_assumed_once_for_all_services_and_regions() -> None:
    with AwsSessions(_settings()) as sessions:
        calls = _count_assumes(sessions)
        for region in ("eu-west-1", "us-east-1"):
            for service in ("sts", "cloudformation"):
                client = sessions.client(service, Target(account="111111111111", region=region))
                client.get_caller_identity() if service == "sts" else client.list_stacks()
    assert calls == ["OrganizationAccountAccessRole"]


@pytest.mark.usefixtures("emulated")
def test_role_chain_is_walked_hub_first() -> None:
    with AwsSessions(_settings(role_chain=(HUB,), external_id="ext-1")) as sessions:
        role = sessions.role_of(ONE)
        assert role == Role("arn:aws:iam::111111111111:role/OrganizationAccountAccessRole", "ext-1", Role(HUB))
        calls = _count_assumes(sessions)
        assert _account(sessions.client("sts", ONE)) == "111111111111"
        assert _account(sessions.client("sts", TWO)) == "222222222222"
    assert calls == ["hub"]


def _count_assumes(sessions: AwsSessions) -> list[str]:
    """Names of the roles that the platform's own STS client assumes from here on."""
    calls: list[str] = []

    def record(params: dict[str, Any], **_: Any) -> None:
        calls.append(params["RoleArn"].rpartition("/")[2])

    sessions.client("sts").meta.events.register("before-parameter-build.sts.AssumeRole", record)
    return calls


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_role_of_a_target_lies_in_the_partition_of_its_region(region: str, partition: str) -> None:
    with AwsSessions(_settings()) as sessions:
        role = sessions.role_of(Target(account="111111111111", region=region, deploy_role="deploy", external_id="own"))
    assert (role.arn, role.external_id) == (f"arn:{partition}:iam::111111111111:role/deploy", "own")


def test_role_of_a_target_may_be_a_whole_arn() -> None:
    arn = "arn:aws:iam::111111111111:role/path/deploy"
    with AwsSessions(_settings()) as sessions:
        assert sessions.role_of(Target(account="111111111111", region="eu-west-1", deploy_role=arn)).arn == arn


def test_role_of_a_target_when_it_lies_in_another_account_then_is_refused() -> None:
    arn = "arn:aws:iam::999999999999:role/path/deploy"
    target = Target(account="111111111111", region="eu-west-1", deploy_role=arn)
    with AwsSessions(_settings()) as sessions, pytest.raises(AssumeRoleError, match="another account than the target"):
        sessions.role_of(target)


def test_call_when_role_is_refused_then_raises_and_uses_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def refuse(*_: Any, **__: Any) -> dict[str, str]:
        raise AssumeRoleError("no")

    monkeypatch.setattr("core_lib.helper.sessions.assume", refuse)
    with AwsSessions(_settings()) as sessions:
        client = sessions.client("cloudformation", ONE)
        client.meta.events.register("before-send", lambda request, **_: sent.append(request.url))
        with pytest.raises(AssumeRoleError):
            client.list_stacks()
    assert sent == []


def test_shared_client_when_used_without_a_role_then_refuses() -> None:
    with AwsSessions(_settings()) as sessions:
        shared = sessions._make_shared("sts", "eu-west-1")
        with pytest.raises(AssumeRoleError, match="used without a role"):
            shared.get_caller_identity()
        with pytest.raises(AssumeRoleError, match="used without a role"):
            sessions.client("s3", ONE).generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})


@pytest.mark.usefixtures("emulated")
def test_address_inside_of_a_request_when_signed_then_it_is_signed_with_the_role_of_the_view() -> None:
    sent: list[str] = []
    with AwsSessions(_settings()) as sessions:
        client = sessions.client("ec2", ONE)
        client.meta.events.register_first("before-send.ec2", lambda request, **_: sent.append(unquote_plus(str(request.body))))
        with pytest.raises(ClientError, match="InvalidSnapshot"):
            client.copy_snapshot(SourceRegion="eu-central-1", SourceSnapshotId="snap-1")
    assert "X-Amz-Credential=ASIA" in unquote_plus(sent[0].partition("PresignedUrl=")[2])


@pytest.mark.usefixtures("emulated")
def test_binding_ends_with_the_call() -> None:
    with AwsSessions(_settings()) as sessions:
        sessions.client("sts", ONE).get_caller_identity()
        assert current_binding() is None


@pytest.mark.usefixtures("emulated")
def test_calls_are_paced_per_account() -> None:
    pacer = Pacer()
    with AwsSessions(_settings(), pacer=pacer) as sessions:
        sessions.client("cloudformation", ONE).list_stacks()
        sessions.client("cloudformation", TWO).list_stacks()
        sessions.client("cloudformation", TWO).list_stacks()
    calls = {(state.api, state.account): state.calls for state in pacer.snapshot()}
    assert calls[("cloudformation.Read", ONE.account)] == 1
    assert calls[("cloudformation.Read", TWO.account)] == 2
    assert calls[("sts.Assume", "home")] == 2


@pytest.mark.usefixtures("emulated")
def test_calls_when_pacing_is_off_then_take_no_tokens() -> None:
    settings = Settings(aws={"region": "eu-west-1"}, limits={"pacing": False})  # type: ignore[arg-type]
    with AwsSessions(settings) as sessions:
        sessions.client("cloudformation", ONE).list_stacks()
        assert sessions.pacer.snapshot() == []


@pytest.mark.usefixtures("emulated")
def test_presigned_address_takes_no_token() -> None:
    pacer = Pacer()
    with AwsSessions(_settings(), pacer=pacer) as sessions:
        sessions.client("s3").generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"})
    assert pacer.snapshot() == []


@pytest.mark.usefixtures("emulated")
def test_evicted_client_still_works_for_whoever_holds_it_and_goes_with_the_last_user() -> None:
    with AwsSessions(_settings(client_cache=1)) as sessions:
        held = sessions.client("sts", ONE)
        endpoint = weakref.ref(held._endpoint)
        assert _account(sessions.client("sts", Target(account="222222222222", region="us-east-1"))) == "222222222222"
        assert _account(held) == "111111111111"
        assert endpoint() is not None
        del held
        gc.collect()
        assert endpoint() is None


def test_client_when_sessions_are_closed_then_refuses() -> None:
    sessions = AwsSessions(_settings())
    sessions.close()
    with pytest.raises(AwsError, match="closed"):
        sessions.client("sts")


def test_client_when_no_region_is_known_then_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with AwsSessions(Settings()) as sessions, pytest.raises(AwsError, match="region") as caught:
        sessions.client("cloudformation")
    assert "aws.region" in (caught.value.hint or "")


def test_identity_when_there_are_no_credentials_then_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ):
        monkeypatch.setenv(name, value)
    with AwsSessions(_settings()) as sessions, pytest.raises(AwsError, match="Unable to locate credentials"):
        _ = sessions.identity


def test_user_agent_names_the_run() -> None:
    with AwsSessions(_settings(), correlation_id="20261123-1") as sessions:
        assert "run/20261123-1" in sessions.client("sts", ONE).meta.config.user_agent_extra


def test_twelve_hundred_targets_share_a_handful_of_connections_pools() -> None:
    with AwsSessions(_settings(client_cache=2000)) as sessions:
        regions = ("eu-west-1", "eu-west-2", "us-east-1", "us-west-2")
        clients = [
            sessions.client("sts", Target(account=f"{number:012d}", region=region)) for number in range(300) for region in regions
        ]
        assert len({id(client._endpoint) for client in clients}) == 4
