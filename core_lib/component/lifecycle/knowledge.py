"""What the CMDB knows that a compile depends on."""

from __future__ import annotations

from collections.abc import Iterator

from core_lib.component.model import Released
from core_lib.db import Item, Items
from core_lib.framework.errors import NotFoundError
from core_lib.framework.models import DeploymentDetails, Level, Prn, Task

RESOURCES_STACK = "ResourcesStack"
"""Key of a component item's metadata: the stack with the resources that it uses."""

DEPLOYED = "Deployed"
"""Key of a build item's metadata: whether its last deploy came to a good end."""

_PAGE = 500


def known_of(items: Items, details: DeploymentDetails, *, to_tear_down: bool = False) -> Released:
    """The released build of the branch, and the stacks that components of this build go on using.

    `to_tear_down`: look also for other builds of the app that have begun and not come to an end.

    A build that was deployed before keeps the stacks that it has, whatever was released meanwhile: nothing that it made is ever
    left behind. A new one takes those of the released build.
    """
    branch = find(items, _at(details.prn, Level.BRANCH))
    released = branch.released_build if branch is not None else None
    stacks = dict(_stacks(items, released.prn)) if released is not None else {}
    own = dict(_stacks(items, details.prn))
    unfinished = tuple(_unfinished(items, details.prn)) if to_tear_down else ()
    return Released(released.name if released is not None else None, {**stacks, **own}, frozenset(own), unfinished)


def _unfinished(items: Items, build: Prn) -> Iterator[Prn]:
    """Other builds of the app whose deploy or teardown was begun and did not come to a good end."""
    for branch in _children(items, _at(build, Level.APP)):
        for other in _children(items, branch.prn):
            is_gone = other.status == f"{Task.TEARDOWN.value.upper()}_COMPLETE"
            if other.prn != build and other.metadata.get(DEPLOYED) is False and not is_gone:
                yield other.prn


def find(items: Items, prn: Prn) -> Item | None:
    """An item, or None when nothing is registered under this PRN."""
    try:
        return items.get(prn)
    except NotFoundError:
        return None


def _children(items: Items, parent: Prn) -> Iterator[Item]:
    """Everything directly below an item."""
    cursor: str | None = None
    while True:
        page = items.children(parent, limit=_PAGE, cursor=cursor)
        yield from page.items
        cursor = page.cursor
        if cursor is None:
            return


def _stacks(items: Items, build: Prn) -> Iterator[tuple[str, str]]:
    for item in _children(items, build):
        if RESOURCES_STACK in item.metadata:
            yield item.name, str(item.metadata[RESOURCES_STACK])


def _at(prn: Prn, level: Level) -> Prn:
    return next(each for each in prn.ancestors() if each.level is level)
