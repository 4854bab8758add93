"""What the status of a stack means for an action that wants to change it."""

from __future__ import annotations

from enum import Enum

from core_lib.execute.stacks.live import LiveStack

GOOD = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
_UPDATABLE = GOOD | {"UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE", "UPDATE_FAILED"}

STUCK_HINTS = {
    "DELETE_FAILED": "a deletion of this stack failed: see its events, then delete it (RetainResources leaves resources behind)",
    "UPDATE_ROLLBACK_FAILED": "continue the rollback in CloudFormation (ContinueUpdateRollback), skipping what cannot come back",
    "ROLLBACK_FAILED": "its creation failed and left resources: delete the stack, retaining what cannot be deleted",
    "CREATE_FAILED": "its creation failed and its resources were kept for inspection: delete the stack when you have seen enough",
    "IMPORT_ROLLBACK_FAILED": "an import failed: continue or repair its rollback in CloudFormation",
}
"""What a person has to do about a stack that no change set can help."""


class Condition(Enum):
    """What can be done with a stack."""

    ABSENT = "absent"
    UPDATABLE = "updatable"
    NEVER_LIVED = "never lived"
    BUSY = "busy"
    STUCK = "stuck"


def condition(stack: LiveStack | None) -> Condition:
    """What can be done with a stack. One that was only ever reviewed (REVIEW_IN_PROGRESS) counts as absent."""
    if stack is None or stack.status in ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE"):
        return Condition.ABSENT
    if stack.status in _UPDATABLE:
        return Condition.UPDATABLE
    if stack.status == "ROLLBACK_COMPLETE":
        return Condition.NEVER_LIVED
    return Condition.BUSY if stack.status.endswith("_IN_PROGRESS") else Condition.STUCK


def exists(stack: LiveStack | None) -> bool:
    """Whether the stack has (or had) resources."""
    return condition(stack) is not Condition.ABSENT
