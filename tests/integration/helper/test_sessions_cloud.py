"""AwsSessions against the embedded cloud: trust policies, external ids, role chains, throttling, expired sessions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from core_lib.framework.errors import AssumeRoleError
from core_lib.framework.models import Cause, Target
from core_lib.framework.settings import Settings
from core_lib.helper import AwsSessions, Pacer, RateTable, classify
from deployments.local import EmbeddedCloud


def _settings(**aws: Any) -> Settings:
    return Settings(aws={"region": "eu-west-1", "deploy_role": "deploy", **aws})  # type: ignore[arg-type]


@pytest.fixture
def target(account_id: str) -> Target:
    """A target in a fresh account, of whose number the last digit differs from the platform's own."""
    other = f"{account_id[:-1]}{(int(account_id[-1]) + 1) % 10}"
    return Target(account=other, region="eu-west-1")


@pytest.fixture
def quiet(aws: EmbeddedCloud) -> Iterator[EmbeddedCloud]:
    yield aws
    aws.faults([])


def test_role_that_trusts_the_platform_is_assumed(aws: EmbeddedCloud, account_id: str, target: Target) -> None:
    aws.add_role(target.account, "deploy", trusts=account_id)
    with AwsSessions(_settings(), correlation_id="run-7") as sessions:
        arn = sessions.client("sts", target).get_caller_identity()["Arn"]
    assert arn == f"arn:aws:sts::{target.account}:assumed-role/deploy/core-run-7"


def test_role_that_is_not_there_is_refused_and_nothing_is_done_elsewhere(aws: EmbeddedCloud, target: Target) -> None:
    with AwsSessions(_settings()) as sessions, pytest.raises(AssumeRoleError) as caught:
        sessions.client("ssm", target).put_parameter(Name="/x", Value="1", Type="String")
    assert caught.value.where == f"account {target.account}"
    assert "trust policy" in (caught.value.hint or "")
    assert classify(caught.value) is Cause.PERMANENT
    assert aws.count("ssm") == 0


def test_external_id_opens_a_role_that_asks_for_it(aws: EmbeddedCloud, account_id: str, target: Target) -> None:
    aws.add_role(target.account, "deploy", trusts=account_id, external_id="ext-42")
    with AwsSessions(_settings(external_id="ext-42")) as sessions:
        assert sessions.client("sts", target).get_caller_identity()["Account"] == target.account
    with AwsSessions(_settings(external_id="wrong")) as sessions, pytest.raises(AssumeRoleError):
        sessions.client("sts", target).get_caller_identity()


def test_chain_goes_through_the_hub(aws: EmbeddedCloud, account_id: str, target: Target) -> None:
    hub_account = target.account[::-1] if target.account[::-1][0] != "0" else "2" + target.account[::-1][1:]
    hub = aws.add_role(hub_account, "hub", trusts=account_id)
    aws.add_role(target.account, "deploy", trusts=hub_account)
    with AwsSessions(_settings()) as sessions, pytest.raises(AssumeRoleError):
        sessions.client("sts", target).get_caller_identity()
    with AwsSessions(_settings(role_chain=(hub,))) as sessions:
        assert sessions.client("sts", target).get_caller_identity()["Account"] == target.account


def test_calls_of_many_threads_assume_the_role_once(aws: EmbeddedCloud, account_id: str, target: Target) -> None:
    aws.add_role(target.account, "deploy", trusts=account_id)
    aws.reset_calls()
    with AwsSessions(_settings()) as sessions, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: sessions.client("ssm", target).describe_parameters()["Parameters"], range(16)))
    assert answers == [[]] * 16
    assert aws.count("sts", "AssumeRole") == 1


def test_throttling_slows_the_pacer_down_for_that_account_only(quiet: EmbeddedCloud, account_id: str, target: Target) -> None:
    quiet.add_role(target.account, "deploy", trusts=account_id)
    pacer = Pacer(RateTable({"cloudformation.DescribeStacks": 50.0}))
    quiet.faults(
        [{"match": {"operation": "DescribeStacks"}, "times": 2, "error": {"code": "Throttling", "message": "Rate exceeded"}}]
    )
    with AwsSessions(_settings(), pacer=pacer) as sessions:
        assert sessions.client("cloudformation", target).describe_stacks()["Stacks"] == []
        assert sessions.client("cloudformation").describe_stacks()["Stacks"] == []
    states = {state.account: state for state in pacer.snapshot() if state.api == "cloudformation.DescribeStacks"}
    assert (states[target.account].throttled, states["home"].throttled) == (2, 0)
    assert states[target.account].calls == 3


def test_expired_session_is_renewed_within_the_call(
    quiet: EmbeddedCloud, account_id: str, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet.add_role(target.account, "deploy", trusts=account_id)
    with AwsSessions(_settings()) as sessions:
        client = sessions.client("ssm", target)
        client.describe_parameters()
        quiet.reset_calls()
        quiet.faults(
            [{"match": {"service": "ssm"}, "times": 1, "error": {"code": "ExpiredTokenException", "message": "expired"}}]
        )
        now = time.monotonic()
        monkeypatch.setattr("core_lib.helper.roles.time.monotonic", lambda: now + 60)
        assert client.describe_parameters()["Parameters"] == []
    assert quiet.count("sts", "AssumeRole") == 1


def test_lost_connection_is_repeated(quiet: EmbeddedCloud, account_id: str, target: Target) -> None:
    quiet.add_role(target.account, "deploy", trusts=account_id)
    quiet.faults([{"match": {"service": "ssm"}, "times": 1, "reset": True}])
    with AwsSessions(_settings()) as sessions:
        assert sessions.client("ssm", target).describe_parameters()["Parameters"] == []
