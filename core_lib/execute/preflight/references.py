"""Whether what templates and parameters refer to exists: exports, SSM parameters, the service role, KMS keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from core_lib.execute.action import ActionContext
from core_lib.execute.preflight.findings import Finding
from core_lib.execute.preflight.needs import Needs
from core_lib.execute.preflight.survey import Change
from core_lib.execute.stacks.live import error_text

_SSM_AT_ONCE = 10
_ROLE = re.compile(r"arn:aws[\w-]*:iam::(?P<account>\d{12}):role/(?:[^\s/]+/)*(?P<name>[^\s/]+)")
_KEY = re.compile(r"arn:aws[\w-]*:kms:(?P<region>[\w-]+):(?P<account>\d{12}):(?:key|alias)/\S+")
_UNUSABLE = ("Disabled", "PendingDeletion", "PendingReplicaDeletion", "Unavailable")


def exports(changes: Sequence[tuple[Change, Needs]], there: frozenset[str], brought: Sequence[Needs]) -> Iterator[Finding]:
    """Imports of exports that neither exist nor come with the run. `brought`: what the templates of the plan bring here."""
    if any(needs.open_exports for needs in brought):
        return
    known = there.union(*(needs.exports for needs in brought))
    for change, needs in changes:
        for name in sorted(needs.imports - known):
            yield Finding(
                check="reference", message=f"the stack {change.stack} imports {name}, which nothing exports here",
                hint="deploy the stack that exports it first, in the same account and region", stack=change.stack,
            )  # fmt: skip


def ssm_parameters(
    client: Any, changes: Sequence[tuple[Change, Needs]], made: frozenset[str], brought: Sequence[Needs]
) -> Iterator[Finding]:
    """SSM parameters that neither exist nor come with the run. `made`: names that actions of the plan write."""
    if any(needs.open_ssm for needs in brought):
        return
    known = made.union(*(needs.makes_ssm for needs in brought))
    missing = _missing(client, sorted({name for _, needs in changes for name in needs.ssm} - known))
    for change, needs in changes:
        for name in sorted(needs.ssm & missing):
            yield Finding(
                check="reference", message=f"the stack {change.stack} uses the SSM parameter {name}, which does not exist",
                hint="put it into the parameter store of that account and region first", stack=change.stack,
            )  # fmt: skip


def _missing(client: Any, names: Sequence[str]) -> frozenset[str]:
    found: list[str] = []
    for start in range(0, len(names), _SSM_AT_ONCE):
        found += client.get_parameters(Names=list(names[start : start + _SSM_AT_ONCE]))["InvalidParameters"]
    return frozenset(found)


def service_role(change: Change, context: ActionContext[Any]) -> Iterator[Finding]:
    """Whether the role that CloudFormation is to work with is there."""
    found = _ROLE.fullmatch(context.params.role_arn or "")
    if found is None or found["account"] != context.target.account:
        return
    try:
        context.client("iam").get_role(RoleName=found["name"])
    except ClientError as error:
        if error_text(error)[0] != "NoSuchEntity":
            raise
        yield Finding(
            check="reference", message=f"the service role {found['name']} of the stack {change.stack} does not exist",
            hint="create the role first, or correct RoleArn", stack=change.stack,
        )  # fmt: skip


def keys(change: Change, context: ActionContext[Any], values: Iterable[str]) -> Iterator[Finding]:
    """Whether the KMS keys of this account that parameters name can be used."""
    for arn in sorted(set(values)):
        found = _KEY.fullmatch(arn)
        if found is None or found["account"] != context.target.account:
            continue
        try:
            state = context.client("kms", region=found["region"]).describe_key(KeyId=arn)["KeyMetadata"].get("KeyState")
        except ClientError as error:
            if error_text(error)[0] != "NotFoundException":
                raise
            state = "missing"
        if state in (*_UNUSABLE, "missing"):
            yield Finding(
                check="reference", message=f"the KMS key {arn} that the stack {change.stack} uses is {state}",
                hint="name another key, or enable this one", stack=change.stack,
            )  # fmt: skip
