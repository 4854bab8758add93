"""Mails, messages, events and metrics: failures that are worth another try and those that are not, and what never leaks."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from core_lib.execute import Again, Done, Failed, validate_spec
from core_lib.execute.actions.notify import Notify
from core_lib.execute.actions.put_metric_data import in_portions
from core_lib.execute.actions.send_email import SendEmail
from core_lib.framework.errors import ActionFailedError, SchemaError, SettingsError
from core_lib.framework.models import Cause
from core_lib.framework.settings import EmailSettings, HttpSettings, Settings, load_settings
from tests.builders.carry import carry_through
from tests.builders.contexts import MemoryOfRun, context_of
from tests.builders.scripted import scripted
from tests.builders.servers import Mailbox, mailbox, web

MAIL = {"To": "ann@example.com", "Sender": "core@example.com", "Subject": "News", "Body": "Hello"}


def settings(box: Mailbox | None = None, **email: Any) -> Settings:
    found = EmailSettings(host="127.0.0.1", port=box.port, tls="none") if box else EmailSettings(**email)
    return Settings.model_construct(email=found, http=HttpSettings(internal_hosts=("127.0.0.1",)))


def test_mail_when_it_is_sent_again_after_a_kill_then_it_is_the_same_mail() -> None:
    with mailbox() as box:
        ctx = context_of("SYSTEM::SendEmail", settings=settings(box), scratch={"at": 1_700_000_000.0}, **MAIL)
        first, second = SendEmail().check(ctx), SendEmail().check(ctx)
    assert first == second
    assert box.mails[0].as_string() == box.mails[1].as_string()


def test_mail_when_the_server_wants_only_some_recipients_then_the_others_are_told() -> None:
    with mailbox() as box:
        box.refuse = {"gone@example.com": "550 nobody here"}
        ctx = context_of("SYSTEM::SendEmail", settings=settings(box), **{**MAIL, "To": ["ann@example.com", "gone@example.com"]})
        step, _ = carry_through("SYSTEM::SendEmail", ctx)
    assert isinstance(step, Done)
    assert (step.outputs["Refused"], box.envelopes) == (["gone@example.com"], [["ann@example.com"]])


@pytest.mark.parametrize(("answer", "cause"), [("450 later", Cause.TRANSIENT), ("550 never", Cause.PERMANENT)])
def test_mail_when_all_recipients_are_refused_then_the_code_says_if_another_try_is_worth_it(answer: str, cause: Cause) -> None:
    with mailbox() as box:
        box.refuse = {"ann@example.com": answer}
        step, _ = carry_through("SYSTEM::SendEmail", context_of("SYSTEM::SendEmail", settings=settings(box), **MAIL))
    assert isinstance(step, Failed)
    assert step.cause is cause
    assert answer in step.message


def test_mail_when_the_server_is_busy_or_gone_then_another_try_is_worth_it() -> None:
    with mailbox() as box:
        box.busy = 1
        step, scratch = carry_through("SYSTEM::SendEmail", context_of("SYSTEM::SendEmail", settings=settings(box), **MAIL))
        assert isinstance(step, Failed)
        assert step.cause is Cause.TRANSIENT
    with pytest.raises(ConnectionError, match="does not answer"):
        SendEmail().check(context_of("SYSTEM::SendEmail", settings=settings(box), scratch=scratch, **MAIL))


def test_mail_when_no_server_or_sender_is_set_then_the_setting_is_named() -> None:
    ctx = context_of("SYSTEM::SendEmail", settings=settings(), scratch={"at": 0.0}, **MAIL)
    with pytest.raises(ActionFailedError, match="no mail server"):
        SendEmail().check(ctx)
    step = SendEmail().start(context_of("SYSTEM::SendEmail", settings=settings(), **{**MAIL, "Sender": None}))
    assert isinstance(step, Failed)
    assert "email.sender" in (step.hint or "")


@pytest.mark.parametrize("wrong", [{"Subject": "a\nBcc: x@example.com"}, {"To": "nobody"}, {"To": []}])
def test_mail_when_a_header_could_be_broken_out_of_then_the_spec_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SchemaError):
        validate_spec("SYSTEM::SendEmail", MAIL | wrong)


def test_settings_when_a_password_would_travel_in_the_clear_then_they_are_refused() -> None:
    with pytest.raises(SettingsError, match="tls must not be none"):
        load_settings({"email.user": "core", "email.tls": "none"})


@pytest.mark.parametrize(("status", "cause"), [(503, Cause.TRANSIENT), (429, Cause.TRANSIENT), (404, Cause.PERMANENT)])
def test_webhook_when_it_refuses_then_neither_message_nor_log_has_its_url(
    status: int, cause: Cause, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with web() as chat:
        chat.answer = lambda asked: (status, {})
        secrets = scripted("secretsmanager", get_secret_value={"SecretString": f"{chat.url}/hidden-part"})
        ctx = context_of(
            "SYSTEM::Notify", {"secretsmanager": secrets}, settings=settings(), To={"Webhook": "resolve:secretsmanager:chat"},
            Subject="News", Message="Hello",
        )  # fmt: skip
        step, scratch = carry_through("SYSTEM::Notify", ctx)
    assert isinstance(step, Failed)
    assert step.cause is cause
    assert "hidden-part" not in f"{step}{scratch}{caplog.text}"


def test_people_when_one_cannot_be_told_then_those_before_are_not_told_again() -> None:
    sns = scripted("sns", publish={"MessageId": "1"})
    with web() as chat:
        chat.answer = lambda asked: (500 if len(chat.asked) == 1 else 200, {})
        secrets = scripted("secretsmanager", get_secret_value={"SecretString": chat.url})
        to = [{"Topic": "arn:aws:sns:eu-west-1:111111111111:news.fifo"}, {"Webhook": "resolve:secretsmanager:chat"}]
        given: dict[str, Any] = {"To": to, "Subject": "News", "Message": "Hello"}
        clients = {"sns": sns, "secretsmanager": secrets}
        first, scratch = carry_through("SYSTEM::Notify", context_of("SYSTEM::Notify", clients, settings=settings(), **given))
        assert isinstance(first, Failed)
        second = Notify().check(context_of("SYSTEM::Notify", clients, settings=settings(), scratch=scratch, **given))
    assert isinstance(second, Done)
    assert (second.outputs, len(sns.calls)) == ({"Told": 2}, 1)
    assert sns.calls[0][1]["MessageDeduplicationId"].startswith("core-")
    keys = {asked.headers["idempotency-key"] for asked in chat.asked}
    assert len(keys) == 1


def test_event_when_it_is_written_again_after_a_kill_then_it_is_one_event() -> None:
    run = MemoryOfRun()
    spec: dict[str, Any] = {"Status": "READY", "Type": "warn", "Identity": "prn:web:shop", "Details": {"Build": 7}}
    _, scratch = carry_through("AWS::PutEvent", context_of("AWS::PutEvent", run=run, **spec))
    carry_through("AWS::PutEvent", context_of("AWS::PutEvent", run=run, scratch=scratch, **spec))
    (event,) = run.events
    assert (event["event_type"], event["prn"], event["details"]) == ("WARN", "prn:web:shop", {"Build": 7})


def test_event_when_its_prn_is_none_then_the_spec_is_refused() -> None:
    with pytest.raises(SchemaError, match="Identity"):
        validate_spec("SYSTEM::PutEvent", {"Status": "READY", "Identity": "shop"})


def test_metrics_when_there_are_more_than_a_request_takes_then_a_killed_worker_repeats_only_the_request_in_doubt() -> None:
    metrics = [{"MetricName": f"m{number}", "Value": number} for number in range(2500)]
    cloudwatch = scripted("cloudwatch", put_metric_data={})
    step, scratch = carry_through(
        "AWS::PutMetricData", context_of("AWS::PutMetricData", {"cloudwatch": cloudwatch}, Namespace="Acme", Metrics=metrics)
    )
    assert isinstance(step, Done)
    assert [len(given["MetricData"]) for _, given in cloudwatch.calls] == [1000, 1000, 500]
    again = context_of("AWS::PutMetricData", {"cloudwatch": cloudwatch}, scratch=scratch, Namespace="Acme", Metrics=metrics)
    carry_through("AWS::PutMetricData", again)
    assert cloudwatch.calls[3] == cloudwatch.calls[2]


def test_metrics_when_they_are_large_then_no_request_is_larger_than_half_a_megabyte() -> None:
    portions = list(in_portions([{"MetricName": "x" * 250, "Dimensions": ["y" * 900]}] * 1000))
    assert len(portions) == 3
    assert sum(map(len, portions)) == 1000


def test_metric_when_it_has_no_value_or_too_many_then_the_spec_is_refused() -> None:
    for metric in ({}, {"Value": 1, "Values": [1]}, {"Values": [1, 2], "Counts": [1]}):
        with pytest.raises(SchemaError, match=r"Value|Counts"):
            validate_spec("AWS::PutMetricData", {"Namespace": "Acme", "Metrics": [{"MetricName": "m", **metric}]})


@pytest.mark.cancel("SYSTEM::Notify", "SYSTEM::SendEmail")
def test_messages_when_cancelled_then_what_is_out_is_told() -> None:
    ctx = context_of("SYSTEM::Notify", scratch={"at": 0.0, "told": 1}, To={"Email": "a@example.com"}, Subject="x", Message="y")
    assert Notify().cancel(ctx) == Done(message="told 1 of 1")
    assert not isinstance(SendEmail().cancel(context_of("SYSTEM::SendEmail", **MAIL)), Again)
