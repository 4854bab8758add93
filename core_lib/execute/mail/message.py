"""Building a mail: headers that cannot be broken out of, plain text, HTML beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, parseaddr

from core_lib.framework.errors import ActionFailedError


@dataclass(frozen=True)
class Letter:
    """What is to be sent, and to whom. A second try has the same.

    `token` makes the Message-ID, `at` (seconds since 1970) the date.
    """

    sender: str
    to: Sequence[str]
    subject: str
    text: str
    token: str
    at: float
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    reply_to: str | None = None
    html: str | None = None

    @property
    def recipients(self) -> list[str]:
        """Everybody who gets it, once each."""
        return list(dict.fromkeys((*self.to, *self.cc, *self.bcc)))

    @property
    def message_id(self) -> str:
        """The same for every sending of this letter."""
        return f"<{self.token}@{self.sender.rpartition('@')[2].rstrip('>')}>"

    def message(self) -> EmailMessage:
        """The mail. Blind copies are not in its headers. Raises ActionFailedError when a header cannot be written."""
        message = EmailMessage()
        headers = {
            "From": self.sender, "To": ", ".join(self.to), "Cc": ", ".join(self.cc), "Reply-To": self.reply_to or "",
            "Subject": self.subject, "Date": formatdate(self.at), "Message-ID": self.message_id,
            "Auto-Submitted": "auto-generated",
        }  # fmt: skip
        try:
            for name, value in headers.items():
                if value:
                    message[name] = value
        except ValueError as error:
            hint = "keep line breaks out of subject and addresses"
            raise ActionFailedError(f"the mail cannot be written: {error}", hint=hint) from error
        message.set_content(self.text)
        if self.html is not None:
            message.add_alternative(self.html, subtype="html")
        return message


def is_address(text: str) -> bool:
    """Whether a text is one address, with or without a name before it."""
    address = parseaddr(text)[1]
    name, _, domain = address.rpartition("@")
    return bool(name and domain) and "@" not in name and not {"\r", "\n"} & set(text)
