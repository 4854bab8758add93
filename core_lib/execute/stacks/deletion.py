"""Deleting a stack in rounds: as a whole first, and after a failure again, leaving behind what could not be deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError

from core_lib.execute.stacks.live import error_text
from core_lib.execute.stacks.resources import stack_resources


@dataclass(frozen=True)
class Deletion:
    """One request to delete: its number from 0, the logical ids it leaves behind, whether CloudFormation forces it.

    `left` tells the resources behind these ids, for people.
    """

    number: int = 0
    retain: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    forced: bool = False

    @classmethod
    def of(cls, scratch: Mapping[str, Any]) -> Deletion:
        """The request that a scratch remembers; that of somebody else's deletion is a plain one."""
        retain, left = tuple(scratch.get("retain", ())), tuple(scratch.get("left", ()))
        return cls(int(scratch.get("round", 0)), retain, left, bool(scratch.get("forced")))

    def as_scratch(self) -> dict[str, Any]:
        """What has to be remembered of it."""
        return {"round": self.number, "retain": list(self.retain), "left": list(self.left), "forced": self.forced}


def request_deletion(client: Any, stack_id: str, deletion: Deletion, token: str, role_arn: str | None) -> None:
    """Ask CloudFormation. Asking again with the same token changes nothing."""
    arguments: dict[str, Any] = {"StackName": stack_id, "ClientRequestToken": token}
    if role_arn:
        arguments["RoleARN"] = role_arn
    if deletion.forced:
        arguments["DeletionMode"] = "FORCE_DELETE_STACK"
    elif deletion.retain:
        arguments["RetainResources"] = list(deletion.retain)
    try:
        client.delete_stack(**arguments)
    except ClientError as error:
        if error_text(error)[0] != "TokenAlreadyExistsException":
            raise


def what_to_retain(
    client: Any, stack_id: str, last: Deletion, named: Iterable[str], policy: Literal["fail", "retain", "force"]
) -> Deletion | None:
    """The next request after `last` failed; None when there is nothing more that may be tried.

    Resources that the user named are left behind first. With `retain`, exactly those follow that CloudFormation could not delete;
    as each of them may keep others from being deleted, there may be several rounds.
    """
    present = {resource.logical_id: resource for resource in stack_resources(client, stack_id) if not resource.gone}
    stuck = {name for name, resource in present.items() if resource.status == "DELETE_FAILED"}
    allowed = set(named) & set(present) | (stuck if policy == "retain" else set())
    retain = tuple(sorted(set(last.retain) & set(present) | allowed))
    if not last.forced and set(retain) - set(last.retain):
        return Deletion(last.number + 1, retain, tuple(str(present[name]) for name in retain))
    if policy == "force" and not last.forced:
        return Deletion(last.number + 1, (), tuple(str(present[name]) for name in sorted(stuck)), forced=True)
    return None
