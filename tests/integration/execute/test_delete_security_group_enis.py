"""AWS::DeleteSecurityGroupEnis through the real engine against the embedded cloud's EC2."""

from __future__ import annotations

import pytest

from tests.builders.plans import example
from tests.integration.execute.conftest import Rehearsal


@pytest.mark.example("AWS::DeleteSecurityGroupEnis")
async def test_interfaces_when_deleted_then_those_of_other_groups_stay(rehearsal: Rehearsal) -> None:
    ec2 = rehearsal.direct("ec2")
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    doomed, other = (ec2.create_security_group(GroupName=name, Description=name)["GroupId"] for name in ("doomed", "other"))

    def made(group: str) -> str:
        return str(ec2.create_network_interface(SubnetId=subnet, Groups=[group])["NetworkInterface"]["NetworkInterfaceId"])

    free, used, kept = made(doomed), made(doomed), made(other)
    instance = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    ec2.attach_network_interface(NetworkInterfaceId=used, InstanceId=instance, DeviceIndex=1)
    delete = example("it", "AWS::DeleteSecurityGroupEnis", target=rehearsal.target, SecurityGroupId=doomed)
    outcome = await rehearsal.run(delete)
    assert outcome["it"].outputs == {"Deleted": 2, "Left": {}}
    left = [each["NetworkInterfaceId"] for each in ec2.describe_network_interfaces()["NetworkInterfaces"]]
    assert kept in left
    assert not {free, used} & set(left)
    assert (await rehearsal.run(delete))["it"].changed is False
