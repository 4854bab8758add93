"""AWS::PutUser."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.steps import Again, Done, Step
from core_lib.execute.users.live import LiveUser, read_user
from core_lib.execute.users.making import create_user
from core_lib.execute.users.parameters import UserParams, policy_document, policy_name, role_arns, users_scope
from core_lib.execute.users.removal import PERMISSIONS as REMOVAL
from core_lib.execute.users.removal import delete_user
from core_lib.framework.models import Target

Context = ActionContext[UserParams]
Before = Mapping[str, Any]


class PutUser(Action[UserParams]):
    """Makes users what is asked for, whether they are there already or not, and can put them back as they were."""

    kind = "AWS::PutUser"
    purpose = "Makes IAM users exactly what is asked for (roles, boundary, tags), whether they exist already or not."
    permissions = (
        "iam:GetUser", "iam:ListUserTags", "iam:GetUserPolicy", "iam:CreateUser", "iam:TagUser", "iam:UntagUser",
        "iam:PutUserPolicy", "iam:PutUserPermissionsBoundary", "iam:DeleteUserPermissionsBoundary", *REMOVAL,
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html"
    Params = UserParams
    outputs: ClassVar[Mapping[str, str]] = {
        "UserArns": "ARN of each user, by name",
        "Created": "names of the users that were not there before",
    }
    example: ClassVar[Mapping[str, Any]] = {
        "UserNames": "deployer",
        "Roles": ["Deploy"],
        "PermissionsBoundary": "arn:aws:iam::111111111111:policy/Boundary",
        "Tags": {"Owner": "platform"},
    }

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The users by name."""
        return users_scope(params, target, partition)

    def start(self, ctx: Context) -> Step:
        """Remember how all users are before anything is changed."""
        iam = ctx.client("iam")
        policy = _wanted_policy(ctx, iam)
        before = {name: _remembered(read_user(iam, name), ctx.params, policy) for name in ctx.params.user_names}
        return Again(after=0, scratch={"before": before, "done": 0, "arns": {}})

    def check(self, ctx: Context) -> Step:
        """Change one user a step."""
        done, names = int(ctx.scratch["done"]), ctx.params.user_names
        before: Mapping[str, Before] = ctx.scratch["before"]
        if done == len(names):
            created = [name for name in names if not before[name]["exists"]]
            changed = not all(before[name]["right"] for name in names)
            return Done(outputs={"UserArns": dict(ctx.scratch["arns"]), "Created": created}, changed=changed)
        iam = ctx.client("iam")
        user = read_user(iam, names[done]) or create_user(iam, ctx, names[done])
        _put_policy(iam, user, _wanted_policy(ctx, iam))
        _put_boundary(iam, user, ctx.params.permissions_boundary)
        _put_tags(iam, user, ctx.params.tags)
        arns = {**ctx.scratch["arns"], names[done]: user.arn}
        return Again(after=0, scratch={**ctx.scratch, "done": done + 1, "arns": arns})

    def undo(self, ctx: Context) -> Step:
        """Put one user a step back as it was; delete those that were not there."""
        before: Mapping[str, Before] = ctx.scratch["before"]
        changed = [name for name in ctx.params.user_names if not before[name]["right"]]
        done = int(ctx.scratch.get("undone", 0))
        if done == len(changed):
            return Done(changed=bool(changed), message=None if changed else "this action changed no user")
        iam = ctx.client("iam")
        if not before[changed[done]]["exists"]:
            delete_user(iam, changed[done])
        elif (user := read_user(iam, changed[done])) is not None:
            _restore(iam, user, before[changed[done]], ctx.params)
        return Again(after=0, scratch={**ctx.scratch, "undone": done + 1})


def _wanted_policy(ctx: Context, iam: Any) -> Mapping[str, Any] | None:
    arns = role_arns(ctx.params.roles, ctx.target.account, iam.meta.partition)
    return policy_document(arns) if arns else None


def _remembered(user: LiveUser | None, params: UserParams, policy: Mapping[str, Any] | None) -> Before:
    """What undo needs, and whether the user is already what is wanted."""
    if user is None:
        return {"exists": False, "right": False}
    tags = {key: user.tags.get(key) for key in params.tags}
    right = user.policy == policy and user.boundary == params.permissions_boundary and tags == params.tags
    written = json.dumps(user.policy) if user.policy else None
    return {"exists": True, "right": right, "policy": written, "boundary": user.boundary, "tags": tags}


def _restore(iam: Any, user: LiveUser, before: Before, params: UserParams) -> None:
    _put_policy(iam, user, json.loads(before["policy"]) if before["policy"] else None)
    _put_boundary(iam, user, before["boundary"])
    _put_tags(iam, user, {key: value for key, value in before["tags"].items() if value is not None})
    ours = [key for key, value in before["tags"].items() if value is None and user.tags.get(key) == params.tags.get(key)]
    if ours:
        iam.untag_user(UserName=user.name, TagKeys=ours)


def _put_policy(iam: Any, user: LiveUser, document: Mapping[str, Any] | None) -> None:
    if user.policy == document:
        return
    if document is None:
        iam.delete_user_policy(UserName=user.name, PolicyName=policy_name(user.name))
    else:
        text = json.dumps(document, separators=(",", ":"))
        iam.put_user_policy(UserName=user.name, PolicyName=policy_name(user.name), PolicyDocument=text)


def _put_boundary(iam: Any, user: LiveUser, boundary: str | None) -> None:
    if user.boundary == boundary:
        return
    if boundary is None:
        iam.delete_user_permissions_boundary(UserName=user.name)
    else:
        iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=boundary)


def _put_tags(iam: Any, user: LiveUser, tags: Mapping[str, str]) -> None:
    """Other tags than these stay."""
    missing = [{"Key": key, "Value": value} for key, value in tags.items() if user.tags.get(key) != value]
    if missing:
        iam.tag_user(UserName=user.name, Tags=missing)
