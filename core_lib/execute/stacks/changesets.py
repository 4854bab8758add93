"""Change sets: made or found again, read in full, deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from core_lib.execute.stacks.live import describe_stack, error_text, is_missing
from core_lib.framework.models import PropertyChange, ResourceChange

_EMPTY = ("didn't contain changes", "did not contain changes", "no updates are to be performed", "no changes")
_EXECUTED = ("EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE", "EXECUTE_FAILED")


@dataclass(frozen=True)
class ChangeSet:
    """A change set as CloudFormation describes it."""

    id: str
    name: str
    stack_id: str
    status: str
    execution_status: str
    reason: str
    changes: tuple[ResourceChange, ...] = ()

    @property
    def pending(self) -> bool:
        """CloudFormation is still working it out."""
        return self.status in ("CREATE_PENDING", "CREATE_IN_PROGRESS")

    @property
    def empty(self) -> bool:
        """It failed because there is nothing to change."""
        return self.status == "FAILED" and any(words in self.reason.lower() for words in _EMPTY)

    @property
    def executed(self) -> bool:
        """Somebody executed it."""
        return self.execution_status in _EXECUTED

    @property
    def executable(self) -> bool:
        """It can be executed now."""
        return self.status == "CREATE_COMPLETE" and self.execution_status == "AVAILABLE"


def find_change_set(client: Any, stack: str, name: str, *, values: bool = False) -> ChangeSet | None:
    """The change set with all its changes; None when there is none. `values`: with property values, where they are reported."""
    arguments: dict[str, Any] = {"StackName": stack, "ChangeSetName": name}
    if values:
        arguments["IncludePropertyValues"] = True
    changes: list[ResourceChange] = []
    while True:
        try:
            answer = client.describe_change_set(**arguments)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        changes += _changes(answer.get("Changes", ()))
        if not answer.get("NextToken"):
            break
        arguments["NextToken"] = answer["NextToken"]
    return ChangeSet(
        id=answer["ChangeSetId"], name=answer["ChangeSetName"], stack_id=answer.get("StackId", ""), status=answer["Status"],
        execution_status=answer.get("ExecutionStatus", "UNAVAILABLE"), reason=answer.get("StatusReason") or "",
        changes=tuple(changes),
    )  # fmt: skip


def delete_change_set(client: Any, stack: str, name: str) -> bool:
    """Delete a change set; False when there was none."""
    try:
        client.delete_change_set(StackName=stack, ChangeSetName=name)
    except ClientError as error:
        if is_missing(error):
            return False
        raise
    return True


def delete_shell(client: Any, stack: str) -> None:
    """Delete a stack that is only the empty shell of a change set: never created, and no other change set in it."""
    found = describe_stack(client, stack)
    if found is None or found.status != "REVIEW_IN_PROGRESS":
        return
    try:
        if not client.list_change_sets(StackName=stack).get("Summaries"):
            client.delete_stack(StackName=found.id)
    except ClientError as error:
        if not is_missing(error):
            raise


def already_exists(error: ClientError) -> bool:
    """Whether CloudFormation says that the change set (or the stack) is already there."""
    code, message = error_text(error)
    return code == "AlreadyExistsException" or "already exists" in message


def _changes(answers: Iterable[Mapping[str, Any]]) -> Iterable[ResourceChange]:
    for answer in answers:
        change = answer.get("ResourceChange")
        if change:
            yield ResourceChange(
                action=change["Action"], logical_id=change["LogicalResourceId"], resource_type=change["ResourceType"],
                physical_id=change.get("PhysicalResourceId"), replacement=change.get("Replacement"),
                properties=tuple(_properties(change.get("Details", ()))),
            )  # fmt: skip


_RECREATION_RANK = {"Never": 0, "Conditionally": 1, "Always": 2}


def _properties(details: Iterable[Mapping[str, Any]]) -> Iterable[PropertyChange]:
    """One entry per property; CloudFormation names a property once per reason why it changes."""
    found: dict[str, PropertyChange] = {}
    for detail in details:
        target = detail.get("Target", {})
        path = target.get("Path") or ".".join(part for part in (target.get("Attribute"), target.get("Name")) if part)
        change = PropertyChange(
            path=path, before=target.get("BeforeValue"), after=target.get("AfterValue"),
            recreation=target.get("RequiresRecreation", "Never"),
        )  # fmt: skip
        known = found.get(path)
        if known is None or _RECREATION_RANK[change.recreation] > _RECREATION_RANK[known.recreation]:
            found[path] = change
    return found.values()
