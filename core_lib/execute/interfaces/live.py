"""A network interface as EC2 describes it, and what may be done with it.

Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/requester-managed-eni.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_OWN_TYPES = frozenset({"", "interface", "efa", "efa-only", "trunk", "branch"})
_ATTACHED_BY_SERVICE = "ela-attach-"


class Verdict(StrEnum):
    """What comes next for an interface."""

    DELETE = "delete"
    DETACH = "detach"
    WAIT = "wait"
    LEAVE = "leave"


@dataclass(frozen=True)
class Interface:
    """One interface, what comes next for it, and why it is left where it is."""

    id: str
    verdict: Verdict
    attachment: str = ""
    reason: str = ""


def interfaces_of(ec2: Any, group: str) -> Iterator[Interface]:
    """All network interfaces that a security group is on, page by page."""
    pages = ec2.get_paginator("describe_network_interfaces").paginate(Filters=[{"Name": "group-id", "Values": [group]}])
    for page in pages:
        for answer in page["NetworkInterfaces"]:
            if any(each.get("GroupId") == group for each in answer.get("Groups", [])):
                yield judge(answer)


def judge(answer: Mapping[str, Any]) -> Interface:
    """What may be done with an interface, from an element of DescribeNetworkInterfaces.

    One that nothing uses is deleted, also when a service made it (Lambda leaves some behind); EC2 has the last word. One that a
    service uses is left: it goes with what it belongs to. So is the first interface of an instance, which cannot be detached.
    """
    identity = answer["NetworkInterfaceId"]
    attachment = answer.get("Attachment") or {}
    if answer.get("Status") == "available" or not attachment:
        return Interface(identity, Verdict.DELETE)
    if attachment.get("Status") == "detaching":
        return Interface(identity, Verdict.WAIT)
    reason = _why_left(answer, attachment)
    if reason:
        return Interface(identity, Verdict.LEAVE, reason=reason)
    return Interface(identity, Verdict.DETACH, attachment=attachment.get("AttachmentId", ""))


def _why_left(answer: Mapping[str, Any], attachment: Mapping[str, Any]) -> str:
    kind = answer.get("InterfaceType", "")
    managed = kind not in _OWN_TYPES or answer.get("RequesterManaged") or not attachment.get("InstanceId")
    if managed or str(attachment.get("AttachmentId", "")).startswith(_ATTACHED_BY_SERVICE):
        described = answer.get("Description") or kind or "no description"
        return f"in use by a service of AWS: {described}"
    if attachment.get("DeviceIndex") == 0 and not attachment.get("NetworkCardIndex"):
        return f"the first interface of instance {attachment['InstanceId']}"
    return ""
