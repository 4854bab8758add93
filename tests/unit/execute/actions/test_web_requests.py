"""Web requests: where they may go, what an answer must be, secrets that are read late."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.execute import Again, Done, Failed, validate_spec
from core_lib.execute.actions.http_request import HttpRequest
from core_lib.execute.actions.wait import Wait
from core_lib.execute.web.places import place_of
from core_lib.execute.web.secrets import read_secret, secrets_scope
from core_lib.framework.errors import ActionFailedError, CoreError, SchemaError
from core_lib.framework.models import Cause, Target
from core_lib.framework.settings import HttpSettings, Settings
from tests.builders.carry import carry_through
from tests.builders.contexts import context_of
from tests.builders.scripted import refusal, scripted
from tests.builders.servers import web

HERE = Settings.model_construct(http=HttpSettings(internal_hosts=("127.0.0.1",)))


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest/meta-data", "https://[fd00:ec2::254]/", "https://127.0.0.1/", "https://10.1.2.3/",
        "https://[::ffff:10.0.0.1]/", "https://0.0.0.0/", "https://localhost/", "http://example.com/", "ftp://example.com/",
        "https://user:pass@example.com/", "https:///nothing", "https://example.com:99999/", "https://[fe80::1]/",
    ],
)  # fmt: skip
def test_place_when_it_is_not_public_or_not_https_then_it_is_refused(url: str) -> None:
    with pytest.raises(ActionFailedError, match="must not be called"):
        place_of(url, HttpSettings())


def test_place_when_a_name_leads_to_a_private_address_then_it_is_refused_and_else_the_address_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    addresses = ["93.184.216.34", "10.0.0.1"]
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    with pytest.raises(ActionFailedError, match="not public"):
        place_of("https://shop.example.com/", HttpSettings())
    answer.pop()
    assert place_of("https://shop.example.com/", HttpSettings()).address == "93.184.216.34"
    with pytest.raises(ActionFailedError, match="allowed_hosts"):
        place_of("https://shop.example.com/", HttpSettings(allowed_hosts=("*.example.org",)))


@given(st.text(max_size=40))
def test_place_when_the_url_is_anything_then_it_is_refused_in_words(text: str) -> None:
    with pytest.raises((CoreError, ConnectionError)):
        place_of(f"http://{text}", HttpSettings())


def request(url: str, scratch: dict[str, Any] | None = None, clients: dict[str, Any] | None = None, **spec: Any) -> Any:
    return context_of("SYSTEM::HttpRequest", clients, settings=HERE, scratch=scratch, Url=url, **spec)


@pytest.mark.parametrize(("status", "cause"), [(500, Cause.TRANSIENT), (429, Cause.TRANSIENT), (404, Cause.PERMANENT)])
def test_request_when_the_status_is_wrong_then_it_says_whether_another_try_is_worth_it(status: int, cause: Cause) -> None:
    with web() as site:
        site.answer = lambda asked: (status, {})
        step, _ = carry_through("SYSTEM::HttpRequest", request(site.url))
    assert step == Failed(f"the answer is {status}", cause=cause)


def test_request_when_it_is_sent_again_then_its_key_is_the_same_and_a_redirect_is_not_followed() -> None:
    with web() as site:
        site.answer = lambda asked: (302, {})
        ctx = request(site.url, Method="POST", Json={"a": 1}, ExpectedStatuses=[302])
        for _ in range(2):
            step, _ = carry_through("SYSTEM::HttpRequest", ctx)
            assert step == Done(outputs={"Status": 302, "Values": {}}, changed=True)
    assert [asked.body for asked in site.asked] == [b'{"a": 1}'] * 2
    assert len({asked.headers["idempotency-key"] for asked in site.asked}) == 1


def test_request_when_polling_is_over_then_it_fails_with_what_was_wrong() -> None:
    with web() as site:
        site.answer = lambda asked: (200, {"status": "busy"})
        spec: dict[str, Any] = {"Expect": {"Path": "status", "Equals": "ready"}, "Poll": {"Within": "PT1M", "Every": 7}}
        going_on = HttpRequest().check(request(site.url, {"until": "2999-01-01T00:00:00+00:00"}, **spec))
        assert going_on == Again(after=7, message='status is not "ready"')
        over = HttpRequest().check(request(site.url, {"until": "2000-01-01T00:00:00+00:00"}, **spec))
    assert isinstance(over, Failed)
    assert over.cause is Cause.TIMEOUT


def test_request_when_nobody_answers_then_only_the_host_is_named() -> None:
    with web() as site:
        url = f"{site.url}/hidden-part"
    with pytest.raises(ConnectionError, match=r"127\.0\.0\.1 does not answer") as caught:
        carry_through("SYSTEM::HttpRequest", request(url))
    assert "hidden-part" not in str(caught.value)


def test_request_when_a_query_or_a_secret_is_malformed_then_the_spec_is_refused() -> None:
    for wrong in ({"Keep": {"A": "]["}}, {"SecretHeaders": {"X": "plain text"}}, {"Body": "a", "Json": {}}, {"Url": "shop"}):
        with pytest.raises(SchemaError):
            validate_spec("SYSTEM::HttpRequest", {"Url": "https://example.com/", **wrong})


def test_secret_when_named_in_any_notation_then_it_is_read_from_where_it_lies() -> None:
    secrets = scripted("secretsmanager", get_secret_value={"SecretString": '{"key": "one"}'})
    ssm = scripted("ssm", get_parameter={"Parameter": {"Name": "a", "Value": "two"}})
    reading = context_of("SYSTEM::NoOp", {"secretsmanager": secrets, "ssm": ssm}).client
    assert read_secret("{{resolve:secretsmanager:shop/x:SecretString:key:AWSCURRENT}}", reading) == "one"
    assert read_secret("resolve:ssm-secure:/shop/pin:3", reading) == "two"
    assert secrets.calls == [("get_secret_value", {"SecretId": "shop/x", "VersionStage": "AWSCURRENT"})]
    assert ssm.calls == [("get_parameter", {"Name": "/shop/pin:3", "WithDecryption": True})]
    with pytest.raises(ActionFailedError, match="has no key 'other'"):
        read_secret("resolve:secretsmanager:shop/x:SecretString:other", reading)


def test_secrets_when_scoped_then_each_is_named_and_an_expression_widens_it() -> None:
    target = Target(account="111111111111", region="eu-west-1")
    scope = secrets_scope(["resolve:secretsmanager:shop/x"], target, "aws")
    assert scope["secretsmanager:GetSecretValue"] == ("arn:aws:secretsmanager:eu-west-1:111111111111:secret:shop/x-??????",)
    assert scope["ssm:GetParameter"] == ()
    assert secrets_scope(["{{ vars.where }}"], target, "aws")["ssm:GetParameter"] == ("*",)


def test_parameter_when_a_killed_try_has_written_it_then_it_is_not_written_again() -> None:
    written = {"Parameter": {"Name": "/a", "Value": "new", "Type": "String", "Version": 4}}
    ssm = scripted("ssm", get_parameter=written)
    ctx = context_of("AWS::PutParameter", {"ssm": ssm}, scratch={"before": 3}, Name="/a", Value="new")
    assert carry_through("AWS::PutParameter", ctx)[0] == Done(outputs={"Name": "/a", "Version": 4})


def test_parameter_when_secret_then_its_value_is_in_no_scratch_and_undo_leaves_what_others_wrote() -> None:
    secrets = scripted("secretsmanager", get_secret_value={"SecretString": "quiet"})
    absent = refusal("ParameterNotFound")
    ssm = scripted("ssm", get_parameter=absent, put_parameter={"Version": 1})
    spec = {"Name": "/a", "ValueFrom": "resolve:secretsmanager:x", "Type": "SecureString"}
    clients = {"ssm": ssm, "secretsmanager": secrets}
    step, scratch = carry_through("AWS::PutParameter", context_of("AWS::PutParameter", clients, **spec))
    assert "quiet" not in f"{step}{scratch}"
    assert ssm.calls[-1][1]["Value"] == "quiet"
    theirs = {"Parameter": {"Name": "/a", "Value": "theirs", "Type": "SecureString", "Version": 2}}
    clients["ssm"] = scripted("ssm", get_parameter=theirs)
    undone, _ = carry_through("AWS::PutParameter", context_of("AWS::PutParameter", clients, scratch=scratch, **spec), "undo")
    assert isinstance(undone, Done)
    assert not undone.changed


@pytest.mark.parametrize(
    "spec", [{"Value": "x", "ValueFrom": "resolve:ssm:y"}, {}, {"Value": ["a"]}, {"ValueFrom": "resolve:ssm:y"}]
)
def test_parameter_when_value_and_type_do_not_fit_then_the_spec_is_refused(spec: dict[str, Any]) -> None:
    with pytest.raises(SchemaError):
        validate_spec("AWS::PutParameter", {"Name": "/a", **spec})


@pytest.mark.cancel("SYSTEM::Wait")
def test_wait_when_resumed_then_it_waits_for_what_is_left_and_cancel_ends_it_at_once() -> None:
    first = Wait().start(context_of("SYSTEM::Wait", Seconds=60))
    assert isinstance(first, Again)
    assert first.after == pytest.approx(60, abs=5)
    resumed = Wait().check(context_of("SYSTEM::Wait", scratch=first.scratch, For=timedelta(hours=9)))
    assert isinstance(resumed, Again)
    assert (resumed.after or 0) <= 60
    assert isinstance(Wait().cancel(context_of("SYSTEM::Wait", scratch=first.scratch, Seconds=60)), Done)
    with pytest.raises(SchemaError, match="either Seconds or For"):
        validate_spec("SYSTEM::Wait", {})
