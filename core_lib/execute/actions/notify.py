"""SYSTEM::Notify."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import one_or_many
from core_lib.execute.mail.message import Letter, is_address
from core_lib.execute.mail.ses import send_by_ses
from core_lib.execute.mail.smtp import send_by_smtp
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.execute.web.request import send
from core_lib.execute.web.secrets import PERMISSIONS, SecretReference, read_secret, secrets_scope
from core_lib.framework.errors import ActionFailedError
from core_lib.framework.models import Cause, Message, Target

_LONGEST_SUBJECT = 100


def _address(value: str) -> str:
    if not is_address(value):
        raise ValueError("not an e-mail address")
    return value


class TopicRecipient(Message):
    """Everybody who subscribes to an SNS topic."""

    topic: str = Field(
        pattern=r"^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$", description="ARN of the topic"
    )


class EmailRecipient(Message):
    """Somebody with a mailbox."""

    email: Annotated[str, AfterValidator(_address)] = Field(description="Address")
    via: Literal["smtp", "ses"] = Field(default="smtp", description="SMTP server of the settings, or SES in the target account")


class WebhookRecipient(Message):
    """A channel of Slack, Mattermost, Teams ... that takes `{"text": ...}`. Its URL is a secret and given by reference."""

    webhook: SecretReference


Recipient = TopicRecipient | EmailRecipient | WebhookRecipient


class NotifyParams(Message):
    """To whom, and what."""

    to: Annotated[tuple[Recipient, ...], BeforeValidator(one_or_many)] = Field(
        min_length=1, max_length=50, description="One or many of {Topic: arn}, {Email: address}, {Webhook: reference to a secret}"
    )
    subject: str = Field(min_length=1, max_length=_LONGEST_SUBJECT, pattern=r"^[^\r\n]*$", description="The news in a few words")
    message: str = Field(min_length=1, max_length=100_000, description="The news in full")
    sender: str | None = Field(default=None, description="Sender of mails; default: the setting email.sender")


Context = ActionContext[NotifyParams]


class Notify(Action[NotifyParams]):
    """Tells people. One recipient a step, so that a failure at one is no second message for those before."""

    kind = "SYSTEM::Notify"
    purpose = "Tells people through an SNS topic, by e-mail or through a chat webhook (each at least once)."
    permissions = ("sns:Publish", "ses:SendEmail", "ses:SendRawEmail", *PERMISSIONS)
    source = "https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"
    Params = NotifyParams
    outputs: ClassVar[Mapping[str, str]] = {"Told": "number of recipients"}
    example: ClassVar[Mapping[str, Any]] = {
        "To": [
            {"Topic": "arn:aws:sns:eu-west-1:111111111111:deployments"},
            {"Webhook": "resolve:secretsmanager:chat/deployments:SecretString:url"},
        ],
        "Subject": "Shop 7 is live",
        "Message": "The shop was deployed.",
    }

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The topics and secrets that are named."""
        given = params.get("To") or ()
        everybody = [item for item in one_or_many(given) if isinstance(item, Mapping)]
        topics = [str(item["Topic"]) for item in everybody if "Topic" in item]
        by_ses = any(item.get("Via") == "ses" for item in everybody)
        identities = (f"arn:{partition}:ses:{target.region}:{target.account}:*",) if by_ses else ()
        secrets = secrets_scope([str(item["Webhook"]) for item in everybody if "Webhook" in item], target, partition)
        return {"sns:*": tuple(topics), "ses:*": identities, **secrets}

    def start(self, ctx: Context) -> Step:
        """Settle the date of mails; recipients are told by `check`."""
        _ = ctx
        return Again(after=0, scratch={"at": time.time(), "told": 0})

    def check(self, ctx: Context) -> Step:
        """Tell the next one."""
        told = int(ctx.scratch["told"])
        recipient = ctx.params.to[told]
        failed = self._tell(ctx, recipient, told)
        if failed is not None:
            return failed
        if told + 1 == len(ctx.params.to):
            return Done(outputs={"Told": told + 1})
        return Again(after=0, scratch={**ctx.scratch, "told": told + 1})

    def cancel(self, ctx: Context) -> Step:
        """Tell nobody else."""
        return Done(message=f"told {ctx.scratch['told']} of {len(ctx.params.to)}")

    def undo(self, ctx: Context) -> Step:
        """What people know they know."""
        _ = ctx
        return Done(changed=False, message="a message cannot be called back")

    def _tell(self, ctx: Context, recipient: Recipient, number: int) -> Failed | None:
        if isinstance(recipient, TopicRecipient):
            self._publish(ctx, recipient.topic, number)
            return None
        if isinstance(recipient, WebhookRecipient):
            return self._post(ctx, recipient.webhook, number)
        letter = self._letter(ctx, recipient.email, number)
        if recipient.via == "ses":
            send_by_ses(letter, ctx.client("sesv2"))
            return None
        refused = send_by_smtp(letter, ctx.settings.email)
        return refused if isinstance(refused, Failed) else None

    def _publish(self, ctx: Context, topic: str, number: int) -> None:
        """A FIFO topic drops a second message with the same id; the others may deliver it twice."""
        fifo = (
            {"MessageGroupId": "core", "MessageDeduplicationId": ctx.token(f"topic-{number}")} if topic.endswith(".fifo") else {}
        )
        sns = ctx.client("sns", region=topic.split(":")[3])
        sns.publish(TopicArn=topic, Subject=ctx.params.subject, Message=ctx.params.message, **fifo)

    def _post(self, ctx: Context, reference: str, number: int) -> Failed | None:
        url = read_secret(reference, ctx.client)
        body = json.dumps({"text": f"*{ctx.params.subject}*\n{ctx.params.message}"}).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": ctx.token(f"webhook-{number}")}
        reply = send("POST", url, settings=ctx.settings.http, headers=headers, content=body)
        if 200 <= reply.status < 300:
            return None
        cause = Cause.TRANSIENT if reply.status >= 500 or reply.status == 429 else Cause.PERMANENT
        return Failed(f"the webhook behind {reference} answers {reply.status}", cause=cause, hint="check the URL in the secret")

    def _letter(self, ctx: Context, address: str, number: int) -> Letter:
        sender = ctx.params.sender or ctx.settings.email.sender
        if sender is None:
            raise ActionFailedError("the mail has no sender", hint="give Sender, or set email.sender")
        return Letter(
            sender=sender, to=(address,), subject=ctx.params.subject, text=ctx.params.message,
            token=ctx.token(f"mail-{number}"), at=float(ctx.scratch["at"]),
        )  # fmt: skip
