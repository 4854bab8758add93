"""A user as it is in IAM, as far as the platform sets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from core_lib.execute.users.parameters import MARK, policy_name

MISSING = "NoSuchEntity"


@dataclass(frozen=True)
class LiveUser:
    """What is there. `policy` is the inline policy with the roles, as a document."""

    name: str
    arn: str
    boundary: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: Mapping[str, Any] | None = None

    def made_by(self, mark: str) -> bool:
        """Whether the action with this mark made it."""
        return self.tags.get(MARK) == mark


def read_user(iam: Any, name: str) -> LiveUser | None:
    """The user, or None when there is none."""
    try:
        found = iam.get_user(UserName=name)["User"]
        tags = [tag for page in iam.get_paginator("list_user_tags").paginate(UserName=name) for tag in page["Tags"]]
        boundary = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return LiveUser(name, found["Arn"], boundary, {tag["Key"]: tag["Value"] for tag in tags}, _policy(iam, name))
    except ClientError as error:
        if is_missing(error):
            return None
        raise


def is_missing(error: ClientError) -> bool:
    """Whether IAM says that there is no such thing."""
    return str(error.response.get("Error", {}).get("Code")) == MISSING


def _policy(iam: Any, name: str) -> Mapping[str, Any] | None:
    try:
        document: Mapping[str, Any] = iam.get_user_policy(UserName=name, PolicyName=policy_name(name))["PolicyDocument"]
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return document
