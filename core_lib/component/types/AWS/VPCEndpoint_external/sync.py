"""Registers the addresses of an interface endpoint as targets; for CloudFormation and for a schedule."""

import json
import os
import urllib.request

import boto3

ec2 = boto3.client("ec2")
balancers = boto3.client("elbv2")


def handler(event, context):
    told = {"Status": "SUCCESS", "Data": {}}
    try:
        if event.get("RequestType") != "Delete":
            told["Data"] = {"Addresses": ",".join(sync())}
    except Exception as error:
        if "ResponseURL" not in event:
            raise
        told = {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"[:900]}
    if "ResponseURL" in event:
        answer(event, context, told)
    return told["Data"] if "Data" in told else None


def sync():
    endpoint = ec2.describe_vpc_endpoints(VpcEndpointIds=[os.environ["ENDPOINT"]])["VpcEndpoints"][0]
    found = ec2.describe_network_interfaces(NetworkInterfaceIds=endpoint["NetworkInterfaceIds"])["NetworkInterfaces"]
    wanted = sorted(each["PrivateIpAddress"] for each in found)
    if not wanted:
        raise RuntimeError(f"the endpoint {os.environ['ENDPOINT']} has no addresses")
    group, port = os.environ["TARGET_GROUP"], int(os.environ["PORT"])
    health = balancers.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    known = {each["Target"]["Id"] for each in health if each["TargetHealth"]["State"] != "draining"}
    new, gone = set(wanted) - known, known - set(wanted)
    if new:
        balancers.register_targets(TargetGroupArn=group, Targets=[{"Id": each, "Port": port} for each in sorted(new)])
    if gone:
        balancers.deregister_targets(TargetGroupArn=group, Targets=[{"Id": each, "Port": port} for each in sorted(gone)])
    return wanted


def answer(event, context, told):
    body = {
        "PhysicalResourceId": event.get("PhysicalResourceId") or os.environ["TARGET_GROUP"],
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Reason": f"see log stream {context.log_stream_name}",
        **told,
    }
    request = urllib.request.Request(event["ResponseURL"], json.dumps(body).encode(), method="PUT", headers={"content-type": ""})
    urllib.request.urlopen(request, timeout=20).close()
