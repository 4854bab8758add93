"""Registers the addresses of an interface endpoint as targets; for CloudFormation and for a schedule."""

import json
import os
from http.client import HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import boto3

ec2 = boto3.client("ec2")
balancers = boto3.client("elbv2")


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Called by CloudFormation with an address for the answer, and by a schedule without one."""
    if "ResponseURL" not in event:
        return sync()
    told: dict[str, Any] = {"Status": "SUCCESS", "Data": {}}
    try:
        if event["RequestType"] != "Delete":
            told["Data"] = sync()
    except Exception as error:  # noqa: BLE001  - whatever it is, CloudFormation has to hear of it, else it waits for an hour
        told = {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"[:900]}
    answer(event, context, told)
    return {}


def sync() -> dict[str, str]:
    """Make the targets those addresses that the endpoint has."""
    endpoint = ec2.describe_vpc_endpoints(VpcEndpointIds=[os.environ["ENDPOINT"]])["VpcEndpoints"][0]
    found = ec2.describe_network_interfaces(NetworkInterfaceIds=endpoint["NetworkInterfaceIds"])["NetworkInterfaces"]
    wanted = {each["PrivateIpAddress"] for each in found}
    if not wanted:
        raise RuntimeError(f"the endpoint {os.environ['ENDPOINT']} has no addresses")
    group = os.environ["TARGET_GROUP"]
    health = balancers.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    known = {each["Target"]["Id"] for each in health if each["TargetHealth"]["State"] != "draining"}
    if wanted - known:
        balancers.register_targets(TargetGroupArn=group, Targets=targets(wanted - known))
    if known - wanted:
        balancers.deregister_targets(TargetGroupArn=group, Targets=targets(known - wanted))
    return {"Addresses": ",".join(sorted(wanted))}


def targets(addresses: set[str]) -> list[dict[str, Any]]:
    """Addresses as the load balancer takes them."""
    return [{"Id": address, "Port": int(os.environ["PORT"])} for address in sorted(addresses)]


def answer(event: dict[str, Any], context: Any, told: dict[str, Any]) -> None:
    """Tell CloudFormation how it ended."""
    body = {
        "PhysicalResourceId": event.get("PhysicalResourceId") or os.environ["TARGET_GROUP"],
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Reason": f"see log stream {context.log_stream_name}",
        **told,
    }
    address = urlsplit(event["ResponseURL"])
    connection = HTTPSConnection(address.netloc, timeout=20)
    connection.request("PUT", f"{address.path}?{address.query}", json.dumps(body), {"content-type": ""})
    connection.getresponse().read()
