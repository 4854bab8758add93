# ruff: noqa: N803 - arguments are called as EC2's model calls them
"""A small EC2 that keeps images and snapshots of several accounts, with what emulators lack: sharing that counts, images
of several snapshots, slow and failing copies. Calls and answers are checked against EC2's model (`scripted`)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.builders.scripted import refusal, scripted

REGION = "eu-west-1"


@dataclass
class Snapshot:
    id: str
    owner: str
    region: str
    tags: dict[str, str] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    looks: int = 0
    broken: str | None = None
    key: str | None = None


@dataclass
class Image:
    id: str
    name: str
    owner: str
    region: str
    snapshots: list[str]
    tags: dict[str, str] = field(default_factory=dict)
    launch: list[dict[str, str]] = field(default_factory=list)
    looks: int = 0
    state: str | None = None
    token: str | None = None
    more: dict[str, Any] = field(default_factory=dict)


class Ec2World:
    """All accounts. `slow`: how often something new is looked at before it is ready. `refuse[method@account]`: errors to raise,
    one a call. `broken`: accounts whose snapshot copies end in an error."""

    def __init__(self, slow: int = 0) -> None:
        self.slow = slow
        self.images: dict[str, Image] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.refuse: dict[str, list[Exception]] = {}
        self.broken: set[str] = set()
        self.in_use: set[str] = set()
        self.clients: dict[tuple[str, str], Any] = {}
        self.count: Counter[str] = Counter()

    def client(self, account: str, region: str = REGION) -> Any:
        """The EC2 of one account and region."""
        if (account, region) not in self.clients:
            self.clients[account, region] = scripted("ec2", region=region, **Ec2Answers(self, account, region).answers())
        return self.clients[account, region]

    def image(self, account: str, name: str, *, disks: int = 2, region: str = REGION, **more: Any) -> Image:
        """An image that is there."""
        snapshots = [self.snapshot(account, region).id for _ in range(disks)]
        made = Image(self.identity("ami"), name, account, region, snapshots, looks=99, **more)
        self.images[made.id] = made
        return made

    def snapshot(self, account: str, region: str = REGION, **more: Any) -> Snapshot:
        made = Snapshot(self.identity("snap"), account, region, **({"looks": 99} | more))
        self.snapshots[made.id] = made
        return made

    def identity(self, kind: str) -> str:
        self.count[kind] += 1
        return f"{kind}-{self.count[kind]:017x}"

    def of(self, account: str) -> list[Image]:
        return [image for image in self.images.values() if image.owner == account]

    def snapshots_of(self, account: str) -> list[Snapshot]:
        return [snapshot for snapshot in self.snapshots.values() if snapshot.owner == account]


class Ec2Answers:
    """What one account's EC2 answers in one region."""

    def __init__(self, world: Ec2World, account: str, region: str) -> None:
        self.world, self.account, self.region = world, account, region

    def answers(self) -> dict[str, Any]:
        methods = [name for name in vars(type(self)) if not name.startswith("_") and name != "answers"]
        return {name: self._guarded(name) for name in methods}

    def _guarded(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            waiting = self.world.refuse.get(f"{name}@{self.account}")
            if waiting:
                raise waiting.pop(0)
            return getattr(self, name)(**arguments)

        return call

    def describe_images(
        self, ImageIds: Any = (), Owners: Any = (), Filters: Any = (), IncludeDisabled: bool = False
    ) -> dict[str, Any]:
        _ = Owners, IncludeDisabled
        wanted = {item["Name"]: item["Values"] for item in Filters}
        here = [image for image in self.world.images.values() if image.region == self.region]
        if ImageIds:
            found = [image for image in here if image.id in ImageIds]
            if not found:
                raise refusal("InvalidAMIID.NotFound")
        else:
            found = [image for image in here if image.owner == self.account and image.name in wanted.get("name", [image.name])]
        return {"Images": [self._shown(image) for image in found]}

    def _shown(self, image: Image) -> dict[str, Any]:
        image.looks += 1
        state = image.state or ("available" if image.looks > self.world.slow else "pending")
        devices = [
            {"DeviceName": f"/dev/sd{chr(97 + n)}", "Ebs": {"SnapshotId": identity, "VolumeSize": 8, "Encrypted": False}}
            for n, identity in enumerate(image.snapshots)
        ]
        shown = {
            "ImageId": image.id, "Name": image.name, "OwnerId": image.owner, "State": state, "BlockDeviceMappings": devices,
            "Tags": [{"Key": key, "Value": value} for key, value in image.tags.items()],
            "RootDeviceName": "/dev/sda", "Architecture": "x86_64", "VirtualizationType": "hvm", "EnaSupport": True,
        }  # fmt: skip
        if state == "failed":
            shown["StateReason"] = {"Code": "Client.UserInitiated", "Message": "the key is not accessible"}
        return shown | image.more

    def describe_snapshots(
        self, SnapshotIds: Any = (), OwnerIds: Any = (), Filters: Any = (), MaxResults: int = 0, NextToken: str = "0"
    ) -> dict[str, Any]:
        _ = OwnerIds, MaxResults
        tags = [(item["Name"].removeprefix("tag:"), item["Values"]) for item in Filters]
        found = [
            snapshot for snapshot in self.world.snapshots_of(self.account)
            if snapshot.region == self.region
            and (not SnapshotIds or snapshot.id in SnapshotIds)
            and all(snapshot.tags.get(key) in values for key, values in tags)
        ]  # fmt: skip
        if len(found) < len(SnapshotIds):
            raise refusal("InvalidSnapshot.NotFound")
        first = int(NextToken)
        page: dict[str, Any] = {"Snapshots": [self._shown_snapshot(snapshot) for snapshot in found[first : first + 1]]}
        return page | ({"NextToken": str(first + 1)} if first + 1 < len(found) else {})

    def _shown_snapshot(self, snapshot: Snapshot) -> dict[str, Any]:
        snapshot.looks += 1
        state = "error" if snapshot.broken else "completed" if snapshot.looks > self.world.slow else "pending"
        tags = [{"Key": key, "Value": value} for key, value in snapshot.tags.items()]
        return {"SnapshotId": snapshot.id, "State": state, "Tags": tags, "StateMessage": snapshot.broken or ""}

    def create_image(self, InstanceId: str, Name: str, TagSpecifications: Any, **_: Any) -> dict[str, Any]:
        made = self._made(Name, 2, TagSpecifications)
        self.world.images[made["ImageId"]].more = {"SourceInstanceId": InstanceId}
        return made

    def copy_image(
        self, SourceImageId: str, SourceRegion: str, Name: str, ClientToken: str, TagSpecifications: Any, **_: Any
    ) -> dict[str, Any]:
        again = next((image for image in self.world.of(self.account) if image.token == ClientToken), None)
        if again:
            return {"ImageId": again.id}
        source = self.world.images[SourceImageId]
        assert source.region == SourceRegion
        made = self._made(Name, len(source.snapshots), TagSpecifications)
        self.world.images[made["ImageId"]].token = ClientToken
        return made

    def register_image(self, Name: str, BlockDeviceMappings: Any, TagSpecifications: Any, **_: Any) -> dict[str, Any]:
        if any(image.name == Name and image.region == self.region for image in self.world.of(self.account)):
            raise refusal("InvalidAMIName.Duplicate")
        snapshots = [device["Ebs"]["SnapshotId"] for device in BlockDeviceMappings if "Ebs" in device]
        assert all(self.world.snapshots[snapshot].owner == self.account for snapshot in snapshots)
        image = Image(self.world.identity("ami"), Name, self.account, self.region, snapshots, _tags(TagSpecifications, "image"))
        self.world.images[image.id] = image
        return {"ImageId": image.id}

    def _made(self, name: str, disks: int, tags: Any) -> dict[str, Any]:
        if any(image.name == name and image.region == self.region for image in self.world.of(self.account)):
            raise refusal("InvalidAMIName.Duplicate", f"AMI name {name} is already in use")
        image = self.world.image(self.account, name, disks=disks, region=self.region, tags=_tags(tags, "image"))
        image.looks = 0
        for snapshot in image.snapshots:
            self.world.snapshots[snapshot].tags |= _tags(tags, "snapshot")
        return {"ImageId": image.id}

    def deregister_image(self, ImageId: str) -> dict[str, Any]:
        if ImageId not in self.world.images:
            raise refusal("InvalidAMIID.NotFound")
        assert self.world.images.pop(ImageId).owner == self.account
        return {}

    def delete_snapshot(self, SnapshotId: str) -> dict[str, Any]:
        if SnapshotId not in self.world.snapshots:
            raise refusal("InvalidSnapshot.NotFound")
        if SnapshotId in self.world.in_use or any(SnapshotId in image.snapshots for image in self.world.images.values()):
            raise refusal("InvalidSnapshot.InUse")
        assert self.world.snapshots.pop(SnapshotId).owner == self.account
        return {}

    def create_tags(self, Resources: list[str], Tags: Any) -> None:
        for identity in Resources:
            owner: Any = self.world.images.get(identity) or self.world.snapshots[identity]
            owner.tags |= {tag["Key"]: tag["Value"] for tag in Tags}

    def copy_snapshot(
        self,
        SourceSnapshotId: str,
        SourceRegion: str,
        Encrypted: bool,
        TagSpecifications: Any,
        KmsKeyId: str | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        source = self.world.snapshots.get(SourceSnapshotId)
        if source is None or (source.owner != self.account and self.account not in source.shared):
            raise refusal("InvalidSnapshot.NotFound")
        assert Encrypted
        assert source.region == SourceRegion
        broken = "Given key ID is not accessible" if self.account in self.world.broken else None
        tags = _tags(TagSpecifications, "snapshot")
        made = self.world.snapshot(self.account, self.region, tags=tags, looks=0, broken=broken, key=KmsKeyId)
        return {"SnapshotId": made.id}

    def describe_image_attribute(self, ImageId: str, Attribute: str) -> dict[str, Any]:
        assert Attribute == "launchPermission"
        return {"ImageId": ImageId, "LaunchPermissions": list(self.world.images[ImageId].launch)}

    def modify_image_attribute(self, ImageId: str, LaunchPermission: Any) -> None:
        launch = self.world.images[ImageId].launch
        launch += [each for each in LaunchPermission.get("Add", []) if each not in launch]
        self.world.images[ImageId].launch = [each for each in launch if each not in LaunchPermission.get("Remove", [])]

    def describe_snapshot_attribute(self, SnapshotId: str, Attribute: str) -> dict[str, Any]:
        assert Attribute == "createVolumePermission"
        shared = sorted(self.world.snapshots[SnapshotId].shared)
        return {"SnapshotId": SnapshotId, "CreateVolumePermissions": [{"UserId": account} for account in shared]}

    def modify_snapshot_attribute(self, SnapshotId: str, Attribute: str, OperationType: str, UserIds: list[str]) -> None:
        assert Attribute == "createVolumePermission"
        shared = self.world.snapshots[SnapshotId].shared
        self.world.snapshots[SnapshotId].shared = shared | set(UserIds) if OperationType == "add" else shared - set(UserIds)


def _tags(specifications: Any, kind: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for each in specifications if each["ResourceType"] == kind for tag in each["Tags"]}
