"""The deploy role of a plan as a CloudFormation template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core_lib.execute.policy import EVERYTHING, RolePolicy, in_account

_ACCOUNT = "${AWS::AccountId}"


def role_template(policy: RolePolicy, trust: Mapping[str, Any]) -> Mapping[str, Any]:
    """A template with the role and its managed policies, exact in whatever account it is deployed to."""
    resources: dict[str, Any] = {}
    for number, document in enumerate(policy.documents, start=1):
        properties = {"Description": f"Part {number} of what the deployment needs", "PolicyDocument": _exact(document, policy)}
        resources[f"Policy{number}"] = {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}
    resources["Role"] = {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": {"Ref": "RoleName"},
            "AssumeRolePolicyDocument": trust,
            "ManagedPolicyArns": [{"Ref": name} for name in resources],
        },
    }
    note = f" Add by hand what these need: {', '.join(policy.by_hand)}." if policy.by_hand else ""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"The deploy role of a plan, with no more than the plan needs.{note}"[:1024],
        "Parameters": {"RoleName": {"Type": "String", "Default": "CoreDeploy"}},
        "Resources": resources,
        "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
    }


def _exact(value: Any, policy: RolePolicy) -> Any:
    """The account in ARNs becomes that of the stack."""
    if isinstance(value, Mapping):
        return {key: _exact(item, policy) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item, policy) for item in value]
    if not isinstance(value, str):
        return value
    own = policy.accounts[0] if len(policy.accounts) == 1 else EVERYTHING
    exact = in_account(value, own, _ACCOUNT)
    return value if exact == value else {"Fn::Sub": exact}
