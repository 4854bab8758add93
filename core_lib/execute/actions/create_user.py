"""AWS::CreateUser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.steps import Again, Done, Step
from core_lib.execute.users.live import LiveUser, read_user
from core_lib.execute.users.making import create_user, mark_of
from core_lib.execute.users.parameters import UserParams, policy_name, policy_text, role_arns, users_scope
from core_lib.execute.users.removal import PERMISSIONS as REMOVAL
from core_lib.execute.users.removal import delete_user
from core_lib.framework.models import Target

PORTION = 10
"""Users per step."""

Context = ActionContext[UserParams]


class CreateUser(Action[UserParams]):
    """Makes users that are not there yet. A user that is there already stays exactly as it is: PutUser changes users."""

    kind = "AWS::CreateUser"
    purpose = "Makes IAM users that may assume the given roles; users that exist already are left exactly as they are."
    permissions = (
        "iam:GetUser", "iam:ListUserTags", "iam:GetUserPolicy", "iam:CreateUser", "iam:TagUser", "iam:PutUserPolicy", *REMOVAL,
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html"
    Params = UserParams
    outputs: ClassVar[Mapping[str, str]] = {
        "UserArns": "ARN of each user, by name",
        "Created": "names of the users that this action made",
    }
    example: ClassVar[Mapping[str, Any]] = {
        "UserNames": ["deployer"],
        "Roles": ["Deploy", "arn:aws:iam::222222222222:role/ReadOnly"],
        "Path": "/machines/",
        "Tags": {"Owner": "platform"},
    }

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The users by name."""
        return users_scope(params, target, partition)

    def start(self, ctx: Context) -> Step:
        """The next portion of users. Which of them this action made is written on the users themselves."""
        names = ctx.params.user_names
        done = int(ctx.scratch.get("done", 0))
        arns: dict[str, str] = dict(ctx.scratch.get("arns", {}))
        created: list[str] = list(ctx.scratch.get("created", ()))
        for name in names[done : done + PORTION]:
            user = self._ensure(ctx, name)
            arns[name] = user.arn
            created += [name] if user.made_by(mark_of(ctx)) else []
        done += PORTION
        if done < len(names):
            return Again(after=0, scratch={"done": done, "arns": arns, "created": created})
        kept = [name for name in names if name not in created]
        message = f"left as they are: {', '.join(kept)}" if kept else None
        return Done(outputs={"UserArns": arns, "Created": created}, changed=bool(created), message=message)

    def undo(self, ctx: Context) -> Step:
        """Delete the users that this action made, one at a time."""
        iam = ctx.client("iam")
        done = int(ctx.scratch.get("undone", 0))
        removed = int(ctx.scratch.get("removed", 0))
        if done < len(ctx.params.user_names):
            name = ctx.params.user_names[done]
            user = read_user(iam, name)
            if user is not None and user.made_by(mark_of(ctx)):
                removed += delete_user(iam, name)
            return Again(after=0, scratch={**ctx.scratch, "undone": done + 1, "removed": removed})
        return Done(changed=removed > 0, message=None if removed else "this action made no user")

    def _ensure(self, ctx: Context, name: str) -> LiveUser:
        """The user, made if it is not there. A user with our mark may lack its policy: the try that made it was killed."""
        iam = ctx.client("iam")
        user = read_user(iam, name) or create_user(iam, ctx, name)
        arns = role_arns(ctx.params.roles, ctx.target.account, iam.meta.partition)
        if arns and user.policy is None and user.made_by(mark_of(ctx)):
            iam.put_user_policy(UserName=name, PolicyName=policy_name(name), PolicyDocument=policy_text(arns))
        return user
