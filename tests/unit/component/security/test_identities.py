"""Groups, roles and profiles of the stage security, and what is told of rules."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.component.library.types import Role, SecurityRule
from core_lib.component.model import Wire
from core_lib.component.naming import names_of
from core_lib.component.security import security_stages
from core_lib.component.security.identities import identity_body, substituted
from core_lib.component.wires import wired
from core_lib.framework.errors import CompileError
from tests.builders.component_facts import component_facts
from tests.builders.written import written

SERVER = "web: {Type: Test::Server, Configuration: {Server: {}}}"


def body(uses: list[Wire] | None = None, text: str = SERVER, name: str = "web", **facts: Any) -> dict[str, Any]:
    found = security_stages(written(text), component_facts(**facts), uses=uses).stages.get(name, {})
    return dict(found.get("security", {"Resources": {}}))


def role(rule: Role, **facts: Any) -> dict[str, Any]:
    known = component_facts(**facts)
    names = names_of(known, "web", "7")
    made = identity_body(written(SERVER)["web"], names, SecurityRule(roles={"Role": rule}), (), None, known)
    assert made is not None
    properties: dict[str, Any] = made["Resources"]["Role"]["Properties"]
    return properties


def test_server_when_it_is_defined_then_it_has_groups_a_role_and_a_profile() -> None:
    made = body()
    assert {name: resource["Type"] for name, resource in made["Resources"].items()} == {
        "SecurityGroup": "AWS::EC2::SecurityGroup", "AdminGroup": "AWS::EC2::SecurityGroup", "Role": "AWS::IAM::Role",
        "InstanceProfile": "AWS::IAM::InstanceProfile",
    }  # fmt: skip
    assert set(made["Outputs"]) == {
        "SecurityGroupId", "AdminGroupId", "RoleName", "RoleArn", "InstanceProfileName", "InstanceProfileArn",
    }  # fmt: skip
    group = made["Resources"]["SecurityGroup"]["Properties"]
    assert group["VpcId"] == {"Fn::ImportValue": "acme:Main:VpcId"}
    assert group["GroupDescription"] == "SecurityGroup of prn:shop:web:main:*:web"
    assert "SecurityGroupIngress" not in group


def test_identities_when_the_next_build_comes_then_they_are_the_same() -> None:
    assert body(Build="7") == body(Build="8")


@pytest.mark.parametrize(
    ("uses", "groups"),
    [
        ([], set()),
        ([Wire("web", "security", "SecurityGroupId")], {"SecurityGroup"}),
        ([Wire("web", "security", "AdminGroupId"), Wire("other", "security", "SecurityGroupId")], {"AdminGroup"}),
        ([Wire("web", "security", "RoleArn")], set()),
    ],
)
def test_groups_when_nothing_uses_them_then_they_are_not_made(uses: list[Wire], groups: set[str]) -> None:
    made = {name for name, each in body(uses)["Resources"].items() if each["Type"] == "AWS::EC2::SecurityGroup"}
    assert made == groups


def test_groups_when_a_rule_names_them_then_they_are_made() -> None:
    text = (
        SERVER
        + """
db: {Type: Test::Server, Configuration: {Server: {Pipeline::Security: {Source: web, Allow: "TCP:5432"}}}}
"""
    )
    assert "SecurityGroup" in body([], text)["Resources"]
    assert "SecurityGroup" in body([], text, "db")["Resources"]


def test_group_when_no_vpc_is_known_then_the_error_names_the_facts() -> None:
    with pytest.raises(CompileError, match="needs a security group, and no VPC is known") as raised:
        body(VpcAliases={})
    assert "VpcAliases and ResourceNamespace" in str(raised.value.hint)
    assert body([], VpcAliases={})["Resources"].keys() == {"Role", "InstanceProfile"}


def test_group_when_its_vpc_is_made_by_the_same_build_then_the_error_says_how_to_do_it() -> None:
    network = {"Component": "network", "OutputName": "VpcId"}
    with pytest.raises(CompileError, match="made after it, by network of the same build") as raised:
        body(VpcAliases={"main": network})
    assert "Scope: release" in str(raised.value.hint)
    made = body(VpcAliases={"main": network | {"Scope": "release"}})
    assert made["Resources"]["SecurityGroup"]["Properties"]["VpcId"] == wired(
        Wire("prn:shop:web:main:*:network", "release", "VpcId")
    )


def test_component_when_its_type_has_no_identity_then_there_is_no_stage() -> None:
    found = security_stages(written("t: {Type: Test::Table, Configuration: {Table: {}}}"), component_facts())
    assert found.stages == {}


def test_role_when_it_is_made_then_it_has_what_its_type_and_the_facts_say() -> None:
    rule = Role(
        services=("ec2.amazonaws.com",),
        managed_policies=("arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",),
        statements=({"Action": ["ssm:GetParameter"], "Resource": "arn:${AWS::Partition}:ssm:::${aws:username}"},),
    )
    made = role(
        rule,
        DefaultManagedPolicyArns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        DefaultIamPolicyStatements=[{"Effect": "Deny", "Action": "iam:*", "Resource": "*"}],
        PermissionsBoundaryArn="arn:aws:iam::111111111111:policy/edge",
    )
    assert made["RoleName"] == "shop-web-main-web-role"
    assert made["AssumeRolePolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Principal": {"Service": ["ec2.amazonaws.com"]}, "Action": "sts:AssumeRole"}
    ]
    assert made["ManagedPolicyArns"] == [
        "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
    ]
    assert made["Policies"][0]["PolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow", "Action": ["ssm:GetParameter"],
            "Resource": {"Fn::Sub": "arn:${AWS::Partition}:ssm:::${!aws:username}"},
        },
        {"Effect": "Deny", "Action": "iam:*", "Resource": "*"},
    ]  # fmt: skip
    assert made["PermissionsBoundary"] == "arn:aws:iam::111111111111:policy/edge"


def test_role_when_it_is_in_china_then_aws_s_policies_are_those_of_its_partition() -> None:
    rule = Role(services=("ec2.amazonaws.com",), managed_policies=("arn:aws:iam::aws:policy/X",))
    assert role(rule, AwsRegion="cn-north-1")["ManagedPolicyArns"] == ["arn:aws-cn:iam::aws:policy/X"]


def test_role_when_its_name_would_be_too_long_then_it_is_shortened_and_stays_its_own() -> None:
    rule = Role(services=("ec2.amazonaws.com",))
    one, two = (role(rule, Portfolio="p" * 60, App=app)["RoleName"] for app in ("a", "b"))
    assert len(one) == len(two) == 64
    assert one != two


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        ("${aws:username}", "${aws:username}"),
        ("${KmsKeyArn}", {"Fn::Sub": "${KmsKeyArn}"}),
        ({"Fn::Sub": "${AWS::Region}"}, {"Fn::Sub": "${AWS::Region}"}),
        (["${AWS::Region}", 1], [{"Fn::Sub": "${AWS::Region}"}, 1]),
    ],
)
def test_statement_when_it_holds_names_then_cloudformation_fills_them_in(value: Any, expected: Any) -> None:
    assert substituted(value) == expected


def test_rules_when_they_are_made_then_each_is_told_in_words() -> None:
    found = security_stages(
        written("""
orders: {Type: Test::Table, Configuration: {Table: {Pipeline::Security: {Source: web, Allow: read}}}}
web:
  Type: Test::Server
  Configuration:
    Server:
      Pipeline::Security:
        - {Source: 0.0.0.0/0, Allow: ["TCP:443"]}
        - {Source: office, Allow: [ALL]}
"""),
        component_facts(),
    )
    assert [str(each) for each in found.opened] == [
        "web may read orders Table",
        "0.0.0.0/0 may reach web Server by TCP:443",
        "198.51.100.0/24 (office) may reach web Server by ALL",
    ]
    read, web, office = found.opened
    assert read.actions == ("dynamodb:GetItem", "dynamodb:Query")
    assert (web.protocol, web.ports, web.is_everyone) == ("tcp", (443, 443), True)
    assert (office.protocol, office.ports, office.is_everyone) == ("-1", None, False)
    assert web.where.startswith("platform/components/app.yaml:8:")


def test_role_when_its_type_says_who_assumes_it_then_nobody_else_does_and_what_is_listed_is_added() -> None:
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Federated": "oidc"}, "Action": "sts:AssumeRoleWithWebIdentity"}]}
    own = {"PolicyName": "more", "PolicyDocument": {"Statement": []}}
    properties = {"AssumeRolePolicyDocument": trust, "ManagedPolicyArns": ["arn:aws:iam::aws:policy/B"], "Policies": [own]}
    default = [{"Action": "ec2:DescribeTags", "Resource": "*"}]
    made = role(
        Role(properties=properties), DefaultManagedPolicyArns=["arn:aws:iam::aws:policy/A"], DefaultIamPolicyStatements=default
    )
    assert made["AssumeRolePolicyDocument"] == trust
    assert made["ManagedPolicyArns"] == ["arn:aws:iam::aws:policy/A", "arn:aws:iam::aws:policy/B"]
    assert [policy["PolicyName"] for policy in made["Policies"]] == ["own", "more"]


def test_role_when_nobody_could_assume_it_then_it_is_refused() -> None:
    with pytest.raises(ValueError, match="a role needs Services"):
        Role()
