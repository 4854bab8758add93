"""What a stack that is stuck failed of, and the change sets that wait in it."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from core_lib.execute.stacks.blocking import blockers
from core_lib.execute.stacks.live import is_missing
from core_lib.execute.stacks.reasons import DELETE, DEPLOY, failure_reasons

MOST_CAUSES = 5


def failure_causes(client: Any, stack_id: str, status: str) -> tuple[str, ...]:
    """The first causes of the stack's last failure, as texts; for a failed rollback what blocks it."""
    if status == "UPDATE_ROLLBACK_FAILED":
        return tuple(str(each) for each in blockers(client, stack_id)[:MOST_CAUSES])
    begins = DELETE if status == "DELETE_FAILED" else DEPLOY
    return tuple(str(each) for each in failure_reasons(client, stack_id, begins)[:MOST_CAUSES])


def stack_changes_waiting(client: Any, stack: str, status: str) -> tuple[str, ...]:
    """Names of the change sets of a (named) stack that nobody executed, failed ones included; none for a stack that is broken."""
    if status != "REVIEW_IN_PROGRESS" and not status.endswith("_COMPLETE"):
        return ()
    names: list[str] = []
    try:
        for page in client.get_paginator("list_change_sets").paginate(StackName=stack):
            names += [each["ChangeSetName"] for each in page["Summaries"] if each.get("ExecutionStatus") != "EXECUTE_COMPLETE"]
    except ClientError as error:
        if not is_missing(error):
            raise
    return tuple(names)
