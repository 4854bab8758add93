"""AWS::PutParameter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from botocore.exceptions import ClientError
from pydantic import Field, model_validator

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import Tags, name_in_arn
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.execute.web.secrets import PERMISSIONS as SECRETS
from core_lib.execute.web.secrets import SecretReference, read_secret, secrets_scope
from core_lib.framework.models import Message, Target


class PutParameterParams(Message):
    """Which parameter, and what is in it."""

    name: str = Field(pattern=r"^/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", max_length=1011, description="Name of the parameter")
    value: str | tuple[str, ...] | None = Field(default=None, description="Its value; a list for a StringList")
    value_from: SecretReference | None = Field(
        default=None, description="Where the value lies that a SecureString gets: resolve:secretsmanager:NAME:SecretString:KEY"
    )
    type: Literal["String", "StringList", "SecureString"] = Field(default="String", description="Type of the parameter")
    description: str | None = Field(default=None, max_length=1024, description="What it is for")
    key_id: str | None = Field(default=None, description="KMS key of a SecureString; default: the account's own key for SSM")
    tier: Literal["Standard", "Advanced", "Intelligent-Tiering"] | None = Field(default=None, description="Tier")
    data_type: Literal["text", "aws:ec2:image", "aws:ssm:integration"] | None = Field(default=None, description="What SSM checks")
    allowed_pattern: str | None = Field(default=None, max_length=1024, description="Pattern the value must have")
    tags: Tags = Field(default_factory=dict, max_length=50, description="Tags; others stay")

    @model_validator(mode="after")
    def _one_value(self) -> PutParameterParams:
        if (self.value is None) == (self.value_from is None):
            raise ValueError("give either Value or ValueFrom")
        if self.value_from is not None and self.type != "SecureString":
            raise ValueError("a secret (ValueFrom) belongs into a SecureString")
        if isinstance(self.value, tuple) and self.type != "StringList":
            raise ValueError("a list belongs into a StringList")
        return self


Context = ActionContext[PutParameterParams]


class PutParameter(Action[PutParameterParams]):
    """Writes a parameter of the SSM parameter store, or leaves it alone when type and value are already right."""

    kind = "AWS::PutParameter"
    purpose = "Writes a parameter into the SSM parameter store; nothing is written when value and type are already right."
    permissions = (
        "ssm:GetParameter", "ssm:PutParameter", "ssm:DeleteParameter", "ssm:ListTagsForResource", "ssm:AddTagsToResource",
        "kms:Encrypt", *(name for name in SECRETS if name != "ssm:GetParameter"),
    )  # fmt: skip
    source = "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html"
    Params = PutParameterParams
    outputs: ClassVar[Mapping[str, str]] = {"Name": "name of the parameter", "Version": "its version now"}
    example: ClassVar[Mapping[str, Any]] = {
        "Name": "/shop/database/host",
        "Value": "{{ outputs.database.Address }}",
        "Description": "where the shop's database is",
    }

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The parameter, and the secret that goes into it."""
        name = name_in_arn(params, "Name").lstrip("/")
        arn = f"arn:{partition}:ssm:{target.region}:{target.account}:parameter/{name}"
        secret = secrets_scope([params["ValueFrom"]] if params.get("ValueFrom") else [], target, partition)
        secure = params.get("Type") not in (None, "String", "StringList")
        keys = (f"arn:{partition}:kms:{target.region}:{target.account}:key/*",) if secure else ()
        return {
            "ssm:*": (arn,), "ssm:GetParameter": (arn, *secret["ssm:GetParameter"]),
            "secretsmanager:GetSecretValue": secret["secretsmanager:GetSecretValue"], "kms:*": keys,
        }  # fmt: skip

    def start(self, ctx: Context) -> Step:
        """Look at what is there before anything is written."""
        ssm = ctx.client("ssm")
        found = _read(ssm, ctx.params.name)
        if found is not None and not ctx.force and self._is_right(ctx, found):
            self._tag(ctx, ssm)
            return Done(outputs=_outputs(found), changed=False, message="unchanged")
        return Again(after=0, scratch={"before": found["Version"] if found else 0})

    def check(self, ctx: Context) -> Step:
        """Write it, unless an earlier try has done that."""
        ssm = ctx.client("ssm")
        before = int(ctx.scratch["before"])
        found = _read(ssm, ctx.params.name)
        if found is None or found["Version"] <= before or not self._is_right(ctx, found):
            answer = ssm.put_parameter(**self._request(ctx), Overwrite=True)
            found = {"Name": ctx.params.name, "Version": answer["Version"]}
        self._tag(ctx, ssm)
        return Done(outputs=_outputs(found))

    def undo(self, ctx: Context) -> Step:
        """Write the earlier value again as the newest version, or delete what was not there. Later changes of others stay."""
        if "before" not in ctx.scratch:
            return Done(changed=False, message="this action wrote nothing")
        ssm = ctx.client("ssm")
        before = int(ctx.scratch["before"])
        found = _read(ssm, ctx.params.name)
        if found is None or not self._is_right(ctx, found):
            return Done(changed=False, message="somebody else has changed or deleted the parameter since")
        if before == 0:
            ssm.delete_parameter(Name=ctx.params.name)
            return Done()
        earlier = _read(ssm, f"{ctx.params.name}:{before}")
        if earlier is None:
            return Failed(f"version {before} of {ctx.params.name} is no longer kept", hint="write the parameter by hand")
        key = {"KeyId": ctx.params.key_id} if ctx.params.key_id and earlier["Type"] == "SecureString" else {}
        ssm.put_parameter(Name=ctx.params.name, Value=earlier["Value"], Type=earlier["Type"], Overwrite=True, **key)
        return Done()

    def _is_right(self, ctx: Context, found: Mapping[str, Any]) -> bool:
        return (found["Type"], found["Value"]) == (ctx.params.type, self._value(ctx))

    def _value(self, ctx: Context) -> str:
        value = ctx.params.value
        if ctx.params.value_from is not None:
            return read_secret(ctx.params.value_from, ctx.client)
        return value if isinstance(value, str) else ",".join(value or ())

    def _request(self, ctx: Context) -> dict[str, Any]:
        params = ctx.params
        request = {
            "Name": params.name, "Value": self._value(ctx), "Type": params.type, "Description": params.description,
            "KeyId": params.key_id if params.type == "SecureString" else None, "Tier": params.tier, "DataType": params.data_type,
            "AllowedPattern": params.allowed_pattern,
        }  # fmt: skip
        return {name: value for name, value in request.items() if value is not None}

    def _tag(self, ctx: Context, ssm: Any) -> None:
        """SSM takes tags only with a parameter that is new, so they are put on it afterwards."""
        if ctx.params.tags:
            what = {"ResourceType": "Parameter", "ResourceId": ctx.params.name}
            there = {tag["Key"]: tag["Value"] for tag in ssm.list_tags_for_resource(**what)["TagList"]}
            missing = [{"Key": key, "Value": value} for key, value in ctx.params.tags.items() if there.get(key) != value]
            if missing:
                ssm.add_tags_to_resource(**what, Tags=missing)


def _read(ssm: Any, name: str) -> Mapping[str, Any] | None:
    """The parameter with its value, or None. `name:3` is its third version."""
    try:
        found: Mapping[str, Any] = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    except ClientError as error:
        if error.response["Error"]["Code"] in ("ParameterNotFound", "ParameterVersionNotFound"):
            return None
        raise
    return found


def _outputs(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"Name": found["Name"], "Version": found["Version"]}
