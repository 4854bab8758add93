"""Why a stack operation failed: read from its events, the first causes first, without the noise that follows from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from core_lib.execute.stacks.live import is_missing

DEPLOY = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "IMPORT_IN_PROGRESS"})
DELETE = frozenset({"DELETE_IN_PROGRESS"})
_NOISE = (
    "resource creation cancelled", "resource update cancelled", "resource deletion cancelled", "the following resource(s) failed",
)  # fmt: skip
_NESTED = "AWS::CloudFormation::Stack"
DEEPEST = 4
MOST_SHOWN = 5


@dataclass(frozen=True)
class Reason:
    """One resource that failed."""

    logical_id: str
    resource_type: str
    status: str
    reason: str

    def __str__(self) -> str:
        return f"{self.logical_id} ({self.resource_type}) {self.status}: {self.reason or 'no reason given'}"


def failure_reasons(client: Any, stack: str, begins: frozenset[str] = DEPLOY, *, depth: int = 0) -> list[Reason]:
    """The resources that failed in the stack's latest operation, oldest first; those of nested stacks in place of the nest.

    `stack` is best an id: the events of a deleted stack are found only by its id. `begins`: the stack statuses that the operation
    begins with. An empty list when there are no events.
    """
    events = list(latest_operation(client, stack, begins))
    events.reverse()
    reasons: list[Reason] = []
    for event in events:
        if not event["ResourceStatus"].endswith("_FAILED") or is_stack_itself(event):
            continue
        text = event.get("ResourceStatusReason") or ""
        if is_noise(text):
            continue
        inner: list[Reason] = []
        if event["ResourceType"] == _NESTED and event.get("PhysicalResourceId") and depth < DEEPEST:
            inner = failure_reasons(client, event["PhysicalResourceId"], begins, depth=depth + 1)
        own = Reason(event["LogicalResourceId"], event["ResourceType"], event["ResourceStatus"], text)
        reasons += [Reason(f"{own.logical_id}.{r.logical_id}", r.resource_type, r.status, r.reason) for r in inner] or [own]
    return reasons


def explain(reasons: list[Reason], otherwise: str | None) -> str:
    """One text for people: the first causes, and how many more there are."""
    if not reasons:
        return otherwise or "CloudFormation gave no reason"
    more = f"; and {len(reasons) - MOST_SHOWN} more" if len(reasons) > MOST_SHOWN else ""
    return "; ".join(str(reason) for reason in reasons[:MOST_SHOWN]) + more


def latest_operation(client: Any, stack: str, begins: frozenset[str]) -> Iterator[Mapping[str, Any]]:
    """Events of the latest operation, newest first, down to the event that began it. A rollback belongs to its operation."""
    arguments = {"StackName": stack}
    while True:
        try:
            page = client.describe_stack_events(**arguments)
        except ClientError as error:
            if is_missing(error):
                return
            raise
        for event in page["StackEvents"]:
            yield event
            if is_stack_itself(event) and event["ResourceStatus"] in begins:
                return
        if not page.get("NextToken"):
            return
        arguments["NextToken"] = page["NextToken"]


def is_noise(reason: str) -> bool:
    """Whether a failure only follows from another one."""
    return any(noise in reason.lower() for noise in _NOISE)


def is_stack_itself(event: Mapping[str, Any]) -> bool:
    """Whether an event is about the stack as a whole."""
    return bool(event["ResourceType"] == _NESTED and event.get("PhysicalResourceId") == event["StackId"])
