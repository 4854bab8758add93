"""Drift: where the world is no longer what the template says."""

from __future__ import annotations

from typing import Literal

from core_lib.framework.models.base import Message

DriftStatus = Literal["DRIFTED", "IN_SYNC", "UNKNOWN", "NOT_CHECKED", "DELETED"]
"""CloudFormation's words for a stack, and `DELETED` for one that somebody deleted as a whole."""


class PropertyDrift(Message):
    """One property that differs. `path` is a JSON pointer; `kind` tells whether it was added, removed or changed.

    Values are cut short, and masked where they look like a secret.
    """

    path: str
    kind: Literal["ADD", "REMOVE", "NOT_EQUAL"]
    expected: str | None = None
    actual: str | None = None


class ResourceDrift(Message):
    """One resource that differs. `stack` is the path of nested logical ids below the stack that was looked at, '' for itself."""

    logical_id: str
    resource_type: str
    status: Literal["MODIFIED", "DELETED"]
    physical_id: str | None = None
    stack: str = ""
    properties: tuple[PropertyDrift, ...] = ()


class StackDrift(Message):
    """What a look for drift found about a stack and all that is nested in it. `reason` tells why something was not checked."""

    stack_name: str
    status: DriftStatus
    stack_id: str | None = None
    checked_stacks: int = 0
    reason: str | None = None
    resources: tuple[ResourceDrift, ...] = ()
