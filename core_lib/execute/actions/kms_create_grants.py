"""AWS::KMS::CreateGrants."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError
from pydantic import AliasChoices, Field, field_validator

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import Arn, Texts, name_in_arn
from core_lib.execute.refusals import code_of, text_of
from core_lib.execute.shapes import enumeration
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import Cause, Message, Target
from core_lib.helper import classify

GRANTS_PER_STEP = 20
SECONDS_FOR_IAM = 5.0
MOST_TIMES_UNKNOWN = 24
"""How often a grantee that KMS does not know yet is tried again: a new role takes seconds to arrive everywhere; two minutes."""

_UNKNOWN_GRANTEE = ("InvalidArnException", "DependencyTimeoutException")


class KmsCreateGrantsParams(Message):
    """Who may do what with which key."""

    kms_key_id: str = Field(
        min_length=1, description="Id or ARN of the key (ARN: also in another account or region)",
        validation_alias=AliasChoices("KmsKeyId", "KmsKeyArn", "kms_key_arn", "KeyId"), serialization_alias="KmsKeyId",
    )  # fmt: skip
    grantee_principals: Texts = Field(min_length=1, description="ARNs of the principals that get a grant, one grant each")
    operations: Texts = Field(min_length=1, description="What they may do, e.g. Encrypt, Decrypt, GenerateDataKey, CreateGrant")
    retiring_principal: Arn | None = Field(default=None, description="ARN of a principal that may retire the grants")
    encryption_context_equals: dict[str, str] | None = Field(
        default=None, description="Only with exactly this encryption context"
    )
    encryption_context_subset: dict[str, str] | None = Field(
        default=None, description="Only with an encryption context that has these pairs in it"
    )
    ignore_failed_grants: bool = Field(
        default=False, description="Succeed although some grants could not be made; they are named"
    )

    @field_validator("operations")
    @classmethod
    def _known(cls, operations: tuple[str, ...]) -> tuple[str, ...]:
        known = enumeration("kms", "CreateGrant", "Operations")
        unknown = [name for name in operations if name not in known and "{{" not in name]
        if unknown:
            raise ValueError(f"unknown operations: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
        return operations

    @field_validator("kms_key_id")
    @classmethod
    def _no_alias(cls, key: str) -> str:
        if key.startswith("alias/") or ":alias/" in key:
            raise ValueError("KMS makes grants for keys, not for aliases: give the key's id or ARN")
        return key

    @property
    def constraints(self) -> dict[str, Any]:
        """Constraints as KMS takes them."""
        found = {
            "EncryptionContextEquals": self.encryption_context_equals, "EncryptionContextSubset": self.encryption_context_subset,
        }  # fmt: skip
        return {key: value for key, value in found.items() if value}

    def grant_name(self, principal: str) -> str:
        """A name that is the same exactly when the same is granted: KMS answers a repeated call with the grant it has."""
        asked = [principal, sorted(self.operations), self.retiring_principal, self.constraints]
        return f"core-{hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]}"


Context = ActionContext[KmsCreateGrantsParams]


class KmsCreateGrants(Action[KmsCreateGrantsParams]):
    """Lets principals use a key, by one grant for each of them."""

    kind = "AWS::KMS::CreateGrants"
    purpose = "Makes one grant on a KMS key for each principal; grants that are there already are kept."
    permissions = ("kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant")
    source = "https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html"
    Params = KmsCreateGrantsParams
    outputs: ClassVar[Mapping[str, str]] = {
        "GrantIds": "Id of the grant by principal", "FailedGrants": "Why there is no grant, by principal",
    }  # fmt: skip
    example: ClassVar[Mapping[str, Any]] = {
        "KmsKeyId": "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "GranteePrincipals": ["arn:aws:iam::222222222222:role/shop-workers"],
        "Operations": ["Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKeyWithoutPlaintext", "CreateGrant"],
        "IgnoreFailedGrants": "true",
    }  # fmt: skip

    @classmethod
    def scope(cls, params: Mapping[str, Any], target: Target, partition: str) -> Mapping[str, tuple[str, ...]]:
        """The one key."""
        name = name_in_arn(params, "KmsKeyId")
        arn = name if name.startswith("arn:") else f"arn:{partition}:kms:{target.region}:{target.account}:key/{name}"
        return {"kms:*": (arn,)}

    def start(self, ctx: Context) -> Step:
        """Who has a grant already? The others are written down before anything is granted."""
        known = _grants(ctx)
        ids = {principal: known[name] for principal, name in _names(ctx).items() if name in known}
        todo = [principal for principal in _names(ctx) if principal not in ids]
        if not todo:
            return Done(outputs={"GrantIds": ids, "FailedGrants": {}}, changed=False, message="granted already")
        return Again(0, {"ids": ids, "todo": todo, "made": [], "failed": {}, "unknown": 0})

    def check(self, ctx: Context) -> Step:
        """Grant to some of those who have none yet."""
        ids, made, failed = dict(ctx.scratch["ids"]), list(ctx.scratch["made"]), dict(ctx.scratch["failed"])
        todo = list(ctx.scratch["todo"])
        later: dict[str, str] = {}
        for principal in todo[:GRANTS_PER_STEP]:
            try:
                ids[principal] = _grant(ctx, principal)
                made.append(principal)
            except ClientError as error:
                if classify(error) is not Cause.PERMANENT and code_of(error) not in _UNKNOWN_GRANTEE:
                    raise
                (later if code_of(error) in _UNKNOWN_GRANTEE else failed)[principal] = text_of(error)
        left = todo[GRANTS_PER_STEP:] + list(later)
        unknown = int(ctx.scratch["unknown"]) + (bool(later) and len(left) == len(later))
        if unknown > MOST_TIMES_UNKNOWN:
            failed, left = failed | later, []
        if not left:
            return _ended(ctx, ids, failed, changed=bool(made))
        scratch = {"ids": ids, "todo": left, "made": made, "failed": failed, "unknown": unknown}
        pause = SECONDS_FOR_IAM if len(left) == len(later) else 0.0
        return Again(pause, scratch, f"{len(ids)} granted, {len(left)} to go")

    def undo(self, ctx: Context) -> Step:
        """Revoke the grants that this action made; those that were there before stay."""
        before = {principal for principal in ctx.scratch["ids"] if principal not in _tried(ctx)}
        known = _grants(ctx)
        mine = [known[name] for principal, name in _names(ctx).items() if principal not in before and name in known]
        for identity in mine[:GRANTS_PER_STEP]:
            try:
                _kms(ctx).revoke_grant(KeyId=ctx.params.kms_key_id, GrantId=identity)
            except ClientError as error:
                if code_of(error) != "NotFoundException":
                    raise
        return Again(0) if len(mine) > GRANTS_PER_STEP else Done(changed=bool(mine))


def _tried(ctx: Context) -> set[str]:
    return {*ctx.scratch["todo"], *ctx.scratch["made"]}


def _names(ctx: Context) -> dict[str, str]:
    """Names of the grants by principal."""
    return {principal: ctx.params.grant_name(principal) for principal in ctx.params.grantee_principals}


def _grants(ctx: Context) -> dict[str, str]:
    """Ids of the key's grants that this platform has named, by their names."""
    pages = _kms(ctx).get_paginator("list_grants").paginate(KeyId=ctx.params.kms_key_id)
    return {grant["Name"]: grant["GrantId"] for page in pages for grant in page["Grants"] if grant.get("Name")}


def _grant(ctx: Context, principal: str) -> str:
    params = ctx.params
    arguments: dict[str, Any] = {"Constraints": params.constraints} if params.constraints else {}
    if params.retiring_principal:
        arguments["RetiringPrincipal"] = params.retiring_principal
    answer = _kms(ctx).create_grant(
        KeyId=params.kms_key_id, GranteePrincipal=principal, Operations=list(params.operations),
        Name=params.grant_name(principal), **arguments,
    )  # fmt: skip
    return str(answer["GrantId"])


def _kms(ctx: Context) -> Any:
    """KMS in the key's own region."""
    key = ctx.params.kms_key_id
    return ctx.client("kms", region=key.split(":")[3] if key.startswith("arn:") else None)


def _ended(ctx: Context, ids: Mapping[str, str], failed: Mapping[str, str], *, changed: bool) -> Step:
    reasons = "; ".join(f"{principal}: {reason}" for principal, reason in list(failed.items())[:5])
    if failed and not ctx.params.ignore_failed_grants:
        return Failed(
            f"{len(failed)} of {len(ctx.params.grantee_principals)} grants could not be made: {reasons}",
            hint="check that the principals exist, or set IgnoreFailedGrants: true",
        )
    message = f"{len(ids)} grants" + (f", {len(failed)} could not be made: {reasons}" if failed else "")
    return Done(outputs={"GrantIds": dict(ids), "FailedGrants": dict(failed)}, changed=changed, message=message)
