"""AWS::DeleteUser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import also_called
from core_lib.execute.steps import Again, Done, Step
from core_lib.execute.users.parameters import UserNames, users_scope
from core_lib.execute.users.removal import PERMISSIONS, delete_user
from core_lib.framework.models import Message, Target


class DeleteUserParams(Message):
    """Which users."""

    user_names: UserNames = Field(
        validation_alias=also_called("user_names", "UserName"), description="Names of the users, at most 50"
    )


Context = ActionContext[DeleteUserParams]


class DeleteUser(Action[DeleteUserParams]):
    """Deletes users with everything that hangs on them. There is no way back: keys and passwords cannot be made again."""

    kind = "AWS::DeleteUser"
    purpose = "Deletes IAM users with their keys, certificates, devices, policies and memberships; users that are gone are fine."
    permissions = PERMISSIONS
    source = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_users_remove.html"
    Params = DeleteUserParams
    outputs: ClassVar[Mapping[str, str]] = {"Deleted": "names of the users that were deleted"}
    example: ClassVar[Mapping[str, Any]] = {"UserNames": ["deployer", "old-deployer"]}

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The users by name; of their devices only the path is known."""
        users = users_scope(params, target, partition)
        return {**users, "iam:DeleteVirtualMFADevice": (f"arn:{partition}:iam::{target.account}:mfa/*",)}

    def start(self, ctx: Context) -> Step:
        """One user a step."""
        done = int(ctx.scratch.get("done", 0))
        deleted: list[str] = list(ctx.scratch.get("deleted", ()))
        name = ctx.params.user_names[done]
        if delete_user(ctx.client("iam"), name):
            deleted.append(name)
        done += 1
        if done < len(ctx.params.user_names):
            return Again(after=0, scratch={"done": done, "deleted": deleted})
        return Done(outputs={"Deleted": deleted}, changed=bool(deleted), message=None if deleted else "there are no such users")

    def cancel(self, ctx: Context) -> Step:
        """Stop between two users."""
        return Done(message=f"deleted before that: {', '.join(ctx.scratch.get('deleted', ())) or 'none'}")

    def undo(self, ctx: Context) -> Step:
        """A deleted user cannot be brought back."""
        _ = ctx
        return Done(changed=False, message="a deleted user cannot be brought back: its keys and passwords are gone")
