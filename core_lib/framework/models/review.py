"""What a change set would do to a stack, as the plan recorded it and as apply checks it again."""

from __future__ import annotations

from typing import Any, Literal

from core_lib.framework.models.base import Message


class PropertyChange(Message):
    """One property of a resource that would change. Values are there when CloudFormation reports them."""

    path: str
    before: Any = None
    after: Any = None
    recreation: Literal["Never", "Conditionally", "Always"] = "Never"


class ResourceChange(Message):
    """One resource that would change, in CloudFormation's own words for action and replacement."""

    action: Literal["Add", "Modify", "Remove", "Import", "Dynamic", "SyncWithActual"]
    logical_id: str
    resource_type: str
    physical_id: str | None = None
    replacement: Literal["True", "False", "Conditional"] | None = None
    properties: tuple[PropertyChange, ...] = ()


class StackReview(Message):
    """The reviewed change of one stack, and the state of the world it was computed against.

    `deferred`: the parameters depend on outputs that do not exist yet, so the change is known only during apply.
    The plan's action stores it in the ledger as `outputs["Review"]`; apply refuses when the world moved away from it.
    """

    stack_name: str
    outcome: Literal["create", "update", "delete", "unchanged", "deferred"]
    changes: tuple[ResourceChange, ...] = ()
    change_set_name: str | None = None
    change_set_id: str | None = None
    stack_id: str | None = None
    stack_status: str | None = None
    last_updated: str | None = None
    fingerprint: str | None = None
    reason: str | None = None
