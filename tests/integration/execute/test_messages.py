"""Kinds that tell somebody something: events, metrics, mails, topics, webhooks, web requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core_lib.framework.models import ActionStatus
from core_lib.framework.settings import load_settings
from tests.builders.plans import action, example
from tests.builders.servers import mailbox, web
from tests.integration.execute.conftest import Rehearsal


def settle(rehearsal: Rehearsal, **more: Any) -> None:
    """More settings for the engine of this rehearsal."""
    rehearsal.settings = load_settings(rehearsal.overrides | more)


@pytest.mark.example("SYSTEM::PutEvent")
async def test_event_when_put_then_it_is_in_the_history_of_the_deployment(rehearsal: Rehearsal) -> None:
    outcome = await rehearsal.run(example("it", "SYSTEM::PutEvent", target=rehearsal.target))
    assert outcome["it"].status is ActionStatus.SUCCEEDED
    (event,) = rehearsal.cmdb.events.list("prn:web:shop:main:7").items
    assert (event.status, event.message, event.run_id) == ("DEPLOY_READY", "the shop takes orders", outcome.run_id)


@pytest.mark.example("AWS::PutMetricData")
async def test_metrics_when_put_then_cloudwatch_has_them(rehearsal: Rehearsal) -> None:
    outcome = await rehearsal.run(example("it", "AWS::PutMetricData", target=rehearsal.target))
    assert outcome["it"].status is ActionStatus.SUCCEEDED
    (metric,) = rehearsal.direct("cloudwatch").list_metrics(Namespace="Acme/Deployments")["Metrics"]
    assert (metric["MetricName"], metric["Dimensions"]) == ("Deployed", [{"Name": "App", "Value": "shop"}])


@pytest.mark.example("SYSTEM::SendEmail", but=("Bcc",))
async def test_mail_when_sent_by_smtp_then_it_arrives_rendered(rehearsal: Rehearsal) -> None:
    with mailbox() as box:
        settle(rehearsal, **{"email.host": "127.0.0.1", "email.port": box.port, "email.tls": "none"})
        outcome = await rehearsal.run(
            example("it", "SYSTEM::SendEmail", target=rehearsal.target, Body="done", Bcc="b@example.com")
        )
    assert outcome["it"].error is None
    assert box.envelopes == [["team@example.com", "b@example.com"]]
    (got,) = box.mails
    assert (got["Subject"], got["Bcc"], got.get_content().strip()) == ("Shop 7 is live", None, "done")
    assert outcome["it"].outputs == {"MessageId": got["Message-ID"], "Refused": []}


async def test_mail_when_sent_by_ses_then_ses_takes_it(rehearsal: Rehearsal) -> None:
    ses = rehearsal.direct("sesv2")
    ses.create_email_identity(EmailIdentity="deployments@example.com")
    outcome = await rehearsal.run(example("it", "SYSTEM::SendEmail", target=rehearsal.target, Body="done", Via="ses"))
    assert outcome["it"].error is None
    assert outcome["it"].outputs["MessageId"]


@pytest.mark.example("SYSTEM::Notify", but=("To",))
async def test_people_when_notified_then_topic_and_webhook_have_it_and_the_url_is_written_nowhere(rehearsal: Rehearsal) -> None:
    sns, sqs = rehearsal.direct("sns"), rehearsal.direct("sqs")
    topic = sns.create_topic(Name="deployments")["TopicArn"]
    queue = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    with web() as chat:
        settle(rehearsal, **{"http.internal_hosts": ["127.0.0.1"]})
        secret = json.dumps({"url": f"{chat.url}/services/hidden-part"})
        rehearsal.direct("secretsmanager").create_secret(Name="chat/deployments", SecretString=secret)
        to = [{"Topic": topic}, {"Webhook": "{{resolve:secretsmanager:chat/deployments:SecretString:url}}"}]
        outcome = await rehearsal.run(example("it", "SYSTEM::Notify", target=rehearsal.target, To=to))
    assert outcome["it"].error is None
    assert (outcome["it"].outputs, chat.asked[0].path) == ({"Told": 2}, "/services/hidden-part")
    assert json.loads(chat.asked[0].body) == {"text": "*Shop 7 is live*\nThe shop was deployed."}
    (heard,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(heard["Body"])["Message"] == "The shop was deployed."
    assert "hidden-part" not in repr(outcome.rows)


@pytest.mark.example("SYSTEM::HttpRequest", but=("Url", "Poll"))
async def test_request_when_polled_until_ready_then_it_is_done_with_the_values_to_keep(rehearsal: Rehearsal) -> None:
    with web() as site:
        settle(rehearsal, **{"http.internal_hosts": ["127.0.0.1"]})
        rehearsal.direct("secretsmanager").create_secret(Name="shop/health", SecretString='{"header": "Bearer quiet"}')
        site.answer = lambda asked: (200, {"status": "ready" if len(site.asked) > 1 else "busy", "build": {"number": 7}})
        poll = {"Every": 1, "Within": 60}
        outcome = await rehearsal.run(
            example("it", "SYSTEM::HttpRequest", target=rehearsal.target, Url=f"{site.url}/health", Poll=poll)
        )
    assert outcome["it"].outputs == {"Status": 200, "Values": {"Version": 7}}
    assert [asked.headers["authorization"] for asked in site.asked] == ["Bearer quiet"] * 2
    assert "quiet" not in repr(outcome.rows)


@pytest.mark.example("SYSTEM::Wait", but=("For",))
async def test_wait_when_its_time_is_over_then_what_depends_on_it_goes_on(rehearsal: Rehearsal) -> None:
    waits = example("it", "SYSTEM::Wait", target=rehearsal.target, For="PT1S")
    outcome = await rehearsal.run(waits, action("next", target=rehearsal.target, after=["it"]))
    assert (outcome["it"].status, outcome["next"].status) == (ActionStatus.SUCCEEDED, ActionStatus.SUCCEEDED)
    started, ended = outcome["it"].started_at, outcome["it"].ended_at
    assert started is not None
    assert ended is not None
    assert (ended - started).total_seconds() >= 1
