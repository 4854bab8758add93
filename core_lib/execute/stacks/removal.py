"""Removing what a failed first creation leaves behind. CloudFormation can do nothing else with such a stack."""

from __future__ import annotations

from typing import Any

from core_lib.execute.stacks.live import LiveStack
from core_lib.framework.errors import AwsError

_GONE = ("DELETE_COMPLETE", "DELETE_SKIPPED")


class RemovalRefusedError(AwsError):
    """The stack still has resources; deleting it is a person's decision."""


def remove_failed_creation(client: Any, stack: LiveStack, token: str) -> None:
    """Begin to delete a stack that is ROLLBACK_COMPLETE. Raises RemovalRefusedError when resources are left in it."""
    pages = client.get_paginator("list_stack_resources").paginate(StackName=stack.id)
    left = [
        f"{resource['LogicalResourceId']} ({resource['ResourceStatus']})"
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceStatus"] not in _GONE
    ]
    if left:
        raise RemovalRefusedError(
            f"the stack is {stack.status} and still has resources: {', '.join(left[:5])}",
            where=stack.name,
            hint="delete the stack yourself when nothing in it is needed",
        )
    if stack.protected:
        client.update_termination_protection(StackName=stack.name, EnableTerminationProtection=False)
    client.delete_stack(StackName=stack.id, ClientRequestToken=token)
