"""Machine images: moto keeps them, MiniStack runs the instances they are made of.

CreateImage therefore looks the instance up where it lives and registers the image where images live.
Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html
"""

from __future__ import annotations

from urllib.parse import urlencode

from deployments.local.gateway.answers import Answer, error_answer
from deployments.local.gateway.naming import Call, form_fields
from deployments.local.gateway.routes import Upstream
from deployments.local.gateway.upstream import Reply, Upstreams

_VERSION = "2016-11-15"


async def create_image(call: Call, account: str, body: bytes, upstreams: Upstreams) -> Answer | Reply:
    """The answer of CreateImage: the id of an image registered under the wanted name."""
    fields = form_fields(body)
    instance = fields.get("InstanceId", "")
    found = await _ec2(upstreams, "ministack", call, account, {"Action": "DescribeInstances", "InstanceId.1": instance})
    if found.status != 200 or instance.encode() not in found.body:
        return error_answer(call, "InvalidInstanceID.NotFound", f"The instance ID '{instance}' does not exist", 400)
    wanted = {key: value for key, value in fields.items() if key.split(".")[0] in ("Name", "Description", "TagSpecification")}
    wanted |= {"Action": "RegisterImage", "RootDeviceName": "/dev/xvda", "Architecture": "x86_64", "VirtualizationType": "hvm"}
    reply = await _ec2(upstreams, "moto", call, account, wanted)
    reply.body = reply.body.replace(b"RegisterImageResponse", b"CreateImageResponse")
    return reply


async def _ec2(upstreams: Upstreams, upstream: Upstream, call: Call, account: str, fields: dict[str, str]) -> Reply:
    body = urlencode(fields | {"Version": _VERSION}).encode()
    return await upstreams.call(upstream, "ec2", account, body, call.region)
