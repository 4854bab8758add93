"""Tags: those that people ask for, and the two by which the platform knows again what it made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core_lib.execute.action import ActionContext, token_for
from core_lib.execute.images.live import Image

MADE_BY = "core:made-by"
MADE_FROM = "core:made-from"
_MOST_RESOURCES = 200


def maker(ctx: ActionContext[Any]) -> str:
    """The mark of this action of this run; all of its attempts have the same one."""
    return token_for(ctx.run_id, ctx.action_id, 0, "made-by")


def marks(ctx: ActionContext[Any], source: str) -> dict[str, str]:
    """Tags of what this action makes from a source (an instance, an image, a snapshot)."""
    return {MADE_BY: maker(ctx), MADE_FROM: source}


def made_from(image: Image, source: str) -> bool:
    """Whether an image was made from this instance or image, as its tags or EC2 itself tell."""
    told = (image.tags.get(MADE_FROM), image.details.get("SourceImageId"), image.details.get("SourceInstanceId"))
    return source in told


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as EC2 takes them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def tag_specifications(tags: Mapping[str, str], *kinds: str) -> list[dict[str, Any]]:
    """The same tags for resources of these kinds (`image`, `snapshot`), to be set when they are made."""
    return [{"ResourceType": kind, "Tags": tag_list(tags)} for kind in kinds]


def put_tags(ec2: Any, resources: Iterable[str], tags: Mapping[str, str]) -> None:
    """Set tags on images and snapshots; again is the same as once."""
    listed = list(resources)
    for first in range(0, len(listed) if tags else 0, _MOST_RESOURCES):
        ec2.create_tags(Resources=listed[first : first + _MOST_RESOURCES], Tags=tag_list(tags))
