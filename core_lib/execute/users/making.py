"""Making a user, marked with the action that makes it."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from core_lib.execute.action import ActionContext, token_for
from core_lib.execute.users.live import LiveUser, read_user
from core_lib.execute.users.parameters import MARK, UserParams

Context = ActionContext[UserParams]


def mark_of(ctx: Context) -> str:
    """What is written on the users an action makes: the same in all of its attempts."""
    return token_for(ctx.run_id, ctx.action_id, 1, "user")


def create_user(iam: Any, ctx: Context, name: str) -> LiveUser:
    """Make a user with our mark; somebody else who was quicker is fine."""
    tags = {**ctx.params.tags, MARK: mark_of(ctx)}
    arguments: dict[str, Any] = {
        "UserName": name, "Path": ctx.params.path, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }  # fmt: skip
    if ctx.params.permissions_boundary:
        arguments["PermissionsBoundary"] = ctx.params.permissions_boundary
    try:
        made = iam.create_user(**arguments)["User"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "EntityAlreadyExists" and (found := read_user(iam, name)) is not None:
            return found
        raise
    return LiveUser(name, made["Arn"], ctx.params.permissions_boundary, tags)
