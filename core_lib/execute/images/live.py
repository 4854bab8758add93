"""An image as EC2 describes it, and finding it by name or id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from core_lib.execute.refusals import code_of
from core_lib.framework.errors import AwsError

IMAGE = r"^(ami-[0-9a-f]{8,17}|[A-Za-z0-9 ()\[\]./'@_-]{3,128})$"
"""An image's id or name, see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html"""

NAME = r"^[A-Za-z0-9 ()\[\]./'@_-]{3,128}$"
BROKEN = frozenset({"failed", "error", "invalid"})
_MISSING = ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")


@dataclass(frozen=True)
class Image:
    """One image. `details` is EC2's whole answer."""

    id: str
    name: str
    state: str
    owner: str
    reason: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    snapshots: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


def own_images(ec2: Any, name: str) -> list[Image]:
    """All images of the account that are called so, oldest first, disabled ones included."""
    pages = ec2.get_paginator("describe_images").paginate(
        Owners=["self"], IncludeDisabled=True, Filters=[{"Name": "name", "Values": [name]}]
    )
    found = [_read(answer) for page in pages for answer in page["Images"]]
    return sorted(found, key=lambda image: (image.details.get("CreationDate", ""), image.id))


def image_by_id(ec2: Any, identity: str) -> Image | None:
    """The image with this id, whoever owns it; None when there is none (any more)."""
    try:
        found = ec2.describe_images(ImageIds=[identity], IncludeDisabled=True)["Images"]
    except ClientError as error:
        if code_of(error) in _MISSING:
            return None
        raise
    return _read(found[0]) if found else None


def find_images(ec2: Any, name_or_id: str) -> list[Image]:
    """The image with this id, or all of the account's images with this name."""
    if not name_or_id.startswith("ami-"):
        return own_images(ec2, name_or_id)
    found = image_by_id(ec2, name_or_id)
    return [] if found is None else [found]


def the_image(ec2: Any, name_or_id: str, where: str) -> Image:
    """The one available image that is meant. Raises AwsError when there is none or not only one, or when it is not ready."""
    found = find_images(ec2, name_or_id)
    if not found:
        raise AwsError(f"there is no image {name_or_id}", where=where, hint="check its name, account and region")
    if len(found) > 1:
        identities = ", ".join(image.id for image in found)
        raise AwsError(
            f"several images are called {name_or_id}: {identities}", where=where, hint="give the id instead of the name"
        )
    if found[0].state != "available":
        detail = f": {found[0].reason}" if found[0].reason else ""
        raise AwsError(f"the image {found[0].id} is {found[0].state}{detail}", where=where, hint="wait until it is available")
    return found[0]


def _read(answer: Mapping[str, Any]) -> Image:
    devices = answer.get("BlockDeviceMappings", [])
    snapshots = (device.get("Ebs", {}).get("SnapshotId") for device in devices)
    return Image(
        id=answer["ImageId"],
        name=answer.get("Name", ""),
        state=answer.get("State", ""),
        owner=answer.get("OwnerId", ""),
        reason=answer.get("StateReason", {}).get("Message") or None,
        tags={tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])},
        snapshots=tuple(dict.fromkeys(snapshot for snapshot in snapshots if snapshot)),
        details=answer,
    )
