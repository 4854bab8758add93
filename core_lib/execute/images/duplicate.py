"""An image's duplicate in one other account: its snapshots are copied there, and an image is registered that lies on the copies.

One stage a step: new -> copying -> registered -> done. Nothing here depends on what an earlier try remembered: snapshots and
image are found again by their tags, so whoever comes later makes only what is missing.
Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopySnapshot.html and API_RegisterImage.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from botocore.exceptions import ClientError

from core_lib.execute.images.live import BROKEN, Image, image_by_id, own_images
from core_lib.execute.images.marks import MADE_BY, MADE_FROM, made_from, tag_specifications
from core_lib.execute.images.removal import delete_snapshot, deregister
from core_lib.execute.refusals import code_of
from core_lib.framework.errors import AwsError

MADE_FOR = "core:made-for"
"""Tag of a copied snapshot: the name of the image that it was copied for. Two images never share a snapshot."""

MOST_TIMES_UNSEEN = 20
_KEPT = (
    "Architecture",
    "RootDeviceName",
    "VirtualizationType",
    "EnaSupport",
    "SriovNetSupport",
    "BootMode",
    "TpmSupport",
    "ImdsSupport",
)
_KEPT_OF_DISK = ("VolumeType", "VolumeSize", "Iops", "Throughput", "DeleteOnTermination")

Stage = Literal["new", "copying", "registered", "done", "failed"]


@dataclass(frozen=True)
class Original:
    """What is duplicated, and how the duplicates are called, encrypted and tagged."""

    image: Image
    region: str
    name: str
    key: str | None
    tags: dict[str, str]
    maker: str


@dataclass
class Duplicate:
    """How far one account is. `copies`: copied snapshots by their originals; `made`: this action has made the image."""

    stage: Stage = "new"
    copies: dict[str, str] = field(default_factory=dict)
    image: str = ""
    made: bool = False
    unseen: int = 0
    slips: int = 0
    passing: bool = False
    reason: str = ""

    def as_scratch(self) -> dict[str, Any]:
        """For the ledger, without what is as in the beginning: there may be hundreds of accounts."""
        fresh = asdict(Duplicate())
        return {key: value for key, value in asdict(self).items() if value != fresh[key]}

    @property
    def ended(self) -> bool:
        """Whether there is nothing left to do."""
        return self.stage in ("done", "failed")

    def fail(self, reason: str, *, passing: bool = False) -> None:
        """It will not come to an end in this try. `passing`: another try may."""
        self.stage, self.reason, self.passing = "failed", reason, passing


def advance(ec2: Any, original: Original, duplicate: Duplicate) -> None:
    """One stage further, if EC2 is; `ec2` is that of the other account."""
    if duplicate.stage == "new":
        _begin(ec2, original, duplicate)
    elif duplicate.stage == "copying":
        _register_when_copied(ec2, original, duplicate)
    elif duplicate.stage == "registered":
        _see(ec2, duplicate)


def _begin(ec2: Any, original: Original, duplicate: Duplicate) -> None:
    """Find what is there already; copy the snapshots that are missing."""
    for image in own_images(ec2, original.name):
        if not made_from(image, original.image.id):
            duplicate.fail(f"{image.id} is called {original.name} already and is no duplicate of {original.image.id}")
            return
        if image.state not in BROKEN:
            duplicate.stage, duplicate.image = "registered", image.id
            duplicate.made = image.tags.get(MADE_BY) == original.maker
            return
        deregister(ec2, image.id)
    duplicate.copies = _copies(ec2, original)
    for snapshot in original.image.snapshots:
        if snapshot not in duplicate.copies:
            duplicate.copies[snapshot] = _copy(ec2, original, snapshot)
    duplicate.stage = "copying"


def _copies(ec2: Any, original: Original) -> dict[str, str]:
    """Copies that an earlier try has made, by their originals. Those that went wrong are deleted."""
    wanted = [
        {"Name": f"tag:{MADE_FROM}", "Values": list(original.image.snapshots)},
        {"Name": f"tag:{MADE_FOR}", "Values": [original.name]},
    ]
    pages = list(ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], Filters=wanted))
    found = {}
    for snapshot in (each for page in pages for each in page["Snapshots"]):
        tags = {tag["Key"]: tag["Value"] for tag in snapshot.get("Tags", [])}
        if snapshot["State"] == "error":
            delete_snapshot(ec2, snapshot["SnapshotId"])
        elif tags.get(MADE_FOR) == original.name and tags.get(MADE_FROM) in original.image.snapshots:
            found[tags[MADE_FROM]] = str(snapshot["SnapshotId"])
    return found


def _copy(ec2: Any, original: Original, snapshot: str) -> str:
    marks = {MADE_BY: original.maker, MADE_FROM: snapshot, MADE_FOR: original.name}
    key = {"KmsKeyId": original.key} if original.key else {}
    answer = ec2.copy_snapshot(
        SourceRegion=original.region, SourceSnapshotId=snapshot, Encrypted=True,
        Description=f"{snapshot} of {original.image.id}", TagSpecifications=tag_specifications(original.tags | marks, "snapshot"),
        **key,
    )  # fmt: skip
    return str(answer["SnapshotId"])


def _register_when_copied(ec2: Any, original: Original, duplicate: Duplicate) -> None:
    copies = list(duplicate.copies.values())
    try:
        pages = list(ec2.get_paginator("describe_snapshots").paginate(SnapshotIds=copies))
    except ClientError as error:
        if code_of(error) != "InvalidSnapshot.NotFound":
            raise
        _not_seen(duplicate, "a copied snapshot")
        return
    snapshots = [snapshot for page in pages for snapshot in page["Snapshots"]]
    broken = next((each for each in snapshots if each["State"] == "error"), None)
    if broken is not None:
        reason = broken.get("StateMessage") or "EC2 gives no reason"
        duplicate.fail(f"the copy {broken['SnapshotId']} of a snapshot went wrong: {reason}")
    elif all(each["State"] == "completed" for each in snapshots):
        _register(ec2, original, duplicate)


def _register(ec2: Any, original: Original, duplicate: Duplicate) -> None:
    marks = {MADE_BY: original.maker, MADE_FROM: original.image.id}
    try:
        answer = ec2.register_image(
            Name=original.name, Description=f"Duplicate of {original.image.id}", **registration(original.image, duplicate.copies),
            TagSpecifications=tag_specifications(original.tags | marks, "image"),
        )  # fmt: skip
    except ClientError as error:
        if code_of(error) != "InvalidAMIName.Duplicate":
            raise
        duplicate.stage = "new"  # an earlier try has registered it: look again
        _not_seen(duplicate, f"the image {original.name}")
        return
    duplicate.stage, duplicate.image, duplicate.made, duplicate.unseen = "registered", str(answer["ImageId"]), True, 0


def registration(image: Image, copies: Mapping[str, str]) -> dict[str, Any]:
    """Arguments of RegisterImage for an image like this one, on other snapshots. Raises AwsError for what has no copy."""
    disks = []
    for device in image.details.get("BlockDeviceMappings", []):
        disk: dict[str, Any] = {key: device[key] for key in ("DeviceName", "VirtualName", "NoDevice") if key in device}
        if "Ebs" in device:
            kept = {key: device["Ebs"][key] for key in _KEPT_OF_DISK if key in device["Ebs"]}
            snapshot = device["Ebs"].get("SnapshotId")
            if snapshot and snapshot not in copies:
                raise AwsError(f"the snapshot {snapshot} of {image.id} was not copied", where=image.id)
            disk["Ebs"] = kept | ({"SnapshotId": copies[snapshot]} if snapshot else {})
        disks.append(disk)
    return {key: image.details[key] for key in _KEPT if key in image.details} | {"BlockDeviceMappings": disks}


def _see(ec2: Any, duplicate: Duplicate) -> None:
    image = image_by_id(ec2, duplicate.image)
    if image is None:
        _not_seen(duplicate, f"the image {duplicate.image}")
    elif image.state in BROKEN:
        duplicate.fail(f"the image {image.id} is {image.state}: {image.reason or 'EC2 gives no reason'}")
    elif image.state == "available":
        duplicate.stage = "done"


def _not_seen(duplicate: Duplicate, what: str) -> None:
    """EC2 shows new things late; what does not show up for long is gone."""
    duplicate.unseen += 1
    if duplicate.unseen > MOST_TIMES_UNSEEN:
        duplicate.fail(f"{what} does not show up", passing=True)
