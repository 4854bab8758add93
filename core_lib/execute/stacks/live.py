"""A stack as CloudFormation describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError


@dataclass(frozen=True)
class LiveStack:
    """One stack. `updated` is its last update (or creation) as CloudFormation tells it, in text.

    `follows_ssm`: a parameter takes its value from the SSM parameter store, so the stack may have to change although nothing of
    ours did.
    """

    name: str
    id: str
    status: str
    reason: str | None = None
    updated: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    protected: bool = False
    change_set_id: str | None = None
    role_arn: str | None = None
    follows_ssm: bool = False
    exports: frozenset[str] = frozenset()


def read_stack(answer: Mapping[str, Any]) -> LiveStack:
    """A stack from an element of DescribeStacks."""
    parameters = answer.get("Parameters", [])
    return LiveStack(
        name=answer["StackName"],
        id=answer.get("StackId", ""),
        status=answer["StackStatus"],
        reason=answer.get("StackStatusReason"),
        updated=_text(answer.get("LastUpdatedTime") or answer.get("CreationTime")),
        parameters={item["ParameterKey"]: item.get("ParameterValue", "") for item in parameters},
        tags={item["Key"]: item.get("Value", "") for item in answer.get("Tags", [])},
        outputs={item["OutputKey"]: item.get("OutputValue", "") for item in answer.get("Outputs", [])},
        protected=bool(answer.get("EnableTerminationProtection")),
        change_set_id=answer.get("ChangeSetId"),
        role_arn=answer.get("RoleARN"),
        exports=frozenset(item["ExportName"] for item in answer.get("Outputs", []) if item.get("ExportName")),
        follows_ssm=any(item.get("ResolvedValue") is not None for item in parameters),
    )


def describe_stack(client: Any, name: str) -> LiveStack | None:
    """The stack of this name or id as it is now; None when there is none (a deleted one is none)."""
    try:
        answer = client.describe_stacks(StackName=name)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    found = answer["Stacks"][0]
    return None if found["StackStatus"] == "DELETE_COMPLETE" else read_stack(found)


def is_missing(error: ClientError) -> bool:
    """Whether CloudFormation says that the stack (or change set) does not exist."""
    details = error.response.get("Error", {})
    code, message = details.get("Code", ""), details.get("Message", "")
    return code in ("ChangeSetNotFound", "ChangeSetNotFoundException", "StackNotFoundException") or (
        code == "ValidationError" and "does not exist" in message
    )


def error_text(error: ClientError) -> tuple[str, str]:
    """Code and message of a botocore error."""
    details = error.response.get("Error", {})
    return str(details.get("Code", "")), str(details.get("Message", ""))


def _text(value: datetime | str | None) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else value
