"""AWS::DeleteSecurityGroupEnis against a scripted EC2 that detaches slowly, pages, and keeps what services use."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from core_lib.execute import Again, Done, Failed
from core_lib.execute.actions.delete_security_group_enis import CHANGES_PER_STEP, DeleteSecurityGroupEnis
from core_lib.execute.interfaces.live import Verdict, judge
from core_lib.framework.models import Cause
from tests.builders.contexts import context_of
from tests.builders.scripted import names, refusal, scripted
from tests.builders.steps import drive

GROUP = "sg-0123456789abcdef0"
ACTION = DeleteSecurityGroupEnis()


def interface(identity: str, **more: Any) -> dict[str, Any]:
    made = {"NetworkInterfaceId": identity, "Status": "available", "InterfaceType": "interface", "RequesterManaged": False}
    return made | {"Groups": [{"GroupId": GROUP}]} | more


def attached(identity: str, index: int = 1, **more: Any) -> dict[str, Any]:
    attachment = {
        "AttachmentId": f"eni-attach-{identity}", "InstanceId": "i-1", "DeviceIndex": index, "Status": "attached",
    } | more.pop("attachment", {})  # fmt: skip
    return interface(identity, **({"Status": "in-use", "Attachment": attachment} | more))


def of_lambda(identity: str) -> dict[str, Any]:
    attachment = {"AttachmentId": "ela-attach-1", "DeviceIndex": 1, "Status": "attached", "InstanceOwnerId": "amazon-aws"}
    found = interface(identity, Status="in-use", InterfaceType="lambda", RequesterManaged=True, Attachment=attachment)
    return found | {"Description": "AWS Lambda VPC ENI-shop"}


class Network:
    """Two interfaces a page; a detached one shows as detaching for one look."""

    def __init__(self, *interfaces: dict[str, Any], **more: Any) -> None:
        self.interfaces = {each["NetworkInterfaceId"]: each for each in interfaces}
        answers = {
            "describe_network_interfaces": self.describe, "detach_network_interface": self.detach,
            "delete_network_interface": self.delete,
        }  # fmt: skip
        self.client = scripted("ec2", **(answers | more))

    def describe(self, NextToken: str = "0", **_: Any) -> dict[str, Any]:  # noqa: N803 - EC2's names
        first, shown = int(NextToken), list(self.interfaces.values())
        page = {"NetworkInterfaces": [dict(each) for each in shown[first : first + 2]]}
        for each in shown[first : first + 2]:
            if each.get("Attachment", {}).get("Status") == "detaching":
                each.pop("Attachment")
                each["Status"] = "available"
        return page | ({"NextToken": str(first + 2)} if first + 2 < len(shown) else {})

    def detach(self, AttachmentId: str, Force: bool) -> None:  # noqa: N803 - EC2's names
        assert Force
        found = next(each for each in self.interfaces.values() if each.get("Attachment", {}).get("AttachmentId") == AttachmentId)
        found["Attachment"]["Status"] = "detaching"

    def delete(self, NetworkInterfaceId: str) -> None:  # noqa: N803 - EC2's names
        if self.interfaces[NetworkInterfaceId]["Status"] != "available":
            raise refusal("InvalidNetworkInterface.InUse")
        del self.interfaces[NetworkInterfaceId]

    def contexts(self, scratch: dict[str, Any]) -> Any:
        return context_of(DeleteSecurityGroupEnis, {"ec2": self.client}, scratch=scratch, SecurityGroupId=GROUP)


def test_interfaces_when_free_or_attached_then_all_go_over_several_pages() -> None:
    network = Network(interface("eni-1"), attached("eni-2"), attached("eni-3"), interface("eni-4"), interface("eni-5"))
    done, _ = drive(ACTION, network.contexts)
    assert network.interfaces == {}
    assert done == Done(outputs={"Deleted": 5, "Left": {}}, message="5 network interfaces deleted")


def test_interfaces_when_there_are_none_then_nothing_changes() -> None:
    done, _ = drive(ACTION, Network().contexts)
    assert isinstance(done, Done)
    assert not done.changed


def test_interfaces_when_a_service_or_an_instance_needs_them_then_they_are_left_and_named() -> None:
    network = Network(interface("eni-1"), of_lambda("eni-2"), attached("eni-3", index=0))
    done, _ = drive(ACTION, network.contexts)
    assert isinstance(done, Done)
    assert done.outputs["Deleted"] == 1
    assert done.outputs["Left"] == {
        "eni-2": "in use by a service of AWS: AWS Lambda VPC ENI-shop", "eni-3": "the first interface of instance i-1",
    }  # fmt: skip
    assert "detach_network_interface" not in names(network.client)


def test_interface_when_the_answer_is_of_another_group_then_it_is_not_touched() -> None:
    network = Network(interface("eni-1", Groups=[{"GroupId": "sg-00000000000000000"}]))
    drive(ACTION, network.contexts)
    assert list(network.interfaces) == ["eni-1"]


def test_interface_when_ec2_refuses_for_good_then_it_is_left_with_its_reason() -> None:
    network = Network(interface("eni-1"), delete_network_interface=refusal("OperationNotPermitted", "managed by ELB"))
    done, _ = drive(ACTION, network.contexts)
    assert isinstance(done, Done)
    assert done.outputs == {"Deleted": 0, "Left": {"eni-1": "OperationNotPermitted: managed by ELB"}}


def test_interface_when_gone_between_look_and_deletion_then_that_is_fine() -> None:
    network = Network(interface("eni-1"))

    def vanish(**_: Any) -> Any:
        network.interfaces.clear()
        raise refusal("InvalidNetworkInterfaceID.NotFound")

    network.client = scripted("ec2", describe_network_interfaces=network.describe, delete_network_interface=vanish)
    assert isinstance(drive(ACTION, network.contexts)[0], Done)


def test_interface_when_it_never_detaches_then_it_fails_after_a_while_and_is_named() -> None:
    network = Network(interface("eni-1"), delete_network_interface=refusal("InvalidNetworkInterface.InUse"))
    failed, _ = drive(ACTION, network.contexts)
    assert isinstance(failed, Failed)
    assert failed.cause is Cause.TIMEOUT
    assert "eni-1" in failed.message


@pytest.mark.cancel("AWS::DeleteSecurityGroupEnis")
def test_interfaces_when_there_are_many_then_a_step_changes_a_bounded_number() -> None:
    network = Network(*(interface(f"eni-{number}") for number in range(120)))
    step = ACTION.start(network.contexts({}))
    assert isinstance(step, Again)
    assert len(network.interfaces) == 120 - CHANGES_PER_STEP
    stopped = ACTION.cancel(network.contexts(dict(step.scratch or {})))
    assert stopped == Done(message="stopped: 50 network interfaces deleted")
    assert isinstance(drive(ACTION, network.contexts)[0], Done)


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "RequestLimitExceeded"])
def test_interfaces_when_ec2_says_no_then_the_engine_judges_it(code: str) -> None:
    network = Network(interface("eni-1"), delete_network_interface=refusal(code))
    with pytest.raises(ClientError, match=code):
        ACTION.start(network.contexts({}))


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (interface("eni-1"), Verdict.DELETE),
        (interface("eni-1", InterfaceType="lambda", RequesterManaged=True), Verdict.DELETE),
        (attached("eni-1"), Verdict.DETACH),
        (attached("eni-1", attachment={"Status": "detaching"}), Verdict.WAIT),
        (attached("eni-1", index=0), Verdict.LEAVE),
        (attached("eni-1", RequesterManaged=True), Verdict.LEAVE),
        (attached("eni-1", InterfaceType="nat_gateway"), Verdict.LEAVE),
        (attached("eni-1", attachment={"AttachmentId": "ela-attach-1"}), Verdict.LEAVE),
        (of_lambda("eni-1"), Verdict.LEAVE),
    ],
)
def test_verdict_when_an_interface_is_described_then_it_says_what_comes_next(answer: dict[str, Any], verdict: Verdict) -> None:
    assert judge(answer).verdict is verdict
