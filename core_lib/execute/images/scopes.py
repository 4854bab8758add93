"""ARNs of images and snapshots, which belong to regions and to no account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core_lib.execute.fields import name_in_arn


def image_arn(params: Mapping[str, Any], key: str, region: str, partition: str) -> str:
    """The image that a parameter names by its id; any image when it is given by name."""
    name = name_in_arn(params, key)
    return f"arn:{partition}:ec2:{region}::image/{name if name.startswith('ami-') else '*'}"


def snapshot_arn(region: str, partition: str) -> str:
    """Any snapshot of a region."""
    return f"arn:{partition}:ec2:{region}::snapshot/*"


def key_scope(params: Mapping[str, Any], key: str) -> dict[str, tuple[str, ...]]:
    """The KMS key, when a parameter names it by its ARN."""
    name = name_in_arn(params, key)
    return {"kms:*": (name,)} if name.startswith("arn:") and ":key/" in name else {}
