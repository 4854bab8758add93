"""Parameters that all stack actions share, and what follows from them: the request to CloudFormation and its fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, field_validator

from core_lib.execute.action import ActionContext
from core_lib.framework.errors import AwsError
from core_lib.framework.models import Message

LARGEST_BODY = 51_200
"""Bytes of a template that may travel inside a request; larger ones are read by CloudFormation from S3."""

STACK_NAME = r"^[A-Za-z][A-Za-z0-9-]{0,127}$"
ROLE_ARN = r"^arn:\S+$"


Capability = Literal["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


class StackParams(Message):
    """A stack as it should be."""

    stack_name: str = Field(pattern=STACK_NAME, description="Name of the stack")
    template: str = Field(min_length=1, description="Template, as a path in the package")
    parameters: dict[str, Any] = Field(default_factory=dict, description="Template parameters; lists are joined with commas")
    keep_parameters: tuple[str, ...] = Field(
        default=(), description="Template parameters that keep the value the stack has (UsePreviousValue), such as secrets"
    )
    tags: dict[str, str] = Field(default_factory=dict, description="Tags of the stack and all it creates")
    capabilities: tuple[Capability, ...] = Field(
        default=("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"), description="Acknowledged capabilities"
    )
    stack_policy: dict[str, Any] | str | None = Field(default=None, description="Stack policy: inline, or a path in the package")
    termination_protection: bool | None = Field(default=None, description="Switch termination protection on or off")
    role_arn: str | None = Field(default=None, pattern=ROLE_ARN, description="Service role that CloudFormation works with")
    on_failure: Literal["ROLLBACK", "DO_NOTHING", "DELETE"] | None = Field(
        default=None, description="What CloudFormation does when the creation fails"
    )
    timeout_minutes: int | None = Field(default=None, ge=1, description="An operation that takes longer is stopped")
    change_set_name: str | None = Field(
        default=None, pattern=r"^[A-Za-z][A-Za-z0-9-]{0,127}$", description="Name of the change set, if somebody must find it"
    )

    @field_validator("capabilities", mode="before")
    @classmethod
    def _full_names(cls, value: Any) -> Any:
        items = (value,) if isinstance(value, str) else value
        if not isinstance(items, (list, tuple)):
            return value
        return tuple(item if str(item).startswith("CAPABILITY_") else f"CAPABILITY_{item}" for item in items)

    @field_validator("tags", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        return {key: text(item) for key, item in value.items()} if isinstance(value, dict) else value


def text(value: Any) -> str:
    """A parameter or tag value as CloudFormation takes it: true/false, lists joined with commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(text(item) for item in value)
    if isinstance(value, Mapping):
        return json.dumps(value, sort_keys=True)
    return str(value)


@dataclass(frozen=True)
class Wanted:
    """What is asked for, ready for CloudFormation. `fingerprint` is the same exactly when the same is asked for again."""

    params: StackParams
    parameters: Mapping[str, str]
    policy: str | None
    fingerprint: str

    @property
    def name(self) -> str:
        """The stack's name."""
        return self.params.stack_name


def wanted(ctx: ActionContext[StackParams]) -> Wanted:
    """What the parameters of an action ask for. A parameter without a value (null) falls back to the template's default."""
    params = ctx.params
    values = {name: text(value) for name, value in params.parameters.items() if value is not None}
    policy = _policy(ctx)
    body: dict[str, Any] = {
        "template": ctx.file_sha256(params.template),
        "parameters": values,
        "tags": params.tags,
        "policy": policy,
        "protection": params.termination_protection,
        "role": params.role_arn,
    }
    if params.keep_parameters:
        body["kept"] = sorted(params.keep_parameters)
    fingerprint = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return Wanted(params, values, policy, fingerprint)


def change_set_request(
    ctx: ActionContext[StackParams], want: Wanted, name: str, kind: Literal["CREATE", "UPDATE"]
) -> dict[str, Any]:
    """Arguments for CreateChangeSet."""
    params = want.params
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in sorted(want.parameters.items())]
    kept = [{"ParameterKey": key, "UsePreviousValue": True} for key in params.keep_parameters if key not in want.parameters]
    request: dict[str, Any] = {
        "StackName": params.stack_name,
        "ChangeSetName": name,
        "ChangeSetType": kind,
        "Description": f"run {ctx.run_id}"[:1024],
        "Parameters": given + kept,
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(params.tags.items())],
        "Capabilities": list(params.capabilities),
        **template_source(ctx, params.template),
    }
    if params.role_arn:
        request["RoleARN"] = params.role_arn
    if params.on_failure and kind == "CREATE":
        request["OnStackFailure"] = params.on_failure
    return request


def template_source(ctx: ActionContext[Any], path: str) -> dict[str, str]:
    """The template argument of a request: the text itself, or its URL when it is too long. Raises AwsError when it has none."""
    body = ctx.files(path)
    if len(body) <= LARGEST_BODY:
        return {"TemplateBody": body.decode("utf-8")}
    url = ctx.file_url(path)
    if not url.startswith("http"):
        raise AwsError(
            f"{path} has {len(body)} bytes, more than the {LARGEST_BODY} that fit into a request",
            where=ctx.where,
            hint="keep artefacts in S3 (setting artefacts.location), where CloudFormation can read them",
        )
    return {"TemplateURL": url}


def _policy(ctx: ActionContext[StackParams]) -> str | None:
    given = ctx.params.stack_policy
    if given is None:
        return None
    if isinstance(given, str) and not given.lstrip().startswith("{"):
        given = ctx.files(given).decode("utf-8")
    document = json.loads(given) if isinstance(given, str) else given
    return json.dumps(document, sort_keys=True, separators=(",", ":"))
