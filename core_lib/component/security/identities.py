"""Identities: the security groups, roles and instance profiles of a component, which all builds of a branch share.

Sources: AWS::EC2::SecurityGroup, AWS::IAM::Role, AWS::IAM::InstanceProfile in the CloudFormation template reference.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from core_lib.component.library import Role
from core_lib.component.library.types import SecurityRule
from core_lib.component.model import Component
from core_lib.component.naming import Names, role_name
from core_lib.execute import partition_of

_SUB = re.compile(r"\$\{([^!}][^}]*)\}")
_PLAIN_NAME = re.compile(r"AWS::[A-Za-z]+\Z|[A-Za-z][A-Za-z0-9]*\Z")
_COMMERCIAL = "arn:aws:"
_OWN = "own"
_JOINED = ("ManagedPolicyArns", "Policies")
"""Properties of a role that its type adds to, where it replaces all others."""

Body = dict[str, Any]


def identity_body(
    component: Component, names: Names, security: SecurityRule, groups: Collection[str], vpc: Any, facts: Mapping[str, Any]
) -> Body | None:
    """The body of a component's stage security; None when it has no identity at all. `groups` are those that are needed."""
    resources: Body = {}
    outputs: Body = {}
    for group in security.groups:
        if group in groups:
            resources[group] = _group(names.prn, group, names.branch, vpc)
            outputs[f"{group}Id"] = {
                "Description": f"Id of the security group {group}",
                "Value": {"Fn::GetAtt": [group, "GroupId"]},
            }
    profiles = 0
    for name, role in security.roles.items():
        resources[name] = _role(component, name, role, names.branch, facts)
        outputs[f"{name}Name"] = {"Description": f"Name of the role {name}", "Value": {"Ref": name}}
        outputs[f"{name}Arn"] = {"Description": f"ARN of the role {name}", "Value": {"Fn::GetAtt": [name, "Arn"]}}
        if role.instance_profile:
            profile = "InstanceProfile" if profiles == 0 else f"{name}InstanceProfile"
            profiles += 1
            resources[profile] = {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": [{"Ref": name}]}}
            outputs[f"{profile}Name"] = {"Description": f"Name of the instance profile of {name}", "Value": {"Ref": profile}}
            outputs[f"{profile}Arn"] = {
                "Description": f"ARN of the instance profile of {name}",
                "Value": {"Fn::GetAtt": [profile, "Arn"]},
            }
    return {"Resources": resources, "Outputs": outputs} if resources else None


def _group(prn: str, group: str, name: str, vpc: Any) -> Body:
    branch = ":".join((*prn.split(":")[:-2], "*", prn.rpartition(":")[2]))
    return {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {
            "GroupDescription": f"{group} of {branch}",
            "VpcId": vpc,
            "Tags": [{"Key": "Name", "Value": f"{name}-{group.lower()}"}],
        },
    }


def _role(component: Component, name: str, role: Role, branch_name: str, facts: Mapping[str, Any]) -> Body:
    properties: Body = {
        "RoleName": role_name(branch_name, name),
        "Description": f"{name} of the component {component.name}",
        "AssumeRolePolicyDocument": document([
            {"Effect": "Allow", "Principal": {"Service": list(role.services)}, "Action": "sts:AssumeRole"}
        ]),
    }  # fmt: skip
    properties |= {name: value for name, value in role.properties.items() if name not in _JOINED}
    managed = [*managed_policies(role, facts), *role.properties.get("ManagedPolicyArns", ())]
    if managed:
        properties["ManagedPolicyArns"] = [substituted(arn) for arn in managed]
    own = own_statements(role, facts)
    if own:
        properties["Policies"] = [{"PolicyName": _OWN, "PolicyDocument": document(own)}]
    if "Policies" in role.properties:
        properties["Policies"] = [*properties.get("Policies", ()), *role.properties["Policies"]]
    boundary = facts.get("PermissionsBoundaryArn")
    if boundary is not None:
        properties["PermissionsBoundary"] = substituted(boundary)
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def managed_policies(role: Role, facts: Mapping[str, Any]) -> list[str]:
    """ARNs of the managed policies of a role: its type's, and those of the fact DefaultManagedPolicyArns."""
    partition = partition_of(str(facts["AwsRegion"]))
    arns = dict.fromkeys((*role.managed_policies, *(str(arn) for arn in facts.get("DefaultManagedPolicyArns") or ())))
    return [f"arn:{partition}:{arn.removeprefix(_COMMERCIAL)}" if arn.startswith(_COMMERCIAL) else arn for arn in arns]


def own_statements(role: Role, facts: Mapping[str, Any]) -> list[Body]:
    """Statements of a role's own policy: its type's, and those of the fact DefaultIamPolicyStatements."""
    given = (*role.statements, *(facts.get("DefaultIamPolicyStatements") or ()))
    return [{"Effect": "Allow", **substituted(statement)} for statement in given]


def document(statements: Sequence[Mapping[str, Any]]) -> Body:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def substituted(value: Any) -> Any:
    """A tree whose texts with `${AWS::...}` or `${Name}` are Fn::Sub; IAM's own (`${aws:username}`) stay as they are."""
    if isinstance(value, str):
        names = _SUB.findall(value)
        if not any(_PLAIN_NAME.match(name) for name in names):
            return value
        return {"Fn::Sub": _SUB.sub(lambda found: found[0] if _PLAIN_NAME.match(found[1]) else f"${{!{found[1]}}}", value)}
    if isinstance(value, Mapping):
        if len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref")):
            return value
        return {key: substituted(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [substituted(item) for item in value]
    return value
