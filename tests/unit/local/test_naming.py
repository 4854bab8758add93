"""A request is named as AWS would name it."""

from __future__ import annotations

import boto3
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from deployments.local.gateway.naming import Call, name_call

CALLS = [
    ("s3", "put_object", {"Bucket": "some", "Key": "a/b?c d"}, "PutObject", "s3"),
    ("s3", "copy_object", {"Bucket": "some", "Key": "a", "CopySource": "other/b"}, "CopyObject", "s3"),
    ("s3", "upload_part", {"Bucket": "some", "Key": "a", "UploadId": "u", "PartNumber": 1}, "UploadPart", "s3"),
    ("s3", "list_objects_v2", {"Bucket": "some", "Prefix": "x"}, "ListObjectsV2", "s3"),
    ("s3", "get_bucket_policy", {"Bucket": "some"}, "GetBucketPolicy", "s3"),
    ("s3", "head_object", {"Bucket": "some", "Key": "uploads"}, "HeadObject", "s3"),
    ("s3", "create_multipart_upload", {"Bucket": "some", "Key": "a"}, "CreateMultipartUpload", "s3"),
    ("s3", "delete_objects", {"Bucket": "some", "Delete": {"Objects": [{"Key": "a"}]}}, "DeleteObjects", "s3"),
    ("dynamodb", "list_tables", {}, "ListTables", "json"),
    ("organizations", "list_roots", {}, "ListRoots", "json"),
    ("cloudformation", "create_change_set", {"StackName": "s", "ChangeSetName": "c"}, "CreateChangeSet", "query"),
    ("ec2", "describe_vpcs", {}, "DescribeVpcs", "ec2"),
    ("lambda", "invoke", {"FunctionName": "f"}, "Invoke", "rest-json"),
    ("lambda", "list_functions", {}, "ListFunctions", "rest-json"),
    ("route53", "get_hosted_zone", {"Id": "Z1"}, "GetHostedZone", "rest-xml"),
    ("apigateway", "get_rest_apis", {}, "GetRestApis", "rest-json"),
    ("eks", "describe_cluster", {"name": "c"}, "DescribeCluster", "rest-json"),
    ("account", "list_regions", {}, "ListRegions", "rest-json"),
    ("efs", "describe_file_systems", {}, "DescribeFileSystems", "rest-json"),
    ("cloudwatch", "list_metrics", {}, "ListMetrics", None),
]


def named(service: str, call: str, arguments: dict[str, object]) -> Call:
    """What the gateway makes of the request that boto3 would send."""
    client = boto3.client(
        service,
        endpoint_url="http://127.0.0.1:1",
        region_name="eu-west-1",
        aws_access_key_id="100000000001",
        aws_secret_access_key="any",
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )
    seen: list[Call] = []

    class Stop(Exception):
        pass

    def before_send(request: AWSRequest, **_: object) -> None:
        headers = {key.title(): value.decode() if isinstance(value, bytes) else value for key, value in request.headers.items()}
        headers |= {key.lower(): value for key, value in headers.items()}
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        path = request.url.removeprefix("http://127.0.0.1:1")
        seen.append(name_call(request.method, path, headers, body))
        raise Stop

    client.meta.events.register("before-send", before_send)
    with pytest.raises(Stop):
        getattr(client, call)(**arguments)
    return seen[0]


@pytest.mark.parametrize(("service", "call", "arguments", "operation", "protocol"), CALLS, ids=[f"{c[0]}.{c[1]}" for c in CALLS])
def test_call_when_boto3_sends_it_then_operation_region_key_and_protocol_are_known(
    service: str, call: str, arguments: dict[str, object], operation: str, protocol: str | None
) -> None:
    found = named(service, call, arguments)
    assert (found.operation, found.region, found.access_key) == (operation, "eu-west-1", "100000000001") or (
        # global services sign for one region
        service in ("route53", "account", "organizations")
        and (found.operation, found.region, found.access_key) == (operation, "us-east-1", "100000000001")
    )
    assert protocol is None or found.protocol == protocol


def test_call_when_presigned_then_the_credential_is_read_from_the_query() -> None:
    path = "/some/key?X-Amz-Credential=100000000001%2F20260101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=0"
    found = name_call("GET", path, {}, b"")
    assert (found.service, found.operation, found.access_key) == ("s3", "GetObject", "100000000001")


def test_call_when_unsigned_then_it_has_no_service_and_no_key() -> None:
    assert name_call("PUT", "/wait-handle", {}, b"") == Call("", "PUT /wait-handle", "", "", "rest-json")


@given(
    st.sampled_from(["GET", "POST", "PUT", "HEAD", "DELETE"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60),
    st.dictionaries(st.sampled_from(["Authorization", "X-Amz-Target", "Content-Type"]), st.text(max_size=60)),
    st.binary(max_size=60),
)
def test_call_when_the_request_is_garbage_then_naming_never_fails(
    method: str, path: str, headers: dict[str, str], body: bytes
) -> None:
    assert isinstance(name_call(method, "/" + path, headers, body).operation, str)
