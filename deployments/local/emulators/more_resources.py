"""Resource types that MiniStack's CloudFormation does not know although its services can do them.

Each is a few lines over MiniStack's own services, and behaves as AWS does where the difference shows: EC2 refuses a second rule
of the same content in a security group. A type that a later MiniStack knows by itself is left to it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

from ministack.services import ec2, eventbridge, secretsmanager
from ministack.services.cloudformation import provisioners

Properties = dict[str, Any]
Made = tuple[str, dict[str, Any]]
"""The physical id of a resource, and its attributes."""


def install() -> None:
    """Teach this process's MiniStack; once, before it serves."""
    for name, handler in _HANDLERS.items():
        provisioners._RESOURCE_HANDLERS.setdefault(name, handler)


def _answer(response: tuple[int, Any, Any]) -> dict[str, Any]:
    """The body of a service's answer; a refusal fails the resource."""
    status, _, body = response
    read: dict[str, Any] = json.loads(body or "{}")
    if status >= 400:
        raise ValueError(str(read.get("message") or read.get("Message") or read))
    return read


class _Rule:
    """One rule of a security group, in or out."""

    def __init__(self, side: str) -> None:
        self._side = side

    def create(self, _logical_id: str, props: Properties, _stack: str) -> Made:
        group = str(props.get("GroupId"))
        found = ec2._security_groups.get(group)
        if found is None:
            raise ValueError(f"The security group '{group}' does not exist (InvalidGroup.NotFound)")
        (rule,) = provisioners._ec2_sg_permissions([props])
        if any(ec2._rules_match(rule, known) for known in found[self._side]):
            raise ValueError("the specified rule already exists (InvalidPermission.Duplicate)")
        found[self._side].append(rule)
        identity = str(ec2._sg_rule_id(group, self._side != "IpPermissions", rule))
        return identity, {"Id": identity}

    def delete(self, _physical_id: str, props: Properties) -> None:
        found = ec2._security_groups.get(str(props.get("GroupId")))
        if found is not None:
            (rule,) = provisioners._ec2_sg_permissions([props])
            found[self._side] = [known for known in found[self._side] if not ec2._rules_match(rule, known)]


def _asked(call: Callable[[Properties], tuple[int, Any, bytes]], **params: Any) -> ElementTree.Element:
    """What a call of EC2 answers, which is XML; a refusal fails the resource."""
    status, _, body = call({name: value for name, value in params.items() if value is not None})
    answer = ElementTree.fromstring(body)  # noqa: S314  (an answer of our own process)
    if status >= 400:
        raise ValueError(_text(answer, "Message"))
    return answer


def _text(answer: ElementTree.Element, name: str) -> str:
    """The first text under this name, whatever the namespace."""
    return next((each.text or "" for each in answer.iter() if each.tag.rpartition("}")[2] == name), "")


def _create_address(_logical_id: str, props: Properties, _stack: str) -> Made:
    made = _asked(ec2._allocate_address, Domain=props.get("Domain"))
    address, allocation = _text(made, "publicIp"), _text(made, "allocationId")
    return address, {"AllocationId": allocation, "PublicIp": address}


def _delete_address(physical_id: str, _props: Properties) -> None:
    for allocation, known in list(ec2._addresses.items()):
        if known["PublicIp"] == physical_id:
            _asked(ec2._release_address, AllocationId=allocation)


def _create_nat(_logical_id: str, props: Properties, _stack: str) -> Made:
    wanted = {name: props.get(name) for name in ("SubnetId", "AllocationId", "ConnectivityType")}
    identity = _text(_asked(ec2._create_nat_gateway, **wanted), "natGatewayId")
    return identity, {"NatGatewayId": identity}


def _delete_nat(physical_id: str, _props: Properties) -> None:
    ec2._delete_nat_gateway({"NatGatewayId": physical_id})


def _create_flow_log(_logical_id: str, props: Properties, _stack: str) -> Made:
    names = ("ResourceType", "TrafficType", "LogDestinationType", "LogDestination", "LogGroupName")
    wanted = {name: props.get(name) for name in names}
    answer = _asked(ec2._create_flow_logs, **wanted, **{"ResourceId.1": props["ResourceId"]})
    identity = next(each.text or "" for each in answer.iter() if (each.text or "").startswith("fl-"))
    return identity, {"Id": identity}


def _delete_flow_log(physical_id: str, _props: Properties) -> None:
    ec2._delete_flow_logs({"FlowLogId.1": physical_id})


def _create_instance(_logical_id: str, props: Properties, _stack: str) -> Made:
    """An instance that is only told of: no machine runs, so none is waited for."""
    profile, _ = ec2._resolve_iam_instance_profile(iam_name=props.get("IamInstanceProfile", ""), allow_missing=True)
    (made,) = ec2._launch_instances_internal(
        image_id=props.get("ImageId", ""),
        instance_type=props.get("InstanceType", "m1.small"),
        subnet_id=props.get("SubnetId", ec2._DEFAULT_SUBNET_ID),
        count=1,
        key_name=props.get("KeyName", ""),
        user_data=props.get("UserData", ""),
        sg_ids=list(props.get("SecurityGroupIds", ())),
        requested_private_ip=props.get("PrivateIpAddress"),
        iam_profile=profile,
    )
    identity = str(made["InstanceId"])
    ec2._tags[identity] = list(props.get("Tags", ()))
    names = {"PrivateIp": "PrivateIpAddress", "PublicIp": "PublicIpAddress", "VpcId": "VpcId"}
    names |= {name: name for name in ("InstanceId", "PrivateDnsName", "PublicDnsName")}
    return identity, {"AvailabilityZone": made["Placement"]["AvailabilityZone"], **{key: made[of] for key, of in names.items()}}


def _delete_instance(physical_id: str, _props: Properties) -> None:
    ec2._terminate_instances({"InstanceId.1": [physical_id]})


def _create_secret_policy(_logical_id: str, props: Properties, _stack: str) -> Made:
    policy = props["ResourcePolicy"]
    text = policy if isinstance(policy, str) else json.dumps(policy)
    _answer(secretsmanager._put_resource_policy({"SecretId": props["SecretId"], "ResourcePolicy": text}))
    return str(props["SecretId"]), {"Id": props["SecretId"]}


def _delete_secret_policy(_physical_id: str, props: Properties) -> None:
    secretsmanager._delete_resource_policy({"SecretId": props["SecretId"]})


def _create_rotation(_logical_id: str, props: Properties, _stack: str) -> Made:
    if not props.get("RotationLambdaARN"):
        raise ValueError("only rotation by a function that is there already (RotationLambdaARN)")
    wanted = {key: props[key] for key in ("SecretId", "RotationLambdaARN", "RotationRules") if key in props}
    _answer(secretsmanager._rotate_secret(wanted))
    return str(props["SecretId"]), {"Id": props["SecretId"]}


def _delete_rotation(_physical_id: str, props: Properties) -> None:
    _, secret = secretsmanager._resolve(props["SecretId"])
    if secret is not None:
        secret["RotationEnabled"] = False


def _create_archive(logical_id: str, props: Properties, stack: str) -> Made:
    name = str(props.get("ArchiveName") or f"{stack}-{logical_id}"[:48])
    pattern = props.get("EventPattern", "")
    wanted = {
        **props,
        "ArchiveName": name,
        "EventSourceArn": props["SourceArn"],
        "EventPattern": pattern if isinstance(pattern, str) else json.dumps(pattern),
    }
    made = _answer(eventbridge._create_archive(wanted))
    return name, {"ArchiveName": name, "Arn": made["ArchiveArn"]}


def _delete_archive(physical_id: str, _props: Properties) -> None:
    eventbridge._delete_archive({"ArchiveName": physical_id})


def _create_bus_policy(_logical_id: str, props: Properties, _stack: str) -> Made:
    statement = props.get("Statement") or props
    about = {key: statement[key] for key in ("Principal", "Action", "Condition") if key in statement}
    bus = str(props.get("EventBusName", "default"))
    _answer(eventbridge._put_permission({"EventBusName": bus, "StatementId": props["StatementId"], **about}))
    return f"{bus}|{props['StatementId']}", {}


def _delete_bus_policy(_physical_id: str, props: Properties) -> None:
    eventbridge._remove_permission({"EventBusName": props.get("EventBusName", "default"), "StatementId": props["StatementId"]})


def _handler(create: Callable[[str, Properties, str], Made], delete: Callable[[str, Properties], None]) -> Mapping[str, Any]:
    return {"create": create, "delete": delete}


_INGRESS, _EGRESS = _Rule("IpPermissions"), _Rule("IpPermissionsEgress")
_HANDLERS: Mapping[str, Mapping[str, Any]] = {
    "AWS::EC2::EIP": _handler(_create_address, _delete_address),
    "AWS::EC2::FlowLog": _handler(_create_flow_log, _delete_flow_log),
    "AWS::EC2::NatGateway": _handler(_create_nat, _delete_nat),
    "AWS::EC2::Instance": _handler(_create_instance, _delete_instance),
    "AWS::EC2::SecurityGroupEgress": _handler(_EGRESS.create, _EGRESS.delete),
    "AWS::EC2::SecurityGroupIngress": _handler(_INGRESS.create, _INGRESS.delete),
    "AWS::Events::Archive": _handler(_create_archive, _delete_archive),
    "AWS::Events::EventBusPolicy": _handler(_create_bus_policy, _delete_bus_policy),
    "AWS::SecretsManager::ResourcePolicy": _handler(_create_secret_policy, _delete_secret_policy),
    "AWS::SecretsManager::RotationSchedule": _handler(_create_rotation, _delete_rotation),
}
