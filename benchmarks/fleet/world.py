"""The fleet that both deploy: accounts with their role, two regions, two chained stacks."""

from __future__ import annotations

import json
from dataclasses import dataclass

from core_lib.framework.models import Target
from deployments.local import EmbeddedCloud

REGIONS = ("eu-west-1", "us-east-1")
ROLE = "OrganizationAccountAccessRole"
CONCURRENCY = 16
PAUSE = 0.1
STACKS = ("one", "two")


@dataclass(frozen=True)
class Fleet:
    """The targets of one deployment."""

    targets: tuple[Target, ...]


def fleet(cloud: EmbeddedCloud, accounts: int, offset: int) -> Fleet:
    """Fresh accounts, with the role that is assumed in them."""
    ids = [f"{(offset + 1) * 100_000_000_000 + number:012}" for number in range(1, accounts + 1)]
    for account in ids:
        cloud.add_role(account, ROLE)
    return Fleet(tuple(Target(account=account, region=region) for account in ids for region in REGIONS))


def template(stack: str) -> str:
    """A role and a parameter, as in a small baseline."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    parameter = {"Type": "String", "Name": f"/fleet/{stack}", "Value": {"Ref": "Value"}}
    return json.dumps(
        {
            "Parameters": {"Value": {"Type": "String"}},
            "Resources": {
                "Role": {
                    "Type": "AWS::IAM::Role",
                    "Properties": {"RoleName": {"Fn::Sub": f"{stack}-${{AWS::Region}}"}, "AssumeRolePolicyDocument": trust},
                },
                "Parameter": {"Type": "AWS::SSM::Parameter", "Properties": parameter},
            },
            "Outputs": {"RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
        }
    )
