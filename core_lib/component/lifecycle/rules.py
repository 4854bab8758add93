"""What a build may not do yet, or no more. Asked before a run is registered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core_lib.component.lifecycle.knowledge import DEPLOYED, find
from core_lib.component.model import Released
from core_lib.db import Items
from core_lib.framework.errors import ReleasedError
from core_lib.framework.models import Task, TaskPayload

APPROVERS = "Approvers"
_WHO = ("name", "email", "user")


def refuse_too_early(items: Items, payload: TaskPayload, released: Released, facts: Mapping[str, Any]) -> None:
    """Refuse to release a build whose deploy did not come to a good end, and to tear down the released build.

    With `Options.Force` a released build may be torn down by whoever the fact `Approvers` names, by name or e-mail address; by
    anybody when it names nobody.

    Raises:
        ReleasedError: the build is in a state that does not allow the task.
    """
    if payload.task is Task.RELEASE:
        _must_be_deployed(items, payload)
    elif payload.task is Task.TEARDOWN and released.build == payload.deployment_details.build:
        _must_be_insisted_on(payload, facts)


def _must_be_deployed(items: Items, payload: TaskPayload) -> None:
    item = find(items, payload.prn)
    if item is None or not item.metadata.get(DEPLOYED):
        state = f"it is {item.status}" if item is not None and item.status else "it was never deployed"
        raise ReleasedError(f"the build cannot be released: {state}", where=str(payload.prn), hint="deploy it to the end first")


def _must_be_insisted_on(payload: TaskPayload, facts: Mapping[str, Any]) -> None:
    if not payload.options.force:
        raise ReleasedError(
            "this is the released build of the branch, it is not torn down",
            where=str(payload.prn),
            hint="release another build first, or insist on it: --force (Options.Force)",
        )
    allowed = approvers(facts)
    if allowed and (payload.requested_by or "").casefold() not in allowed:
        raise ReleasedError(
            f"{payload.requested_by or 'nobody'} may not tear down the released build",
            where=str(payload.prn),
            hint=f"the portfolio's Approvers may: {', '.join(sorted(allowed))}",
        )


def approvers(facts: Mapping[str, Any]) -> set[str]:
    """Names and e-mail addresses of the approvers, in lower case."""
    found: set[str] = set()
    for entry in facts.get(APPROVERS) or ():
        if isinstance(entry, Mapping):
            found.update(str(value).casefold() for key, value in entry.items() if str(key).lower() in _WHO and value)
        else:
            found.add(str(entry).casefold())
    return found
