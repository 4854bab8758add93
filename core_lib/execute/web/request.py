"""Sending one web request: bounded in time and size, to the address that was checked, without following redirects.

It goes through httpx's transport and not its client: that one would write every URL, with a webhook's secret in it, into the log.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import httpx

from core_lib.execute.web.places import place_of
from core_lib.framework.errors import ActionFailedError
from core_lib.framework.settings import HttpSettings

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 20.0
LARGEST_BODY = 1024 * 1024


@dataclass(frozen=True)
class Reply:
    """Status and body (at most 1 MiB of it) of an answer."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", errors="replace")


def send(
    method: str, url: str, *, settings: HttpSettings, headers: Mapping[str, str] | None = None, content: bytes | None = None
) -> Reply:
    """The answer to one request.

    Raises:
        ActionFailedError: the place must not be called.
        ConnectionError: it did not answer; the message never has more of the URL than the host.
    """
    place = place_of(url, settings)
    parsed = _parsed(url)
    authority = parsed.netloc.decode()
    request = httpx.Request(
        method,
        parsed.copy_with(host=place.address, port=place.port),
        headers={**(headers or {}), "Host": authority},
        content=content,
        extensions={"timeout": _timeouts(), "sni_hostname": place.host},
    )
    try:
        with httpx.HTTPTransport(verify=_trust(), retries=0) as transport:
            response = transport.handle_request(request)
            try:
                return Reply(response.status_code, _bounded(response))
            finally:
                response.close()
    except httpx.TransportError as error:
        raise ConnectionError(f"{place.host} does not answer: {type(error).__name__}") from None


def _parsed(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except httpx.InvalidURL:
        raise ActionFailedError("the URL is malformed") from None


def _timeouts() -> dict[str, float]:
    return {"connect": CONNECT_SECONDS, "read": ANSWER_SECONDS, "write": ANSWER_SECONDS, "pool": CONNECT_SECONDS}


def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    for part in response.iter_bytes():
        body += part
        if len(body) >= LARGEST_BODY:
            break
    return bytes(body[:LARGEST_BODY])


@cache
def _trust() -> ssl.SSLContext:
    """The certificates that are trusted, read once."""
    return httpx.create_ssl_context()
