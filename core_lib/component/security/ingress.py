"""Ingress: what a network rule opens, as rules of the security group of an entry.

Source: AWS::EC2::SecurityGroupIngress in the CloudFormation template reference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from core_lib.component.model import Wire
from core_lib.component.security.sources import Source
from core_lib.component.wires import wired
from core_lib.framework.codecs import canonical_json, sha256_hex
from core_lib.renderer import parse_port_spec

RULES_OF_A_GROUP = 60
"""AWS's own limit of rules of a group, as long as nobody has raised it (quota L-0EA8095F), for each version of IP."""
USUAL_GROUP = "SecurityGroupId"
"""Output of another app's component that has its main group."""
ASKED_FOR = "AskedFor"
"""In the metadata of a rule that is written in a Pipeline::Security. The guard rails let no other rule open anything to all."""
_NETWORK = re.compile(r"(?:TCP|UDP|ICMP|ALL)(?::|\Z)", re.IGNORECASE)
_WEB = frozenset({80, 443})
_ICMP_V6 = "icmpv6"
_NOT_DESCRIBABLE = re.compile(r"[^A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]")
_NOT_A_WORD = re.compile(r"[^A-Za-z0-9]+")
_LONGEST_DESCRIPTION = 255
_LONGEST_WORDS = 80
_HIGHEST_PORT = 65_535
_DIGEST = 10


@dataclass(frozen=True, slots=True)
class Ports:
    """A port specification: `protocol` as EC2 names it, `-1` for all; from and to are -1 for all (of ICMP: type and code)."""

    text: str
    protocol: str
    first: int
    last: int

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last port; None when it is not about ports."""
        return (self.first, self.last) if self.protocol in ("tcp", "udp") else None

    @property
    def is_web(self) -> bool:
        """Whether it is only what the internet may well reach."""
        return self.protocol == "tcp" and self.first == self.last and self.first in _WEB


def is_network(item: str) -> bool:
    """Whether an item of Allow is a port specification."""
    return _NETWORK.match(item) is not None


def ports_of(item: str) -> Ports:
    """A port specification, read.

    Raises:
        RenderError: it is none; says how they look.
    """
    found = parse_port_spec(item)
    protocol, first, last = found["IpProtocol"], found["FromPort"], found["ToPort"]
    return Ports(_told_ports(protocol, first, last) or item.upper(), protocol, first, last)


def _told_ports(protocol: str, first: int, last: int) -> str | None:
    """Ports in the one way to write them: EC2 refuses a rule that is there already, however it was written."""
    if protocol not in ("tcp", "udp"):
        return None
    ports = "*" if (first, last) == (0, _HIGHEST_PORT) else str(first) if first == last else f"{first}-{last}"
    return f"{protocol.upper()}:{ports}"


def ingress_of(component: str, group: str, source: Source, ports: Ports, purpose: str) -> tuple[str, dict[str, Any]]:
    """A rule of the group of a component: its logical id, which tells its content, and the resource."""
    protocol = _ICMP_V6 if ports.protocol == "icmp" and source.ingress == "CidrIpv6" else ports.protocol
    key, value = _named(source)
    properties: dict[str, Any] = {"GroupId": wired(Wire(component, "security", f"{group}Id")), "IpProtocol": protocol}
    if protocol != "-1":
        properties |= {"FromPort": ports.first, "ToPort": ports.last}
    properties[key] = value
    words = "".join(
        word[:1].upper() + word[1:] for word in _NOT_A_WORD.split(f"{source.owner or _told(source.value)}-{ports.text}") if word
    )
    logical_id = f"From{words[:_LONGEST_WORDS]}{sha256_hex(canonical_json(properties))[:_DIGEST]}"
    return logical_id, {
        "Type": "AWS::EC2::SecurityGroupIngress",
        "Metadata": {ASKED_FOR: describable(purpose)},
        "Properties": {**properties, "Description": describable(purpose)},
    }


def _named(source: Source) -> tuple[str, Any]:
    """The property that names a source, and its value."""
    if source.owner is None:
        return source.ingress, source.value
    group = USUAL_GROUP if source.component is None else f"{source.component.type.main_group}Id"
    return "SourceSecurityGroupId", wired(Wire(source.owner, "security", group))


def _told(value: Any) -> str:
    return value if isinstance(value, str) else str(next(iter(value.values())))


def describable(text: str) -> str:
    """Text as EC2 takes it for a description."""
    return _NOT_DESCRIBABLE.sub(".", text)[:_LONGEST_DESCRIPTION]
