"""SYSTEM::SendEmail."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import Texts, also_called
from core_lib.execute.mail.message import Letter, is_address
from core_lib.execute.mail.ses import send_by_ses
from core_lib.execute.mail.smtp import send_by_smtp
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.errors import ActionFailedError
from core_lib.framework.models import Message, Target


def _addresses(values: tuple[str, ...]) -> tuple[str, ...]:
    wrong = [value for value in values if not is_address(value)]
    if wrong:
        raise ValueError(f"{wrong[0]!r} is not an e-mail address")
    return values


Addresses = Annotated[Texts, AfterValidator(_addresses)]


class SendEmailParams(Message):
    """To whom, and what."""

    to: Addresses = Field(min_length=1, validation_alias=also_called("to", "ToEmail"), description="Recipients, one or many")
    cc: Addresses = Field(default=(), validation_alias=also_called("cc", "CcEmail"), description="Recipients of a copy")
    bcc: Addresses = Field(default=(), validation_alias=also_called("bcc", "BccEmail"), description="Recipients nobody else sees")
    sender: str | None = Field(
        default=None, validation_alias=also_called("sender", "From"), description="Sender; default: the setting email.sender"
    )
    reply_to: str | None = Field(default=None, description="Where answers go")
    subject: str = Field(min_length=1, max_length=900, pattern=r"^[^\r\n]*$", description="Subject")
    body: str = Field(description="The mail as plain text")
    html: str | None = Field(default=None, description="The mail as HTML, beside the plain text")
    via: Literal["smtp", "ses"] = Field(default="smtp", description="SMTP server of the settings, or SES in the target account")
    region: str | None = Field(default=None, description="Region of SES; default: that of the target")


Context = ActionContext[SendEmailParams]


class SendEmail(Action[SendEmailParams]):
    """Sends a mail. At least once: a worker killed right after the sending sends again, with the same Message-ID."""

    kind = "SYSTEM::SendEmail"
    purpose = "Sends an e-mail by SMTP or SES."
    permissions = ("ses:SendEmail", "ses:SendRawEmail")
    source = "https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html"
    Params = SendEmailParams
    outputs: ClassVar[Mapping[str, str]] = {
        "MessageId": "id of the mail",
        "Refused": "recipients that the mail server did not take, while it took others",
    }
    example: ClassVar[Mapping[str, Any]] = {
        "To": ["team@example.com"],
        "Sender": "deployments@example.com",
        "Subject": "Shop 7 is live",
        "Body": "The load balancer is {{ outputs.web.Address }}.",
    }

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """SES identities cannot be known before the sender is; by SMTP, AWS is not asked at all."""
        region = params.get("Region") or target.region
        identities = (f"arn:{partition}:ses:{region}:{target.account}:*",) if params.get("Via") == "ses" else ()
        return {"ses:*": identities}

    def start(self, ctx: Context) -> Step:
        """Settle the date of the mail, so that a second try is the same mail."""
        if self._sender(ctx) is None:
            return Failed("the mail has no sender", hint="give Sender, or set email.sender")
        return Again(after=0, scratch={"at": time.time()})

    def check(self, ctx: Context) -> Step:
        """Send it."""
        letter = self._letter(ctx)
        if ctx.params.via == "ses":
            identity = send_by_ses(letter, ctx.client("sesv2", region=ctx.params.region))
            return Done(outputs={"MessageId": identity, "Refused": []})
        refused = send_by_smtp(letter, ctx.settings.email)
        if isinstance(refused, Failed):
            return refused
        message = f"not taken by the mail server: {', '.join(refused)}" if refused else None
        return Done(outputs={"MessageId": letter.message_id, "Refused": refused}, message=message)

    def cancel(self, ctx: Context) -> Step:
        """It has not been sent yet, or this would not be asked."""
        _ = ctx
        return Done(changed=False, message="not sent")

    def undo(self, ctx: Context) -> Step:
        """A mail that is out is out."""
        _ = ctx
        return Done(changed=False, message="a mail cannot be called back")

    def _letter(self, ctx: Context) -> Letter:
        params = ctx.params
        sender = self._sender(ctx)
        if sender is None:
            raise ActionFailedError("the mail has no sender", hint="give Sender, or set email.sender")
        return Letter(
            sender=sender, to=params.to, cc=params.cc, bcc=params.bcc, reply_to=params.reply_to, subject=params.subject,
            text=params.body, html=params.html, token=ctx.token("mail"), at=float(ctx.scratch["at"]),
        )  # fmt: skip

    @staticmethod
    def _sender(ctx: Context) -> str | None:
        return ctx.params.sender or ctx.settings.email.sender
