"""Accounts of the organizations, kept as AWS keeps them.

moto answers Organizations; three things it does not do are added here: an account is created IN_PROGRESS first, an
e-mail address belongs to one account only, and the new account has the role through which the management account enters.
Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html
"""

from __future__ import annotations

import json
import secrets
import string
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from multidict import CIMultiDict

from deployments.local.gateway.answers import Answer, error_answer, json_answer
from deployments.local.gateway.naming import Call
from deployments.local.gateway.upstream import Reply, Upstreams

DEFAULT_ROLE = "OrganizationAccountAccessRole"
_ADMINISTRATOR = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@dataclass(slots=True)
class _Request:
    """One CreateAccount request: its status document as AWS will finally show it, and when that is."""

    management: str
    final: dict[str, Any]
    ready: float

    def status(self, now: float) -> dict[str, Any]:
        if now >= self.ready:
            return self.final
        hidden = ("AccountId", "CompletedTimestamp", "FailureReason")
        return {key: value for key, value in self.final.items() if key not in hidden} | {"State": "IN_PROGRESS"}


class Accounts:
    """What the gateway knows about organizations' accounts; read from moto when it has forgotten."""

    def __init__(self, upstreams: Upstreams, creation_seconds: float) -> None:
        self._upstreams = upstreams
        self._creation_seconds = creation_seconds
        self._emails: set[str] | None = None
        self._suspended: set[str] = set()
        self._requests: dict[str, _Request] = {}

    def forget(self) -> None:
        """After a reset: read everything again when it is needed."""
        self._emails = None
        self._suspended.clear()
        self._requests.clear()

    async def suspended(self, account: str) -> bool:
        """True for a closed account."""
        await self._known_emails()
        return account in self._suspended

    async def answer(self, call: Call, account: str, headers: CIMultiDict[str], body: bytes) -> Answer | Reply | None:
        """The answer of an Organizations call that needs more than moto does; None for all others."""
        match call.operation:
            case "CreateAccount":
                return await self._create(call, account, headers, body)
            case "DescribeCreateAccountStatus":
                request = self._requests.get(str(_document(body).get("CreateAccountRequestId")))
                return json_answer({"CreateAccountStatus": request.status(time.time())}) if request else None
            case "ListCreateAccountStatus":
                return await self._list_requests(account, headers, body)
            case "CloseAccount":
                reply = await self._upstreams.send("moto", "POST", "/", headers, body)
                if reply.status == 200:
                    self._suspended.add(str(_document(body).get("AccountId")))
                return reply
            case "DeleteOrganization" | "RemoveAccountFromOrganization":
                self._emails = None
        return None

    async def _create(self, call: Call, account: str, headers: CIMultiDict[str], body: bytes) -> Answer | Reply:
        wanted = _document(body)
        email, name = str(wanted.get("Email", "")).lower(), str(wanted.get("AccountName", ""))
        emails = await self._known_emails()
        if "@" not in email or not name:
            return error_answer(call, "InvalidInputException", "Email and AccountName are required.", 400)
        if email in emails:
            return json_answer({"CreateAccountStatus": self._refuse(account, name)})
        emails.add(email)
        reply = await self._upstreams.send("moto", "POST", "/", headers, body)
        if reply.status != 200:
            emails.discard(email)
            return reply
        final = json.loads(reply.body)["CreateAccountStatus"]
        await self._create_role(str(final["AccountId"]), account, str(wanted.get("RoleName") or DEFAULT_ROLE))
        request = _Request(account, final, time.time() + self._creation_seconds)
        self._requests[final["Id"]] = request
        return json_answer({"CreateAccountStatus": request.status(0)})

    def _refuse(self, management: str, name: str) -> dict[str, Any]:
        now = time.time()
        identifier = "car-" + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(32))
        final = {
            "Id": identifier, "AccountName": name, "State": "FAILED", "FailureReason": "EMAIL_ALREADY_EXISTS",
            "RequestedTimestamp": now, "CompletedTimestamp": now + self._creation_seconds,
        }  # fmt: skip
        self._requests[identifier] = _Request(management, final, now + self._creation_seconds)
        return self._requests[identifier].status(0)

    async def _list_requests(self, account: str, headers: CIMultiDict[str], body: bytes) -> Answer | Reply:
        reply = await self._upstreams.send("moto", "POST", "/", headers, json.dumps({}).encode())
        if reply.status != 200:
            return reply
        now = time.time()
        found = {status["Id"]: status for status in json.loads(reply.body)["CreateAccountStatuses"]}
        own = ((identifier, request) for identifier, request in self._requests.items() if request.management == account)
        found |= {identifier: request.status(now) for identifier, request in own}
        states = _document(body).get("States")
        return json_answer({"CreateAccountStatuses": [s for s in found.values() if not states or s["State"] in states]})

    async def _create_role(self, account: str, management: str, role: str) -> None:
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{management}:root"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        await self._iam(account, Action="CreateRole", RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
        policy = {"RoleName": role, "PolicyName": "AdministratorAccess", "PolicyDocument": json.dumps(_ADMINISTRATOR)}
        await self._iam(account, Action="PutRolePolicy", **policy)

    async def _iam(self, account: str, **fields: str) -> None:
        body = urlencode(fields | {"Version": "2010-05-08"}).encode()
        await self._upstreams.call("ministack", "iam", account, body)

    async def _known_emails(self) -> set[str]:
        if self._emails is None:
            reply = await self._upstreams.admin("moto", "GET", "/_core/accounts")
            accounts = json.loads(reply.body)
            self._suspended = {account["id"] for account in accounts if account["status"] == "SUSPENDED"}
            self._emails = {account["email"].lower() for account in accounts}
        return self._emails


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
