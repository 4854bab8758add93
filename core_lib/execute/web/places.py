"""Where a web request may go: deployspecs come from repositories, so they must not reach what only this machine can reach."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import SplitResult, urlsplit

from core_lib.framework.errors import ActionFailedError
from core_lib.framework.settings import HttpSettings

_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Place:
    """A host that may be called, at the address that was checked: a name must not lead elsewhere a moment later."""

    host: str
    port: int
    address: str


def place_of(url: str, settings: HttpSettings) -> Place:
    """The place that a URL names.

    Raises:
        ActionFailedError: the settings do not allow it.
        ConnectionError: its name cannot be resolved.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _refused("", "it is malformed") from None
    host, port = (parts.hostname or "").lower(), _port(parts)
    if parts.scheme not in _PORTS or not host or parts.username is not None:
        raise _refused(host, "only https://host/... without user and password can be called")
    internal = _among(host, port, settings.internal_hosts)
    if not internal:
        if parts.scheme != "https":
            raise _refused(host, "only https can be called")
        if not _among(host, port, settings.allowed_hosts):
            raise _refused(host, "the host is not among http.allowed_hosts")
    addresses = _addresses(host, port)
    if not internal and not all(_is_public(address) for address in addresses):
        raise _refused(host, "it has an address that is not public")
    return Place(host, port, addresses[0])


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise _refused(parts.hostname or "", "the port is none") from None


def _among(host: str, port: int, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns for name in (host, f"{host}:{port}"))


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ConnectionError(f"the name {host} cannot be resolved") from error
    return [str(entry[4][0]) for entry in found]


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    return address.is_global and not address.is_multicast and (mapped is None or mapped.is_global)


def _refused(host: str, why: str) -> ActionFailedError:
    return ActionFailedError(
        f"{host or 'this URL'} must not be called: {why}",
        hint="http.allowed_hosts and http.internal_hosts in the settings say what may be called",
    )
