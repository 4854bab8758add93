"""What keeps a stack in UPDATE_ROLLBACK_FAILED: the resources whose own rollback failed, and nothing beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core_lib.execute.stacks.reasons import is_noise, is_stack_itself, latest_operation
from core_lib.execute.stacks.resources import NESTED

ROLLBACK = frozenset({"UPDATE_ROLLBACK_IN_PROGRESS"})
DEEPEST = 8


@dataclass(frozen=True)
class Blocker:
    """One resource that cannot be rolled back. `name` is what `ResourcesToSkip` takes: `Logical`, or `ChildStackName.Logical`."""

    name: str
    resource_type: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} ({self.resource_type}): {self.reason or 'no reason given'}"


def blockers(client: Any, stack_id: str) -> list[Blocker]:
    """The smallest set that has to be skipped for this rollback to end, as the latest try to roll back shows it.

    Only resources whose last word is UPDATE_FAILED count: not those that failed in the update itself, not those that were
    only cancelled, and for a nested stack those inside it instead of the nest.
    """
    return list(_inside(client, stack_id, "", 0))


def _inside(client: Any, stack_id: str, prefix: str, depth: int) -> Iterator[Blocker]:
    for event in _last_words(client, stack_id).values():
        reason = event.get("ResourceStatusReason") or ""
        if event["ResourceStatus"] != "UPDATE_FAILED" or is_noise(reason):
            continue
        child = event.get("PhysicalResourceId") or ""
        if event["ResourceType"] == NESTED and child and depth < DEEPEST:
            inner = list(_inside(client, child, f"{_stack_name(child)}.", depth + 1))
            if inner:
                yield from inner
                continue
        yield Blocker(f"{prefix}{event['LogicalResourceId']}", event["ResourceType"], reason)


def _last_words(client: Any, stack_id: str) -> dict[str, Mapping[str, Any]]:
    """The newest event of every resource within the latest rollback, by logical id, the oldest first."""
    newest: dict[str, Mapping[str, Any]] = {}
    for event in latest_operation(client, stack_id, ROLLBACK):
        if not is_stack_itself(event):
            newest.setdefault(event["LogicalResourceId"], event)
    return dict(reversed(newest.items()))


def _stack_name(stack_id: str) -> str:
    """`child` of `arn:aws:cloudformation:eu-west-1:111111111111:stack/child/7b0c...`."""
    return stack_id.split("/")[1] if "/" in stack_id else stack_id
