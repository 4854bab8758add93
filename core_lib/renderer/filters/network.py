"""Filters over addresses and ports."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from core_lib.framework.errors import RenderError
from core_lib.renderer.plain import as_text

_PORT_SPEC = re.compile(
    r"(?P<protocol>TCP|UDP|ICMP|ALL)(?::(?P<first>\d{1,5}|\*)(?:-(?P<last>\d{1,5}))?)?\Z", re.IGNORECASE | re.ASCII
)
_HIGHEST_PORT = 65_535
_PIECES = (8, 16, 24, 32)


def parse_port_spec(value: Any) -> dict[str, Any]:
    """`TCP:443`, `TCP:8080-8090`, `UDP:*`, `ICMP:8-0` (type-code), `ALL` as IpProtocol, FromPort, ToPort.

    Source: AWS::EC2::SecurityGroup Ingress; -1 means "any".
    """
    text = as_text(value)
    match = _PORT_SPEC.match(text)
    if match is None:
        raise RenderError(f"{text[:40]!r} is not a port specification", hint="e.g. TCP:443, TCP:8080-8090, UDP:*, ICMP:8, ALL:*")
    protocol, first, last = match["protocol"].lower(), match["first"] or "*", match["last"]
    if protocol == "all":
        if first != "*":
            raise RenderError("ALL means every port of every protocol", where=text, hint="write ALL or ALL:*")
        return {"IpProtocol": "-1", "FromPort": -1, "ToPort": -1}
    if first == "*":
        if last is not None:
            raise RenderError(f"{text[:40]!r} is not a port specification", hint="'*' has no end")
        low, high = (-1, -1) if protocol == "icmp" else (0, _HIGHEST_PORT)
    else:
        low = int(first)
        high = int(last) if last is not None else (-1 if protocol == "icmp" else low)
    if max(low, high) > _HIGHEST_PORT or (protocol != "icmp" and low > high):
        raise RenderError(f"{text[:40]!r} is not a range of ports from 0 to {_HIGHEST_PORT}")
    return {"IpProtocol": protocol, "FromPort": low, "ToPort": high}


def split_cidr(value: Any) -> list[str]:
    """An IPv4 range as ranges of /8, /16, /24 or /32, the next longer one of these (what AWS WAF classic takes)."""
    text = as_text(value)
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise RenderError(f"{text[:60]!r} is not an IPv4 range: {error}") from error
    longer = next(length for length in _PIECES if length >= network.prefixlen)
    return [str(piece) for piece in network.subnets(new_prefix=longer)]
