"""Assumed roles: names, durations, renewal, refusals."""

from __future__ import annotations

import re
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from hypothesis import given
from hypothesis import strategies as st

from core_lib.framework.errors import AssumeRoleError
from core_lib.helper import Role, session_name
from core_lib.helper.roles import RoleCredentials, assume

ROLE = Role("arn:aws:iam::222222222222:role/deploy", external_id="ext-1")


class Sts:
    """Records what it is asked; answers or refuses."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.refusal = refusal
        self.asked: list[dict[str, Any]] = []

    def assume_role(self, **arguments: Any) -> dict[str, Any]:
        self.asked.append(arguments)
        if self.refusal:
            raise self.refusal
        expiration = datetime.now(UTC) + timedelta(seconds=arguments["DurationSeconds"])
        return {"Credentials": {"AccessKeyId": "k", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": expiration}}


def _refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "AssumeRole")


def _metadata(seconds: int, key: str = "k") -> dict[str, str]:
    expiry = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    return {"access_key": key, "secret_key": "s", "token": "t", "expiry_time": expiry, "account_id": "222222222222"}


@given(st.one_of(st.none(), st.text()))
def test_session_name_always_obeys_aws(correlation_id: str | None) -> None:
    assert re.fullmatch(r"[\w+=,.@-]{2,64}", session_name(correlation_id), re.ASCII)


def test_session_name_carries_the_correlation_id() -> None:
    assert session_name("20261123-071500-ab12cd") == "core-20261123-071500-ab12cd"


def test_assume_sends_name_duration_and_external_id() -> None:
    sts = Sts()
    assume(sts, ROLE, name="core-x", seconds=7200)
    assert sts.asked == [
        {"RoleArn": ROLE.arn, "RoleSessionName": "core-x", "DurationSeconds": 7200, "ExternalId": "ext-1"},
    ]


def test_assume_when_role_is_chained_then_asks_for_one_hour_at_most() -> None:
    sts = Sts()
    assume(sts, Role("arn:aws:iam::2:role/x", through=ROLE), name="core-x", seconds=7200)
    assert sts.asked[0]["DurationSeconds"] == 3600
    assert "ExternalId" not in sts.asked[0]


@pytest.mark.parametrize(("refusal", "hint"), [
    (_refusal("AccessDenied"), "trust policy"),
    (_refusal("ExpiredToken"), "renew"),
    (_refusal("ValidationError"), "session duration"),
    (NoCredentialsError(), "give the platform AWS credentials"),
    (_refusal("RegionDisabledException"), "no other credentials are used"),
])  # fmt: skip
def test_assume_when_refused_then_says_who_what_why_and_what_next(refusal: Exception, hint: str) -> None:
    with pytest.raises(AssumeRoleError) as caught:
        assume(Sts(refusal), ROLE, name="core-x", seconds=3600)
    error = caught.value
    assert ROLE.arn in error.message
    assert error.where == "account 222222222222"
    assert hint in (error.hint or "")
    assert error.__cause__ is refusal


def test_credentials_fetch_nothing_before_first_use() -> None:
    calls: list[int] = []
    credentials = RoleCredentials(lambda: (calls.append(1), _metadata(3600))[1], 3600)
    assert calls == []
    assert credentials.get_frozen_credentials().access_key == "k"
    assert calls == [1]


def test_credentials_when_many_threads_ask_then_role_is_assumed_once() -> None:
    calls: list[int] = []

    def fetch() -> dict[str, str]:
        calls.append(1)
        time.sleep(0.03)
        return _metadata(3600)

    credentials = RoleCredentials(fetch, 3600)
    keys: list[str] = []
    threads = [threading.Thread(target=lambda: keys.append(credentials.get_frozen_credentials().access_key)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (len(calls), keys) == (1, ["k"] * 10)


def test_credentials_renew_before_they_expire() -> None:
    answers = iter([_metadata(60, "old"), _metadata(3600, "new")])
    credentials = RoleCredentials(lambda: next(answers), 3600)
    assert credentials.get_frozen_credentials().access_key == "old"
    assert credentials.get_frozen_credentials().access_key == "new"


def test_credentials_when_aws_calls_them_expired_then_renew_once(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = iter("abc")
    credentials = RoleCredentials(lambda: _metadata(3600, next(keys)), 3600)
    credentials.get_frozen_credentials()
    now = time.monotonic()
    monkeypatch.setattr("core_lib.helper.roles.time.monotonic", lambda: now + 60)
    credentials.expire()
    assert credentials.get_frozen_credentials().access_key == "b"
    credentials.expire()
    assert credentials.get_frozen_credentials().access_key == "b"


def test_credentials_when_refused_then_raise_and_try_again_next_time() -> None:
    answers: list[Any] = [AssumeRoleError("no"), _metadata(3600)]

    def fetch() -> dict[str, str]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    credentials = RoleCredentials(fetch, 3600)
    with pytest.raises(AssumeRoleError):
        credentials.get_frozen_credentials()
    assert credentials.get_frozen_credentials().access_key == "k"
