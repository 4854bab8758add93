"""Machine images and snapshots: moto keeps them, MiniStack runs the instances and volumes they are made of.

CreateImage and CreateSnapshot therefore look the instance or volume up where it lives and make the image or snapshot where
those live. Tags of images and snapshots go to moto, also those that come with the call that makes an image, which moto
ignores. A snapshot that another account shares can be copied.
Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html
"""

from __future__ import annotations

import re
from collections import defaultdict
from urllib.parse import urlencode

from deployments.local.gateway.answers import Answer, error_answer
from deployments.local.gateway.naming import Call, form_fields
from deployments.local.gateway.routes import Upstream
from deployments.local.gateway.upstream import Reply, Upstreams

_VERSION = "2016-11-15"
_KEPT_BY_MOTO = re.compile(r"^(ami|snap)-")
_IMAGE_ID = re.compile(rb"<imageId>([^<]+)</imageId>")
_SNAPSHOT_ID = re.compile(rb"<snapshotId>([^<]+)</snapshotId>")
_VOLUME_ID = re.compile(rb"<volumeId>([^<]+)</volumeId>")
_SIZE = re.compile(rb"<(?:size|volumeSize)>(\d+)<")

Fields = dict[str, str]


class Images:
    """Answers the calls that neither emulator can answer alone."""

    def __init__(self, upstreams: Upstreams) -> None:
        self._upstreams = upstreams
        self._owners: dict[str, str] = {}

    async def answer(self, call: Call, account: str, body: bytes) -> Answer | Reply | None:
        """The answer, or None for calls that are simply forwarded."""
        if call.service != "ec2":
            return None
        fields = form_fields(body)
        match call.operation:
            case "CreateImage":
                return await self._create_image(call, account, fields)
            case "CopyImage" | "RegisterImage":
                return await self._tagged(call, account, fields, await self._ec2("moto", call, account, fields))
            case "CreateSnapshot":
                return await self._create_snapshot(call, account, fields)
            case "CopySnapshot":
                return await self._copy_snapshot(call, account, fields)
            case "CreateTags" | "DeleteTags" if _all_kept_by_moto(fields):
                return await self._ec2("moto", call, account, fields)
            case "ModifySnapshotAttribute":
                self._owners[fields.get("SnapshotId", "")] = account
        return None

    async def _create_image(self, call: Call, account: str, fields: Fields) -> Answer | Reply:
        instance = fields.get("InstanceId", "")
        found = await self._ec2("ministack", call, account, {"Action": "DescribeInstances", "InstanceId.1": instance})
        if found.status != 200 or instance.encode() not in found.body:
            return error_answer(call, "InvalidInstanceID.NotFound", f"The instance ID '{instance}' does not exist", 400)
        wanted = {key: value for key, value in fields.items() if key in ("Name", "Description")}
        wanted |= {
            "Action": "RegisterImage",
            "RootDeviceName": "/dev/xvda",
            "Architecture": "x86_64",
            "VirtualizationType": "hvm",
        }
        reply = await self._ec2("moto", call, account, wanted)
        reply.body = reply.body.replace(b"RegisterImageResponse", b"CreateImageResponse")
        return await self._tagged(call, account, fields, reply)

    async def _tagged(self, call: Call, account: str, fields: Fields, reply: Reply) -> Reply:
        """Put the tags of the call on the image it made, and on its snapshots."""
        made = _IMAGE_ID.search(reply.body)
        tags = _tags_by_kind(fields)
        if reply.status != 200 or made is None or not tags:
            return reply
        image = made[1].decode()
        shown = await self._ec2("moto", call, account, {"Action": "DescribeImages", "ImageId.1": image})
        snapshots = [found.decode() for found in _SNAPSHOT_ID.findall(shown.body)]
        for kind, resources in (("image", [image]), ("snapshot", snapshots)):
            for resource in resources if kind in tags else ():
                await self._ec2("moto", call, account, {"Action": "CreateTags", "ResourceId.1": resource} | tags[kind])
        return reply

    async def _create_snapshot(self, call: Call, account: str, fields: Fields) -> Reply:
        volume = fields.get("VolumeId", "")
        found = await self._ec2("ministack", call, account, {"Action": "DescribeVolumes", "VolumeId.1": volume})
        size = _SIZE.search(found.body)
        if found.status != 200 or size is None:
            return found
        return await self._snapshot_of_size(call, account, size[1].decode(), fields, named=volume)

    async def _copy_snapshot(self, call: Call, account: str, fields: Fields) -> Reply:
        """moto copies within an account; a snapshot of another one is made anew when that account shares it."""
        reply = await self._ec2("moto", call, account, fields)
        source = fields.get("SourceSnapshotId", "")
        owner = self._owners.get(source)
        if reply.status == 200 or owner is None:
            return reply
        there = Call(call.service, call.operation, fields.get("SourceRegion", call.region), call.access_key, call.protocol)
        asked = {"Action": "DescribeSnapshotAttribute", "SnapshotId": source, "Attribute": "createVolumePermission"}
        shared = await self._ec2("moto", there, owner, asked)
        if f"<userId>{account}</userId>".encode() not in shared.body:
            return reply
        shown = await self._ec2("moto", there, owner, {"Action": "DescribeSnapshots", "SnapshotId.1": source})
        size = _SIZE.search(shown.body)
        return await self._snapshot_of_size(call, account, size[1].decode() if size else "8", fields, named="vol-ffffffff")

    async def _snapshot_of_size(self, call: Call, account: str, size: str, fields: Fields, *, named: str) -> Reply:
        """A snapshot in moto, of a volume that is there only for a moment; the answer has the volume's name elsewhere."""
        wanted = {"Action": "CreateVolume", "Size": size, "AvailabilityZone": f"{call.region}a"}
        made = await self._ec2("moto", call, account, wanted)
        volume = _VOLUME_ID.search(made.body)
        if volume is None:
            return made
        kept = {key: value for key, value in fields.items() if key.split(".")[0] in ("Description", "TagSpecification")}
        kept |= {"Action": "CreateSnapshot", "VolumeId": volume[1].decode()}
        reply = await self._ec2("moto", call, account, kept)
        await self._ec2("moto", call, account, {"Action": "DeleteVolume", "VolumeId": volume[1].decode()})
        reply.body = reply.body.replace(volume[1], named.encode()).replace(b"CreateSnapshot", call.operation.encode())
        return reply

    async def _ec2(self, upstream: Upstream, call: Call, account: str, fields: Fields) -> Reply:
        body = urlencode(fields | {"Version": _VERSION}).encode()
        return await self._upstreams.call(upstream, "ec2", account, body, call.region)


def _all_kept_by_moto(fields: Fields) -> bool:
    resources = [value for key, value in fields.items() if key.startswith("ResourceId.")]
    return bool(resources) and all(_KEPT_BY_MOTO.match(resource) for resource in resources)


def _tags_by_kind(fields: Fields) -> dict[str, Fields]:
    """`TagSpecification.n.Tag.m.Key` and so on as the fields of CreateTags, by kind of resource."""
    kinds = {
        key.split(".")[1]: value for key, value in fields.items() if re.fullmatch(r"TagSpecification\.\d+\.ResourceType", key)
    }
    found: defaultdict[str, Fields] = defaultdict(dict)
    for key, value in fields.items():
        part = re.fullmatch(r"TagSpecification\.(\d+)\.(Tag\.\d+\.(?:Key|Value))", key)
        if part:
            found[kinds.get(part[1], "")][part[2]] = value
    return dict(found)
