"""The resources of a stack, from its paged listing and its events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from core_lib.execute.stacks.live import is_missing

NESTED = "AWS::CloudFormation::Stack"
_GONE = ("DELETE_COMPLETE", "DELETE_SKIPPED")


@dataclass(frozen=True)
class StackResource:
    """One resource as CloudFormation lists it."""

    logical_id: str
    resource_type: str
    status: str
    physical_id: str | None = None

    @property
    def gone(self) -> bool:
        """It is no longer in the stack."""
        return self.status in _GONE

    def __str__(self) -> str:
        return f"{self.logical_id} ({self.resource_type}{f' {self.physical_id}' if self.physical_id else ''})"


def stack_resources(client: Any, stack: str) -> Iterator[StackResource]:
    """All resources of a stack, page after page; none when there is no such stack."""
    try:
        for page in client.get_paginator("list_stack_resources").paginate(StackName=stack):
            for found in page["StackResourceSummaries"]:
                yield _read(found)
    except ClientError as error:
        if not is_missing(error):
            raise


def operation_began(client: Any, stack_id: str, token: str) -> bool:
    """Whether the newest operation on a stack is the one that was asked for with this request token.

    Only the first page of events is read: an operation that has only just begun is there.
    """
    try:
        events = client.describe_stack_events(StackName=stack_id)["StackEvents"]
    except ClientError as error:
        if is_missing(error):
            return False
        raise
    own = (event for event in events if event.get("PhysicalResourceId") == stack_id)
    return next((event.get("ClientRequestToken") == token for event in own), False)


def _read(found: Mapping[str, Any]) -> StackResource:
    return StackResource(
        found["LogicalResourceId"], found["ResourceType"], found["ResourceStatus"], found.get("PhysicalResourceId")
    )
