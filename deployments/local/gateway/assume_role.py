"""AssumeRole as AWS does it: the role must exist, must trust the caller, and its account must be open.

The emulators hand out credentials for any ARN; a platform that was only ever tried against them would not notice a wrong
role name, a missing external id or a closed account. Sources:
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html and API_GetCallerIdentity.html
"""

from __future__ import annotations

import json
import re
import time
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlencode
from xml.etree import ElementTree

from multidict import CIMultiDict

from deployments.local.gateway.accounts import Accounts
from deployments.local.gateway.answers import Answer, error_answer, query_answer
from deployments.local.gateway.naming import Call, form_fields
from deployments.local.gateway.sessions import Session, SessionBook
from deployments.local.gateway.trust import Caller, trusted
from deployments.local.gateway.upstream import Reply, Upstreams

_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/(?:.*/)?([\w+=,.@-]+)")
_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_ISSUING = frozenset({"AssumeRole", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML", "GetSessionToken"})
_ROLE_CACHE_SECONDS = 5.0


class Sts:
    """The part of STS that the gateway answers or watches."""

    def __init__(self, upstreams: Upstreams, sessions: SessionBook, accounts: Accounts) -> None:
        self._upstreams = upstreams
        self._sessions = sessions
        self._accounts = accounts
        self._roles: dict[str, tuple[float, dict[str, Any]]] = {}

    def forget(self) -> None:
        """After a reset: no role is known."""
        self._roles.clear()

    def forget_roles_of(self, account: str) -> None:
        """A role of this account has changed."""
        for arn in [arn for arn in self._roles if arn.split(":")[4] == account]:
            del self._roles[arn]

    async def answer(self, call: Call, account: str, headers: CIMultiDict[str], body: bytes) -> Answer | Reply | None:
        """The answer of an STS call that the gateway has a say in; None for all others."""
        session = self._sessions.get(call.access_key)
        if call.operation == "GetCallerIdentity":
            return _identity(session) if session and session.arn else None
        if call.operation not in _ISSUING:
            return None
        fields = form_fields(body)
        if call.operation == "AssumeRole":
            refusal = await self._refusal(call, account, session, fields)
            if refusal is not None:
                return refusal
        reply = await self._upstreams.send("ministack", "POST", "/", headers, body)
        if reply.status == 200:
            self._learn(reply, account, fields.get("RoleArn", ""))
        return reply

    async def _refusal(self, call: Call, account: str, session: Session | None, fields: dict[str, str]) -> Answer | None:
        arn = fields.get("RoleArn", "")
        found = _ROLE_ARN.fullmatch(arn)
        if not found:
            return error_answer(call, "ValidationError", f"{arn or 'RoleArn'} is invalid", 400)
        caller_arn = session.arn if session else f"arn:aws:iam::{account}:root"
        message = f"User: {caller_arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        if await self._accounts.suspended(found[1]):
            return error_answer(call, "AccessDenied", message, 403)
        role = await self._role(arn, found[1], found[2])
        if role is None:
            return error_answer(call, "AccessDenied", message, 403)
        arns = (caller_arn, session.role_arn) if session and session.role_arn else (caller_arn,)
        if not trusted(role["Trust"], Caller(account, arns, fields.get("ExternalId"))):
            return error_answer(call, "AccessDenied", message, 403)
        return _duration_problem(call, fields, role, chained=bool(session and session.role_arn))

    async def _role(self, arn: str, account: str, name: str) -> dict[str, Any] | None:
        known = self._roles.get(arn)
        if known and known[0] > time.monotonic():
            return known[1]
        body = urlencode({"Action": "GetRole", "Version": "2010-05-08", "RoleName": name}).encode()
        reply = await self._upstreams.call("ministack", "iam", account, body)
        if reply.status != 200:
            return None
        fields = _leaves(reply.body)
        if fields.get("Arn") != arn:
            return None
        role = {
            "Trust": json.loads(unquote(fields.get("AssumeRolePolicyDocument", "{}"))),
            "MaxSessionDuration": int(fields.get("MaxSessionDuration", "3600")),
        }
        self._roles[arn] = (time.monotonic() + _ROLE_CACHE_SECONDS, role)
        return role

    def _learn(self, reply: Reply, caller_account: str, role_arn: str) -> None:
        fields = _leaves(reply.body)
        if "AccessKeyId" not in fields:
            return
        account = role_arn.split(":")[4] if role_arn else caller_account
        expires = datetime.fromisoformat(fields["Expiration"]).timestamp() if "Expiration" in fields else 0.0
        arn, user_id = fields.get("Arn", ""), fields.get("AssumedRoleId", "")
        self._sessions.add(Session(fields["AccessKeyId"], account, arn, user_id, role_arn, expires))


def learn_user_key(reply: Reply, account: str, sessions: SessionBook) -> None:
    """Remember the account of an access key that IAM's CreateAccessKey issued."""
    fields = _leaves(reply.body)
    if "AccessKeyId" in fields:
        arn = f"arn:aws:iam::{account}:user/{fields.get('UserName', '')}"
        sessions.add(Session(fields["AccessKeyId"], account, arn, fields["AccessKeyId"], "", 0.0))


def _duration_problem(call: Call, fields: dict[str, str], role: dict[str, Any], *, chained: bool) -> Answer | None:
    duration = fields.get("DurationSeconds", "")
    if not duration.isdigit():
        return None
    if chained and int(duration) > 3600:
        message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        return error_answer(call, "ValidationError", message, 400)
    if int(duration) > role["MaxSessionDuration"]:
        message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        return error_answer(call, "ValidationError", message, 400)
    return None


def _identity(session: Session) -> Answer:
    inner = f"<Arn>{session.arn}</Arn><UserId>{session.user_id}</UserId><Account>{session.account}</Account>"
    return query_answer("GetCallerIdentity", inner, _NAMESPACE)


def _leaves(document: bytes) -> dict[str, str]:
    """The text of every leaf element by its local name (the first one wins)."""
    found: dict[str, str] = {}
    for element in ElementTree.fromstring(document).iter():  # noqa: S314  (an answer of our own child process)
        if len(element) == 0 and element.text:
            found.setdefault(element.tag.rsplit("}", 1)[-1], element.text)
    return found
