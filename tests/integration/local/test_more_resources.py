"""Resource types that the embedded cloud's CloudFormation knows beyond MiniStack's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import WaiterError

from deployments.local import EmbeddedCloud

RULE = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/8"}


def client(name: str) -> Any:
    return boto3.client(name, region_name="eu-west-1")


def create(stack: str, **resources: Mapping[str, Any]) -> None:
    cloudformation = client("cloudformation")
    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps({"Resources": resources}))
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})


def delete(stack: str) -> None:
    client("cloudformation").delete_stack(StackName=stack)
    client("cloudformation").get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig={"Delay": 1})


def ingress(group: str) -> dict[str, Any]:
    return {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {"GroupId": group, **RULE}}


def test_rule_of_a_group_when_its_stack_is_deleted_then_it_goes_and_never_comes_twice(aws: EmbeddedCloud) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]

    def open_ports() -> list[int]:
        found = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
        return [rule["FromPort"] for rule in found["IpPermissions"]]

    create("one", Rule=ingress(group))
    assert open_ports() == [443]
    with pytest.raises(WaiterError):
        create("two", Rule=ingress(group))
    assert open_ports() == [443]
    delete("one")
    assert open_ports() == []


def test_rule_of_a_group_when_there_is_no_such_group_then_the_stack_fails(aws: EmbeddedCloud) -> None:
    with pytest.raises(WaiterError):
        create("none", Rule=ingress("sg-0123456789abcdef0"))


def test_policy_and_rotation_of_a_secret_when_they_are_made_then_the_service_tells_them(aws: EmbeddedCloud) -> None:
    secrets = client("secretsmanager")
    arn = secrets.create_secret(Name="key", SecretString="one")["ARN"]
    policy = {"Version": "2012-10-17", "Statement": []}
    create(
        "secret",
        Policy={"Type": "AWS::SecretsManager::ResourcePolicy", "Properties": {"SecretId": arn, "ResourcePolicy": policy}},
        Rotation={
            "Type": "AWS::SecretsManager::RotationSchedule",
            "Properties": {
                "SecretId": arn,
                "RotationLambdaARN": "arn:aws:lambda:eu-west-1:111111111111:function:rotate",
                "RotationRules": {"AutomaticallyAfterDays": 30},
            },
        },
    )
    assert json.loads(secrets.get_resource_policy(SecretId=arn)["ResourcePolicy"]) == policy
    assert secrets.describe_secret(SecretId=arn)["RotationEnabled"]
    delete("secret")
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId=arn)
    assert not secrets.describe_secret(SecretId=arn)["RotationEnabled"]


def test_archive_and_policy_of_a_bus_when_they_are_made_then_the_service_tells_them(aws: EmbeddedCloud) -> None:
    events = client("events")
    bus = events.create_event_bus(Name="shop")["EventBusArn"]
    statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:root"}, "Action": "events:PutEvents"}
    create(
        "bus",
        Archive={"Type": "AWS::Events::Archive", "Properties": {"ArchiveName": "all", "SourceArn": bus, "RetentionDays": 7}},
        Policy={
            "Type": "AWS::Events::EventBusPolicy",
            "Properties": {"EventBusName": "shop", "StatementId": "Other", "Statement": statement},
        },
    )
    assert events.describe_archive(ArchiveName="all")["RetentionDays"] == 7
    assert "222222222222" in events.describe_event_bus(Name="shop")["Policy"]
    delete("bus")
    assert events.list_archives()["Archives"] == []
    assert "222222222222" not in events.describe_event_bus(Name="shop").get("Policy", "")
