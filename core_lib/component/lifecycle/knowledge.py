"""What the CMDB knows that a compile depends on."""

from __future__ import annotations

from collections.abc import Iterator

from core_lib.component.model import Released
from core_lib.db import Item, Items
from core_lib.framework.errors import NotFoundError
from core_lib.framework.models import DeploymentDetails, Level, Prn

RESOURCES_STACK = "ResourcesStack"
"""Key of a component item's metadata: the stack with the resources that it uses."""

DEPLOYED = "Deployed"
"""Key of a build item's metadata: whether its last deploy came to a good end."""

_PAGE = 500


def known_of(items: Items, details: DeploymentDetails) -> Released:
    """The released build of the branch, and the stacks that components of this build go on using.

    A build that was deployed before keeps the stacks that it has, whatever was released meanwhile: nothing that it made is ever
    left behind. A new one takes those of the released build.
    """
    branch = find(items, _at(details.prn, Level.BRANCH))
    released = branch.released_build if branch is not None else None
    stacks = dict(_stacks(items, released.prn)) if released is not None else {}
    own = dict(_stacks(items, details.prn))
    return Released(released.name if released is not None else None, {**stacks, **own}, frozenset(own))


def find(items: Items, prn: Prn) -> Item | None:
    """An item, or None when nothing is registered under this PRN."""
    try:
        return items.get(prn)
    except NotFoundError:
        return None


def components_of(items: Items, build: Prn) -> Iterator[Item]:
    """The components of a build."""
    cursor: str | None = None
    while True:
        page = items.children(build, limit=_PAGE, cursor=cursor)
        yield from page.items
        cursor = page.cursor
        if cursor is None:
            return


def _stacks(items: Items, build: Prn) -> Iterator[tuple[str, str]]:
    for item in components_of(items, build):
        if RESOURCES_STACK in item.metadata:
            yield item.name, str(item.metadata[RESOURCES_STACK])


def _at(prn: Prn, level: Level) -> Prn:
    return next(each for each in prn.ancestors() if each.level is level)
