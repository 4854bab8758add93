"""What a component will be, in words, as data, and as a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from core_lib.component.explain import component_graph, explain, package_graph, sentences
from core_lib.component.explain.access import permissions_of
from core_lib.component.explain.encryption import encryption_of
from core_lib.component.explain.network import openings_of
from core_lib.component.explain.words import Words, listed
from core_lib.component.guard import builtin_rules, guard
from core_lib.component.model import APPLICATION, Compiled, StageTemplate, Step, Wire
from tests.builders.components import built
from tests.unit.component.guarding import OPEN_GROUP, component

KEY = {"Ref": "KmsKeyArn"}
QUEUE = "orders: {Type: AWS::SQS::Queue, Persist: true, Configuration: {Queue: {Properties: {DelaySeconds: 5}}}}"


def staged(resources: Mapping[str, Any], **parameters: str | Wire) -> StageTemplate:
    known = {"KmsKeyArn": Wire(APPLICATION, "kms", "KeyArn"), **parameters}
    return StageTemplate("resources", "s", {"Resources": resources}, known)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (KEY, "the application's key"),
        ({"Ref": "Table"}, "Table"),
        ({"Fn::GetAtt": ["Table", "Arn"]}, "Table"),
        ({"Fn::GetAtt": "Table.StreamArn"}, "Table"),
        ({"Fn::GetAtt": ["Table", "Endpoint.Port"]}, "Endpoint.Port of Table"),
        ({"Fn::Sub": "${Table.Arn}/index/*"}, "Table/index/*"),
        ({"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}, "IAM of this account"),
        ("arn:aws:iam::222222222222:root", "IAM of account 222222222222"),
        ({"Fn::Sub": ["${A}-${!Literal}", {"A": {"Ref": "Table"}}]}, "Table-${Literal}"),
        ({"Fn::Join": ["", [{"Fn::GetAtt": ["Table", "Arn"]}, "/*"]]}, "Table/*"),
        ({"Ref": "WorkerRole"}, "Role of worker"),
        ({"Ref": "Vpc"}, "vpc-1"),
        ({"Fn::ImportValue": "acme:Main:VpcId"}, "what acme:Main:VpcId exports"),
        ({"Fn::If": ["c", 1, 2]}, "1 or 2"),
        ({"Ref": "AWS::AccountId"}, "this account"),
        ([True, {"Ref": "Table"}], "yes and Table"),
    ],
)
def test_value_when_it_is_said_then_it_tells_where_it_comes_from(value: Any, words: str) -> None:
    parameters: dict[str, Any] = {"WorkerRole": Wire("worker", "security", "RoleArn"), "Vpc": "vpc-1"}
    assert Words("shop", staged({"Table": {}}, **parameters)).say(value) == words


def test_list_when_it_is_said_then_it_reads_like_a_sentence() -> None:
    assert [listed(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["nothing", "a", "a and b", "a, b and c"]


@pytest.mark.parametrize(
    ("kind", "properties", "key"),
    [
        ("AWS::SQS::Queue", {"KmsMasterKeyId": KEY}, "the application's key"),
        ("AWS::SQS::Queue", {"SqsManagedSseEnabled": True}, "a key that AWS manages"),
        ("AWS::SQS::Queue", {"SqsManagedSseEnabled": False}, None),
        ("AWS::SNS::Topic", {}, None),
        ("AWS::RDS::DBInstance", {"DBSnapshotIdentifier": "golden"}, "the key of the snapshot or database that it is made from"),
        ("AWS::S3::Bucket", {}, "a key that AWS manages"),
        ("AWS::EC2::Instance", {"BlockDeviceMappings": [{"Ebs": {"KmsKeyId": KEY}}]}, "the application's key"),
        ("AWS::RDS::DBInstance", {"StorageEncrypted": True, "KmsKeyId": "arn:aws:kms:x:1:key/2"}, "arn:aws:kms:x:1:key/2"),
    ],
)  # fmt: skip
def test_encryption_when_a_resource_is_encrypted_then_the_key_is_named(kind: str, properties: Any, key: str | None) -> None:
    found = list(encryption_of("shop", staged({"Thing": {"Type": kind, "Properties": properties}})))
    assert [item.key for item in found] == [key]


def test_network_when_rules_open_something_then_peer_ports_and_reason_are_told() -> None:
    rule = {
        "IpProtocol": "tcp",
        "FromPort": 8000,
        "ToPort": 8010,
        "GroupId": {"Ref": "Mine"},
        "SourceSecurityGroupId": {"Ref": "Web"},
    }
    out = {"IpProtocol": "-1", "GroupId": {"Ref": "Mine"}, "CidrIp": "0.0.0.0/0", "Description": "updates"}
    resources = {
        "Group": OPEN_GROUP,
        "In": {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": rule},
        "Out": {"Type": "AWS::EC2::SecurityGroupEgress", "Properties": out},
    }
    wires: dict[str, Any] = {"Mine": Wire("shop", "security", "GroupId"), "Web": Wire("web", "security", "SecurityGroupId")}
    found = list(openings_of("shop", staged(resources, **wires)))
    assert [(item.peer, item.group, item.ports, item.public, item.outwards) for item in found] == [
        ("everybody on the internet", "Group", "every TCP port", True, False),
        ("SecurityGroup of web", "Group", "TCP 8000 to 8010", False, False),
        ("everybody on the internet", "Group", "every port", False, True),
    ]
    assert found[2].why == "updates"


def test_access_when_policies_allow_something_then_who_what_and_condition_are_told() -> None:
    read = {"Effect": "Allow", "Action": ["dynamodb:GetItem"], "Resource": {"Fn::GetAtt": ["Table", "Arn"]}}
    tls = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = {"AssumeRolePolicyDocument": {"Statement": trust}, "ManagedPolicyArns": ["arn:aws:iam::aws:policy/X"]}
    grant = {"Roles": [{"Ref": "Worker"}], "PolicyDocument": {"Statement": [read]}}
    call = {"Principal": "s3.amazonaws.com", "Action": "lambda:InvokeFunction", "FunctionName": "f", "SourceArn": "b"}
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": role},
        "Grant": {"Type": "AWS::IAM::Policy", "Properties": grant},
        "Tls": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {"Statement": tls}},
        },
        "Call": {"Type": "AWS::Lambda::Permission", "Properties": call},
        "Table": {"Type": "AWS::DynamoDB::Table"},
        "Bucket": {"Type": "AWS::S3::Bucket"},
    }
    found = list(permissions_of("shop", staged(resources, Worker=Wire("worker", "security", "RoleName"))))
    assert [(item.who, item.actions, item.resources, item.denied, item.only_if) for item in found] == [
        ("ec2.amazonaws.com", ("take on the role",), ("Role",), False, None),
        ("Role", ("whatever X allows",), (), False, None),
        ("Role of worker", ("dynamodb:GetItem",), ("Table",), False, None),
        ("anybody", ("s3:*",), ("Bucket",), True, "aws:SecureTransport is false"),
        ("s3.amazonaws.com", ("lambda:InvokeFunction",), ("f",), False, "it calls for b"),
    ]


def queue() -> Compiled:
    return built(QUEUE).components["orders"]


def test_explanation_of_a_queue_when_it_is_read_then_it_names_stacks_keys_rights_and_what_stays() -> None:
    compiled = queue()
    findings = guard([(compiled.component, template) for template in compiled.stages.values()], builtin_rules())
    text = sentences(explain(compiled, findings))
    for sentence in (
        "orders (AWS::SQS::Queue): A queue, encrypted with the application's key",
        "resources: stack shop-web-main-7-orders-resources with Queue (AWS::SQS::Queue)",
        "encrypted at rest with the application's key.",
        "Nobody may sqs:* on Queue, if aws:SecureTransport is false.",
        "QueueArn: its ARN",
        "A new build goes on using the resources of the released build",
        "No rule is broken.",
    ):
        assert sentence in text


def test_explanation_when_there_are_groups_steps_and_findings_then_each_has_its_sentence() -> None:
    open_stage = StageTemplate("rules", "s", {"Resources": {"Group": OPEN_GROUP}}, {})
    kept = {"Type": "AWS::RDS::DBInstance", "DeletionPolicy": "Snapshot", "Properties": {"Engine": "mysql"}}
    stages = {"rules": open_stage, "resources": StageTemplate("resources", "r", {"Resources": {"Database": kept}}, {})}
    steps = {
        "teardown": (Step("empty", "AWS::EmptyBucket", {}, before="resources"),),
        "deploy": (Step("image", "AWS::CreateImage", {}, after="bake"),),
    }
    compiled = Compiled(
        component({"Guard": {"open-ingress": "a site"}}), stages, steps, frozenset({("web", "resources")}), retains=True
    )
    told = explain(compiled, guard([(compiled.component, stage) for stage in stages.values()], builtin_rules()))
    text = sentences(told)
    for sentence in (
        "Everybody on the internet may reach Group on every TCP port.",
        "Database is NOT encrypted at rest.",
        "It uses outputs of web, and waits for them.",
        "deploy: image (AWS::CreateImage) after bake.",
        "Before that: empty (AWS::EmptyBucket) before resources.",
        "When Database is deleted, a snapshot of it is left.",
        "the key must not be deleted.",
        "reason: a site.",
        "ERROR: rds-unencrypted at shop/resources Database Properties.StorageEncrypted",
        "1 note on good practice",
    ):
        assert sentence in text, text
    assert told.as_dict()["Network"][0]["Public"] is True


def test_explanation_when_a_group_has_no_rule_then_nobody_may_reach_it() -> None:
    group = {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "x"}}
    compiled = Compiled(
        component(), {"security": StageTemplate("security", "s", {"Resources": {"Group": group}}, {})}, {}, frozenset()
    )
    assert "Nobody may reach it over the network." in sentences(explain(compiled))


def test_graph_of_a_component_when_drawn_then_nodes_are_quoted_and_edges_labelled() -> None:
    lines = component_graph(explain(queue())).splitlines()
    assert lines[0] == "flowchart LR"
    assert '  n0_orders["orders<br/>AWS::SQS::Queue"]' in lines
    assert any('-.->|"encrypts"|' in line for line in lines)
    assert all(line.count('"') % 2 == 0 for line in lines)


def test_graph_of_a_package_when_drawn_then_order_use_and_rights_are_edges() -> None:
    made = built(
        """
table:
  Type: AWS::DynamoDB
  DependsOn: [topic]
  Configuration:
    Table:
      Pipeline::Security: [{Source: worker, Allow: [read]}]
      Properties: {AttributeDefinitions: [{AttributeName: id, AttributeType: S}], KeySchema: [{AttributeName: id, KeyType: HASH}]}
topic: {Type: AWS::SNS::Topic, Configuration: {Topic: {}}}
worker:
  Type: AWS::Serverless
  Configuration: {Function: {Properties: {Handler: a.b, Runtime: python3.13, Code: {S3Key: a.zip, S3Bucket: b}}}}
"""
    )
    components = {name: each.component for name, each in made.components.items() if name != APPLICATION}
    text = package_graph(components, {"topic": ["table", APPLICATION]})
    assert 'n0_table -.->|"after"| n1_topic' in text
    assert 'n1_topic -->|"uses"| n0_table' in text
    assert 'n2_worker -->|"read"| n0_table' in text
    assert APPLICATION not in text


def test_explanation_when_others_let_it_do_something_then_that_is_told_too() -> None:
    grant = {
        "Roles": [{"Ref": "Mine"}],
        "PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": {"Ref": "Arn"}}},
    }
    ingress = {
        "IpProtocol": "tcp",
        "FromPort": 443,
        "ToPort": 443,
        "GroupId": {"Ref": "Theirs"},
        "SourceSecurityGroupId": {"Ref": "Group"},
    }
    resources = {
        "Grant": {"Type": "AWS::IAM::Policy", "Properties": grant},
        "Stranger": {"Type": "AWS::IAM::Policy", "Properties": {**grant, "Roles": [{"Ref": "Other"}]}},
        "In": {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": ingress},
    }
    wires = {
        "Mine": Wire("shop", "security", "RoleName"), "Other": Wire("else", "security", "RoleName"),
        "Arn": Wire("files", "resources", "BucketArn"), "Group": Wire("shop", "security", "SecurityGroupId"),
        "Theirs": Wire("files", "security", "SecurityGroupId"),
    }  # fmt: skip
    files = Compiled(replace(component(), name="files"), {"rules": staged(resources, **wires)}, {}, frozenset())
    text = sentences(explain(Compiled(component(), {}, {}, frozenset()), others=[files]))
    assert "Role may s3:GetObject on Bucket of files." in text
    assert "SecurityGroup may reach SecurityGroup of files on TCP 443." in text
    assert text.count("s3:GetObject") == 1
