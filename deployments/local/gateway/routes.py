"""Which emulator answers a call: MiniStack by default, moto for what MiniStack lacks.

The table follows what was measured about both (see `docs/` on the embedded cloud); it is data, so that a pinned
emulator that learns a service costs one line here.
"""

from __future__ import annotations

from typing import Literal

from deployments.local.gateway.naming import Call

Upstream = Literal["ministack", "moto"]

_MOTO_SERVICES = frozenset(
    {
        "account", "aps", "ce", "codecommit", "codedeploy", "codepipeline", "fis", "guardduty", "identitystore",
        "networkmanager", "organizations", "ram", "route53resolver", "sagemaker", "securityhub", "servicecatalog",
        "sso", "support", "swf",
    }
)  # fmt: skip

_MOTO_OPERATIONS = frozenset(
    {
        ("ec2", "CopyImage"), ("ec2", "DeregisterImage"), ("ec2", "DescribeImageAttribute"),
        ("ec2", "DescribeImages"),
        ("ec2", "ModifyImageAttribute"), ("ec2", "RegisterImage"), ("ec2", "ResetImageAttribute"),
        ("ec2", "CopySnapshot"), ("ec2", "DeleteSnapshot"), ("ec2", "DescribeSnapshotAttribute"), ("ec2", "DescribeSnapshots"),
        ("ec2", "ModifySnapshotAttribute"), ("ec2", "ResetSnapshotAttribute"),
        ("ec2", "DisableEbsEncryptionByDefault"), ("ec2", "EnableEbsEncryptionByDefault"),
        ("ec2", "GetEbsEncryptionByDefault"), ("ecr", "DescribeRegistry"), ("ecr", "PutReplicationConfiguration"),
    }
)  # fmt: skip

_MINISTACK_OPERATIONS = frozenset({("account", "ListRegions"), ("account", "GetRegionOptStatus")})


def upstream_of(call: Call) -> Upstream:
    """The emulator that knows this call best."""
    name = (call.service, call.operation)
    if name in _MINISTACK_OPERATIONS:
        return "ministack"
    in_moto = call.service in _MOTO_SERVICES or name in _MOTO_OPERATIONS or _about_stack_sets(call)
    return "moto" if in_moto else "ministack"


def _about_stack_sets(call: Call) -> bool:
    """Stack sets, their instances and operations are moto's; the stacks of their instances live there too."""
    return call.service == "cloudformation" and ("StackSet" in call.operation or "StackInstance" in call.operation)
