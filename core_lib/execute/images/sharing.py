"""Who may use an image (launch permissions) and its snapshots (create-volume permissions).

Snapshots can be shared with accounts only; for organizations and OUs EC2 has launch permissions, which are enough to
start instances.
Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/share-amis-with-organizations-and-OUs.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from core_lib.execute.images.live import Image
from core_lib.execute.refusals import code_of

_AT_ONCE = 100
_GONE = ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable", "InvalidSnapshot.NotFound")

Permission = Mapping[str, str]
"""`{"UserId": account}`, `{"OrganizationArn": arn}` or `{"OrganizationalUnitArn": arn}`."""


@dataclass(frozen=True)
class Sharing:
    """Permissions on one image. `launch`: on the image itself; `volumes`: accounts by snapshot."""

    image: str
    launch: Sequence[Permission]
    volumes: Mapping[str, Sequence[str]]

    @property
    def nothing(self) -> bool:
        """Whether it holds no permission at all."""
        return not self.launch and not any(self.volumes.values())

    def as_scratch(self) -> dict[str, Any]:
        """For the ledger."""
        volumes = {snapshot: list(accounts) for snapshot, accounts in self.volumes.items() if accounts}
        return {"image": self.image, "launch": [dict(each) for each in self.launch], "volumes": volumes}

    @classmethod
    def from_scratch(cls, kept: Mapping[str, Any]) -> Sharing:
        """From the ledger."""
        return cls(kept["image"], kept["launch"], kept["volumes"])


def launch_permissions(
    accounts: Iterable[str] = (), organizations: Iterable[str] = (), units: Iterable[str] = ()
) -> list[dict[str, str]]:
    """Launch permissions in EC2's words."""
    return [
        *({"UserId": account} for account in accounts),
        *({"OrganizationArn": arn} for arn in organizations),
        *({"OrganizationalUnitArn": arn} for arn in units),
    ]


def missing_sharing(ec2: Any, image: Image, launch: Sequence[Permission], accounts: Sequence[str]) -> Sharing:
    """What has to be added, so that the image has these launch permissions and these accounts may use its snapshots."""
    given = ec2.describe_image_attribute(ImageId=image.id, Attribute="launchPermission").get("LaunchPermissions", [])
    volumes = {snapshot: _without(accounts, _users_of(ec2, snapshot)) for snapshot in image.snapshots if accounts}
    return Sharing(image.id, [each for each in launch if dict(each) not in given], volumes)


def share(ec2: Any, sharing: Sharing) -> None:
    """Add these permissions; again is the same as once."""
    for portion in _portions(sharing.launch):
        ec2.modify_image_attribute(ImageId=sharing.image, LaunchPermission={"Add": list(portion)})
    for snapshot, accounts in sharing.volumes.items():
        for some in _portions(accounts):
            ec2.modify_snapshot_attribute(
                SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=list(some)
            )


def revoke(ec2: Any, sharing: Sharing) -> None:
    """Take these permissions back. An image or snapshot that is gone has none."""
    for portion in _portions(sharing.launch):
        _if_there(ec2.modify_image_attribute, ImageId=sharing.image, LaunchPermission={"Remove": list(portion)})
    for snapshot, accounts in sharing.volumes.items():
        for some in _portions(accounts):
            _if_there(
                ec2.modify_snapshot_attribute,
                SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="remove", UserIds=list(some),
            )  # fmt: skip


def _users_of(ec2: Any, snapshot: str) -> set[str]:
    answer = ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    return {str(each["UserId"]) for each in answer.get("CreateVolumePermissions", []) if "UserId" in each}


def _without(accounts: Iterable[str], known: set[str]) -> list[str]:
    return [account for account in accounts if account not in known]


def _portions(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[first : first + _AT_ONCE] for first in range(0, len(items), _AT_ONCE))


def _if_there(call: Any, **arguments: Any) -> None:
    try:
        call(**arguments)
    except ClientError as error:
        if code_of(error) not in _GONE:
            raise
