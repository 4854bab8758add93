"""Sending by SES. Source: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html"""

from __future__ import annotations

from typing import Any

from core_lib.execute.mail.message import Letter


def send_by_ses(letter: Letter, ses: Any) -> str:
    """Hand the letter to SES; answers the id it gives. SES writes a Message-ID of its own into the mail."""
    answer = ses.send_email(
        FromEmailAddress=letter.sender,
        Destination={"ToAddresses": list(letter.to), "CcAddresses": list(letter.cc), "BccAddresses": list(letter.bcc)},
        Content={"Raw": {"Data": letter.message().as_bytes()}},
    )
    return str(answer["MessageId"])
