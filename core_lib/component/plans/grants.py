"""Grants on the application's key: to the service-linked roles that start instances in this and in delegate accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core_lib.component.plans.blueprint import Blueprint
from core_lib.execute import partition_of

GRANTS = "grants"
_AUTO_SCALING = "AWS::AutoScaling::AutoScalingGroup"
_ROLE = "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
_OPERATIONS = (
    "CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom",
    "ReEncryptTo",
)  # fmt: skip


def grants_spec(blueprint: Blueprint, key: str) -> dict[str, Any] | None:
    """Parameters of the grants on a key; None when nobody needs one.

    A service-linked role comes into being with the first use of its service, so one that is not there yet is no failure: the key
    policy lets it in by way of EC2.
    """
    kms = blueprint.facts.values.get("Kms")
    delegates = kms.get("DelegateAwsAccountIds") or () if isinstance(kms, Mapping) else ()
    accounts = {str(account) for account in delegates}
    if _scales(blueprint):
        accounts.add(blueprint.target.account)
    if not accounts:
        return None
    partition = partition_of(blueprint.target.region)
    return {
        "KmsKeyId": key,
        "GranteePrincipals": [f"arn:{partition}:iam::{account}:{_ROLE}" for account in sorted(accounts)],
        "Operations": list(_OPERATIONS),
        "IgnoreFailedGrants": True,
    }


def _scales(blueprint: Blueprint) -> bool:
    return any(
        resource.get("Type") == _AUTO_SCALING
        for each in blueprint.components.values()
        for template in each.stages.values()
        for resource in template.body["Resources"].values()
    )
