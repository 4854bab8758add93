"""Instances in the embedded cloud's CloudFormation: told of by EC2 as long as their stack is there. No machine runs."""

from __future__ import annotations

import json

import boto3

from deployments.local import EmbeddedCloud

BODY = {
    "Resources": {
        "Host": {
            "Type": "AWS::EC2::Instance",
            "Properties": {
                "ImageId": "ami-0123456789abcdef0",
                "InstanceType": "t4g.nano",
                "Tags": [{"Key": "Name", "Value": "host"}],
            },
        }
    },
    "Outputs": {
        "Id": {"Value": {"Ref": "Host"}},
        "PrivateIp": {"Value": {"Fn::GetAtt": ["Host", "PrivateIp"]}},
    },
}


def test_instance_when_its_stack_is_made_and_deleted_then_ec2_tells_of_it_in_between(aws: EmbeddedCloud) -> None:
    session = boto3.Session(region_name="eu-west-1")
    cloudformation, ec2 = session.client("cloudformation"), session.client("ec2")
    cloudformation.create_stack(StackName="host", TemplateBody=json.dumps(BODY))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="host", WaiterConfig={"Delay": 1})
    outputs = cloudformation.describe_stacks(StackName="host")["Stacks"][0]["Outputs"]
    told = {output["OutputKey"]: output["OutputValue"] for output in outputs}

    (instance,) = ec2.describe_instances(InstanceIds=[told["Id"]])["Reservations"][0]["Instances"]
    assert (instance["InstanceType"], instance["PrivateIpAddress"]) == ("t4g.nano", told["PrivateIp"])
    assert {"Key": "Name", "Value": "host"} in instance["Tags"]

    cloudformation.delete_stack(StackName="host")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="host", WaiterConfig={"Delay": 1})
    (instance,) = ec2.describe_instances(InstanceIds=[told["Id"]])["Reservations"][0]["Instances"]
    assert instance["State"]["Name"] == "terminated"
