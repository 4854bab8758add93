"""The parameters of AWS::CreateUser and AWS::PutUser, and what they mean in an account."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from core_lib.execute.fields import Tags, Texts, also_called, names_in_arn, one_or_many
from core_lib.framework.models import Message, Target

USER_NAME = r"^[A-Za-z0-9+=,.@_-]{1,64}$"
MARK = "core:made-by"
"""Tag on a user that names the action which made it: so a second try, and undo, know it again."""

UserNames = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=USER_NAME)], ...],
    BeforeValidator(one_or_many),
    Field(min_length=1, max_length=50),
]


class UserParams(Message):
    """Which users, and what they may become."""

    user_names: UserNames = Field(
        validation_alias=also_called("user_names", "UserName"), description="Names of the users, at most 50"
    )
    roles: Texts = Field(
        default=(), description="Names (in this account) or ARNs of roles that the users may assume; none = no policy"
    )
    path: str = Field(default="/", pattern=r"^/([\x21-\x7e]+/)?$", description="Path of new users; it never changes later")
    permissions_boundary: str | None = Field(default=None, description="ARN of the policy that bounds what the users may do")
    tags: Tags = Field(default_factory=dict, max_length=49, description="Tags of the users")


def policy_name(user: str) -> str:
    """Name of the inline policy with the roles of a user."""
    return f"{user}-AssumeRoles-Policy"


def role_arns(roles: tuple[str, ...], account: str, partition: str) -> list[str]:
    """ARNs of roles, in a fixed order."""
    own = f"arn:{partition}:iam::{account}:role/"
    return sorted({role if role.startswith("arn:") else own + role.lstrip("/") for role in roles})


def policy_document(arns: list[str]) -> dict[str, Any]:
    """A policy that allows to assume these roles and nothing else."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": arns}]}


def policy_text(arns: list[str]) -> str:
    """The policy as IAM takes it."""
    return json.dumps(policy_document(arns), separators=(",", ":"))


def users_scope(params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
    """All calls are about the users themselves, in whatever path they lie."""
    names = names_in_arn(params, "UserNames")
    arn = f"arn:{partition}:iam::{target.account}:user/"
    return {"iam:*": tuple(text for name in names for text in (f"{arn}{name}", f"{arn}*/{name}"))}
