"""The gateway's HTTP server: one handler for every AWS call, and the administration under `/_gateway/`."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from aiohttp import hdrs, web
from multidict import CIMultiDict

from deployments.local.gateway.accounts import Accounts
from deployments.local.gateway.administration import Administration
from deployments.local.gateway.answers import Answer, error_answer
from deployments.local.gateway.assume_role import Sts, learn_user_key
from deployments.local.gateway.call_log import CallLog, LoggedCall
from deployments.local.gateway.faults import FaultBook, FaultRule
from deployments.local.gateway.images import Images
from deployments.local.gateway.naming import Call, name_call
from deployments.local.gateway.routes import upstream_of
from deployments.local.gateway.sessions import SessionBook
from deployments.local.gateway.upstream import Reply, UpstreamDown, Upstreams, forwarded
from deployments.local.gateway.users import empty_list

_ROLE_CHANGES = frozenset({"CreateRole", "DeleteRole", "UpdateAssumeRolePolicy", "UpdateRole"})
# Services with codes of their own; all others of the query protocol use the same ones.
_UNKNOWN_KEY = {"s3": "InvalidAccessKeyId", "ec2": "AuthFailure"}
_ENDED_KEY = {"ec2": "RequestExpired"}


@dataclass(slots=True)
class Parts:
    """The rooms the handler walks through."""

    upstreams: Upstreams
    sessions: SessionBook
    accounts: Accounts
    sts: Sts
    faults: FaultBook
    log: CallLog


class Gateway:
    """Names, checks, forwards and records each request."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._images = Images(parts.upstreams)
        self._administration = Administration(parts.upstreams, parts.faults, parts.log, self._forget)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one HTTP request."""
        if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
            await _continue(request)
        body = await request.content.read()
        path = request.raw_path
        if path.startswith("/_gateway/"):
            return await self._administration.handle(request.method, path, body)
        started = time.perf_counter()
        call = name_call(request.method, path, request.headers, body)
        account = self._parts.sessions.account_of(call.access_key)
        rule = self._parts.faults.pick(call.service, call.operation, call.region, account)
        status = 0
        try:
            outcome = await self._outcome(call, account, request, body, rule)
            if outcome is not None:
                status = outcome.status
        finally:
            duration = time.perf_counter() - started
            fault = rule.effect if rule else None
            self._parts.log.add(
                LoggedCall(time.time(), call.service, call.operation, account, call.region, status, fault, duration)
            )
        return _response(outcome, request.method) if outcome is not None else _abort(request)

    async def _outcome(
        self, call: Call, account: str, request: web.BaseRequest, body: bytes, rule: FaultRule | None
    ) -> Answer | Reply | None:
        """The answer, or None when a fault swallows it."""
        if rule is not None:
            await asyncio.sleep(rule.delay)
            if rule.reset:
                return None
            if rule.error is not None:
                return error_answer(call, rule.error.code, rule.error.message, rule.error.status)
        refusal = self._expired(call)
        if refusal is not None:
            return refusal
        try:
            answer = await self._served(call, account, request, body)
        except UpstreamDown as problem:
            return error_answer(call, "ServiceUnavailable", str(problem), 503)
        return None if rule is not None and rule.drop_response else answer

    async def _served(self, call: Call, account: str, request: web.BaseRequest, body: bytes) -> Answer | Reply:
        parts = self._parts
        headers = forwarded(request.headers, call.access_key, account)
        own: Answer | Reply | None = None
        if call.service == "sts":
            own = await parts.sts.answer(call, account, headers, body)
        elif call.service == "organizations":
            own = await parts.accounts.answer(call, account, headers, body)
        elif call.service == "ec2":
            own = await self._images.answer(call, account, body)
        elif call.service == "iam":
            own = empty_list(call)
        if own is not None:
            return own
        reply = await parts.upstreams.send(upstream_of(call), request.method, request.raw_path, headers, body)
        if call.service == "iam":
            self._watch_iam(call, account, reply)
        return reply

    def _watch_iam(self, call: Call, account: str, reply: Reply) -> None:
        if call.operation in _ROLE_CHANGES:
            self._parts.sts.forget_roles_of(account)
        elif call.operation == "CreateAccessKey" and reply.status == 200:
            learn_user_key(reply, account, self._parts.sessions)

    def _expired(self, call: Call) -> Answer | None:
        """Refuse a session key that has ended, or that nobody here has issued."""
        session = self._parts.sessions.get(call.access_key)
        json = call.protocol in ("json", "rest-json", "cbor")
        if session is None and call.access_key.startswith("ASIA"):
            code = "UnrecognizedClientException" if json else _UNKNOWN_KEY.get(call.service, "InvalidClientTokenId")
            return error_answer(call, code, "The security token included in the request is invalid.", 403)
        if session is not None and session.expired(time.time()):
            code = "ExpiredTokenException" if json else _ENDED_KEY.get(call.service, "ExpiredToken")
            return error_answer(call, code, "The security token included in the request is expired", 403)
        return None

    def _forget(self) -> None:
        self._parts.sessions.clear()
        self._parts.accounts.forget()
        self._parts.sts.forget()


async def _continue(request: web.BaseRequest) -> None:
    """Tell a client that waits for leave (S3 uploads) to send its body."""
    if request.version >= (1, 1) and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def _response(outcome: Answer | Reply, method: str) -> web.Response:
    headers = outcome.headers if isinstance(outcome, Reply) else CIMultiDict(outcome.headers)
    return web.Response(status=outcome.status, body=None if method == "HEAD" else outcome.body, headers=headers)


def _abort(request: web.BaseRequest) -> web.Response:
    """Cut the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
