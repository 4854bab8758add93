"""Sending by SMTP (RFC 5321)."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping

from core_lib.execute.mail.message import Letter
from core_lib.execute.steps import Failed
from core_lib.framework.errors import ActionFailedError
from core_lib.framework.models import Cause
from core_lib.framework.settings import EmailSettings

SECONDS = 20.0
"""How long the server may take to answer a command."""

Refusals = Mapping[str, tuple[int, bytes]]


def send_by_smtp(letter: Letter, settings: EmailSettings) -> list[str] | Failed:
    """Hand the letter to the server; answers the recipients it does not want, as long as it wants any.

    Raises:
        ActionFailedError: no server is set.
        ConnectionError: it does not answer, or goes away.
    """
    if not settings.host:
        raise ActionFailedError("no mail server is set", where="email.host", hint="set email.host, or send with Via: ses")
    message = letter.message()
    try:
        with _session(settings.host, settings) as session:
            refused = session.send_message(message, letter.sender, letter.recipients)
    except smtplib.SMTPRecipientsRefused as error:
        return _refused(error.recipients)
    except smtplib.SMTPAuthenticationError as error:
        return Failed(f"the mail server refuses the login: {error.smtp_code}", hint="check email.user and email.password")
    except smtplib.SMTPResponseException as error:
        return Failed(f"the mail server says {error.smtp_code} {_text(error.smtp_error)}", cause=_cause(error.smtp_code))
    except (smtplib.SMTPException, OSError) as error:
        if isinstance(error, ssl.SSLError):
            return Failed(f"no TLS with the mail server: {error.reason}", hint="check email.tls and email.port")
        if isinstance(error, smtplib.SMTPNotSupportedError):
            return Failed(f"the mail server cannot do that: {error}", hint="check email.tls and email.port")
        raise ConnectionError(f"the mail server {settings.host} does not answer: {type(error).__name__}") from error
    return sorted(refused)


def _session(host: str, settings: EmailSettings) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if settings.tls == "implicit":
        session: smtplib.SMTP = smtplib.SMTP_SSL(host, settings.port, timeout=SECONDS, context=context)
    else:
        session = smtplib.SMTP(host, settings.port, timeout=SECONDS)
    try:
        if settings.tls == "starttls":
            session.starttls(context=context)
        if settings.user:
            session.login(settings.user, settings.password.get_secret_value() if settings.password else "")
    except BaseException:
        session.close()
        raise
    return session


def _refused(recipients: Refusals) -> Failed:
    first, (code, reason) = next(iter(recipients.items()))
    return Failed(f"the mail server refuses all recipients: {first}: {code} {_text(reason)}", cause=_cause(code))


def _cause(code: int) -> Cause:
    return Cause.TRANSIENT if 400 <= code < 500 else Cause.PERMANENT


def _text(answer: bytes | str) -> str:
    return answer.decode("utf-8", errors="replace") if isinstance(answer, bytes) else answer
