"""Taking images away together with their snapshots, a portion a step.

The snapshots of an image are known only as long as the image is there. So what is to go is written down first
(`plan_removal`), and a worker that dies between the two loses no snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from core_lib.execute.images.live import Image
from core_lib.execute.refusals import code_of
from core_lib.execute.steps import Again, Done, Failed, Step

REMOVING = "removing"
"""Key of the scratch that holds what is to go."""

SNAPSHOTS_PER_STEP = 50
SECONDS_BUSY = 5.0
MOST_TIMES_BUSY = 24
"""How often snapshots that EC2 still sees in use are tried again: two minutes."""

_NO_IMAGE = ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")
_NO_SNAPSHOT = "InvalidSnapshot.NotFound"
_IN_USE = "InvalidSnapshot.InUse"


def plan_removal(scratch: Mapping[str, Any], images: Iterable[Image], also: Iterable[str] = ()) -> Again:
    """Write down what is to go: images with their snapshots, and `also` these snapshots."""
    listed = list(images)
    snapshots = list(dict.fromkeys([*(snapshot for image in listed for snapshot in image.snapshots), *also]))
    return Again(0, {**scratch, REMOVING: {"images": [image.id for image in listed], "snapshots": snapshots}})


def remove_some(ec2: Any, scratch: Mapping[str, Any]) -> Step:
    """Deregister what is written down and delete a portion of its snapshots; `Again` with what is left. Missing ones are fine."""
    todo = scratch[REMOVING]
    for image in todo["images"]:
        deregister(ec2, image)
    now, later = todo["snapshots"][:SNAPSHOTS_PER_STEP], todo["snapshots"][SNAPSHOTS_PER_STEP:]
    busy = [snapshot for snapshot in now if not delete_snapshot(ec2, snapshot)]
    if not busy and not later:
        return Done(message="deregistered, and its snapshots are deleted")
    times = int(todo.get("busy", 0)) + (len(busy) == len(now))
    if times > MOST_TIMES_BUSY:
        return Failed(
            f"deregistered, but these snapshots are still in use: {', '.join(busy)}",
            hint="another image or volume lies on them; delete that first, then the snapshots",
        )
    left = {"images": [], "snapshots": later + busy, "busy": times}
    return Again(0 if later else SECONDS_BUSY, {**scratch, REMOVING: left}, f"{len(left['snapshots'])} snapshots to go")


def deregister(ec2: Any, image: str) -> None:
    """Deregister an image; one that is not there is fine."""
    try:
        ec2.deregister_image(ImageId=image)
    except ClientError as error:
        if code_of(error) not in _NO_IMAGE:
            raise


def delete_snapshot(ec2: Any, snapshot: str) -> bool:
    """Delete a snapshot, or find it gone; False when it is still in use."""
    try:
        ec2.delete_snapshot(SnapshotId=snapshot)
    except ClientError as error:
        if code_of(error) == _IN_USE:
            return False
        if code_of(error) != _NO_SNAPSHOT:
            raise
    return True
