"""Assumed roles: credentials that fetch and refresh themselves, and errors that say why a role cannot be assumed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from core_lib.framework.errors import AssumeRoleError

LONGEST_SESSION_NAME = 64
_CHAINED_SECONDS = 3600
_YOUNG_SECONDS = 30.0
_FOREIGN = re.compile(r"[^\w+=,.@-]", re.ASCII)


@dataclass(frozen=True)
class Role:
    """A role to assume, and the role (if any) that assumes it."""

    arn: str
    external_id: str | None = None
    through: Role | None = None

    @property
    def account(self) -> str:
        """Account that the role lies in."""
        return self.arn.split(":")[4]

    def duration(self, wanted: int) -> int:
        """Seconds to ask for: AWS gives a role that was assumed from a role one hour at most."""
        return min(wanted, _CHAINED_SECONDS) if self.through else wanted


def session_name(correlation_id: str | None) -> str:
    """`core-<correlation id>` within AWS's rules: at most 64 characters of `\\w+=,.@-`.

    Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    name = f"core-{correlation_id}" if correlation_id else "core-platform"
    return _FOREIGN.sub("-", name)[:LONGEST_SESSION_NAME]


class RoleCredentials(DeferredRefreshableCredentials):  # type: ignore[misc]
    """Credentials of an assumed role. Nothing is fetched before the first use; one thread fetches, the others wait.

    They are renewed when a quarter of their life is left, and by force in its last tenth. A failed renewal in the first of
    these windows keeps the session that is still valid; there are never other credentials.
    """

    def __init__(self, assume: Callable[[], dict[str, str]], seconds: int) -> None:
        super().__init__(refresh_using=self._fetch, method="core-assume-role")
        self._assume = assume
        self._fetched_at = float("-inf")
        self._expiry_time: datetime | None
        self._advisory_refresh_timeout = seconds // 4
        self._mandatory_refresh_timeout = seconds // 10

    def _fetch(self) -> dict[str, str]:
        metadata = self._assume()
        self._fetched_at = time.monotonic()
        return metadata

    def expire(self) -> None:
        """AWS calls the session expired: fetch a new one before the next use, unless this one is brand new."""
        if self._expiry_time is not None and time.monotonic() - self._fetched_at > _YOUNG_SECONDS:
            self._expiry_time = self._time_fetcher()


def assume(sts: Any, role: Role, *, name: str, seconds: int) -> dict[str, str]:
    """Call `sts:AssumeRole` and give the answer in botocore's refresh format.

    Args:
        sts: client whose credentials may assume the role.
        role: the role.
        name: session name, see `session_name`.
        seconds: wanted life of the session.

    Raises:
        AssumeRoleError: whatever the reason; the cause is chained.
    """
    arguments: dict[str, Any] = {
        "RoleArn": role.arn,
        "RoleSessionName": name,
        "DurationSeconds": role.duration(seconds),
    }
    if role.external_id:
        arguments["ExternalId"] = role.external_id
    try:
        answer = sts.assume_role(**arguments)
    except (ClientError, BotoCoreError) as error:
        raise _refusal(role, error) from error
    session = answer["Credentials"]
    return {
        "access_key": session["AccessKeyId"],
        "secret_key": session["SecretAccessKey"],
        "token": session["SessionToken"],
        "expiry_time": session["Expiration"].isoformat(),
        "account_id": role.account,
    }


def _refusal(role: Role, error: Exception) -> AssumeRoleError:
    reason = str(error)
    code = ""
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        reason = f"{code}: {error.response.get('Error', {}).get('Message', '')}"
    return AssumeRoleError(
        f"the role {role.arn} cannot be assumed: {reason}",
        where=f"account {role.account}",
        hint=_advice(role, code, error),
    )


def _advice(role: Role, code: str, error: Exception) -> str:
    caller = f"the role {role.through.arn}" if role.through else "the platform's own credentials"
    if code in ("AccessDenied", "AccessDeniedException"):
        external = "and asks for the external id that was sent" if role.external_id else "without asking for an external id"
        return f"check that the role exists, that its trust policy admits {caller} {external}, and that these may sts:AssumeRole"
    if code in ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"):
        return f"renew {caller}"
    if code == "ValidationError":
        return "check the ARN, and that aws.session_seconds is not longer than the role's maximum session duration"
    if isinstance(error, NoCredentialsError):
        return "give the platform AWS credentials (environment, profile, instance or container role)"
    return "no other credentials are used instead"
