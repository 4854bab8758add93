"""Forwarding to the emulators over kept-alive connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from deployments.local.gateway.routes import Upstream

_HOP_BY_HOP = frozenset({"connection", "content-length", "expect", "keep-alive", "transfer-encoding"})
_REPLACED = _HOP_BY_HOP | {"accept-encoding", "x-amz-security-token"}
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=900)
# Connection to a member that is being restarted: try again for a moment before telling the caller.
_CONNECT_ATTEMPTS = 4
_CONNECT_PAUSE = 0.25


class UpstreamDown(Exception):
    """The emulator does not answer; the caller sees a retryable 503."""


class Reply:
    """An emulator's answer: status, headers that may be passed on, whole body."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: CIMultiDict[str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Upstreams:
    """The emulators behind the gateway."""

    def __init__(self, session: aiohttp.ClientSession, bases: Mapping[Upstream, str]) -> None:
        self._session = session
        self._bases = dict(bases)

    async def send(self, upstream: Upstream, method: str, path: str, headers: CIMultiDict[str], body: bytes) -> Reply:
        """Forward one request; `path` is raw, with its query. Raises UpstreamDown."""
        url = URL(self._bases[upstream] + path, encoded=True)
        for attempt in range(_CONNECT_ATTEMPTS):
            try:
                async with self._session.request(
                    method, url, headers=headers, data=body or None, allow_redirects=False
                ) as answer:
                    return Reply(answer.status, _passed_on(answer, method), await answer.read())
            except aiohttp.ClientConnectorError as problem:
                if attempt == _CONNECT_ATTEMPTS - 1:
                    raise UpstreamDown(f"{upstream} is not reachable") from problem
                await asyncio.sleep(_CONNECT_PAUSE * 2**attempt)
            except aiohttp.ClientError as problem:
                raise UpstreamDown(f"{upstream} closed the connection") from problem
        raise UpstreamDown(f"{upstream} is not reachable")

    async def call(self, upstream: Upstream, service: str, account: str, body: bytes, region: str = "us-east-1") -> Reply:
        """A call of the gateway's own to a query service, as `account`."""
        scope = f"Credential={account}/20260101/{region}/{service}/aws4_request"
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
            "Content-Type": "application/x-www-form-urlencoded",
            "x-moto-account-id": account,
        }
        return await self.send(upstream, "POST", "/", CIMultiDict(headers), body)

    async def admin(self, upstream: Upstream, method: str, path: str) -> Reply:
        """A call to the emulator's own administration."""
        return await self.send(upstream, method, path, CIMultiDict(), b"")


def forwarded(headers: Mapping[str, str], access_key: str, account: str) -> CIMultiDict[str]:
    """The request's headers for an emulator: the account number takes the place of the access key."""
    sent = CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in _REPLACED)
    sent["Accept-Encoding"] = "identity"
    sent["x-moto-account-id"] = account
    authorization = headers.get("Authorization")
    if authorization and access_key:
        sent["Authorization"] = authorization.replace(f"Credential={access_key}/", f"Credential={account}/", 1)
    return sent


@asynccontextmanager
async def open_upstreams(bases: Mapping[Upstream, str]) -> AsyncIterator[Upstreams]:
    """Upstreams with a connection pool that is closed at the end."""
    connector = aiohttp.TCPConnector(limit=0, limit_per_host=0, keepalive_timeout=30)
    async with aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT, auto_decompress=False) as session:
        yield Upstreams(session, bases)


def _passed_on(answer: aiohttp.ClientResponse, method: str) -> CIMultiDict[str]:
    headers = CIMultiDict((name, value) for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP)
    if method == "HEAD":
        headers["Content-Length"] = answer.headers.get("Content-Length", "0")
    return headers
