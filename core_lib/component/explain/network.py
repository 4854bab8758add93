"""Who may reach what on which port: the rules of security groups, wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core_lib.component.explain.words import Words
from core_lib.component.model import StageTemplate
from core_lib.framework.models import Message

EVERYBODY = "everybody on the internet"
_INGRESS, _EGRESS = "AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"
_PEERS = (
    "CidrIp", "CidrIpv6", "SourcePrefixListId", "DestinationPrefixListId", "SourceSecurityGroupId", "DestinationSecurityGroupId",
    "SourceSecurityGroupName",
)  # fmt: skip
_WORLD = ("0.0.0.0/0", "::/0")


class Opening(Message):
    """One rule: `peer` may reach `group` on `ports` (or, going out, `group` may reach `peer`)."""

    stage: str
    group: str
    peer: str
    ports: str
    outwards: bool = False
    public: bool = False
    why: str | None = None


def openings_of(owner: str, template: StageTemplate, *, only: str | None = None) -> Iterator[Opening]:
    """Every rule of a template, said from the side of `owner`: those of their own, and those inside a security group.

    With `only`, those alone that let groups of this component in.
    """
    words = Words(owner, template)
    for name, resource in (template.body.get("Resources") or {}).items():
        properties: Mapping[str, Any] = resource.get("Properties") or {}
        kind = resource.get("Type")
        if only is not None and not _lets_in(properties, words, only):
            continue
        if kind in (_INGRESS, _EGRESS):
            yield _opening(template.stage, words.say(properties.get("GroupId")), properties, words, outwards=kind == _EGRESS)
        elif kind == "AWS::EC2::SecurityGroup":
            for key, outwards in (("SecurityGroupIngress", False), ("SecurityGroupEgress", True)):
                for rule in properties.get(key) or ():
                    if isinstance(rule, Mapping) and "IpProtocol" in rule:
                        yield _opening(template.stage, name, rule, words, outwards=outwards)


def _lets_in(properties: Mapping[str, Any], words: Words, component: str) -> bool:
    wire = words.wire(properties.get("SourceSecurityGroupId"))
    return wire is not None and wire.owner == component


def _opening(stage: str, group: str, rule: Mapping[str, Any], words: Words, *, outwards: bool) -> Opening:
    peer = next((rule[key] for key in _PEERS if key in rule), "somebody")
    return Opening(
        stage=stage, group=group, peer=EVERYBODY if peer in _WORLD else words.say(peer), ports=ports_of(rule), outwards=outwards,
        public=peer in _WORLD and not outwards, why=words.say(rule["Description"]) if rule.get("Description") else None,
    )  # fmt: skip


def ports_of(rule: Mapping[str, Any]) -> str:
    """`TCP 443`, `UDP 8000 to 8010`, `every port`."""
    protocol = str(rule.get("IpProtocol", "-1"))
    if protocol == "-1":
        return "every port"
    if protocol in ("icmp", "icmpv6", "1", "58"):
        return "ICMP"
    low, high = str(rule.get("FromPort", "")), str(rule.get("ToPort", ""))
    name = {"6": "TCP", "17": "UDP"}.get(protocol, protocol.upper())
    if low in ("", "-1") or (low, high) == ("0", "65535"):
        return f"every {name} port"
    return f"{name} {low}" if low == high else f"{name} {low} to {high}"
