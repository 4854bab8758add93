"""Faults on purpose arrive as AWS would send them, in every wire protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

from core_lib.framework.errors import PlatformError
from deployments.local import EmbeddedCloud


@pytest.fixture(autouse=True)
def _no_faults_afterwards(cloud: EmbeddedCloud) -> Iterator[None]:
    yield
    cloud.faults([])


def client(cloud: EmbeddedCloud, service: str, key: str, attempts: int = 1, **more: Any) -> Any:
    return boto3.client(
        service,
        endpoint_url=cloud.endpoint,
        region_name=more.pop("region", "eu-west-1"),
        aws_access_key_id=key,
        aws_secret_access_key="any",
        config=Config(retries={"mode": "standard", "total_max_attempts": attempts}, **more),
    )


PROTOCOLS = [
    ("json 1.0", "dynamodb", "list_tables", {}, "ListTables"),
    ("json 1.1", "ssm", "describe_parameters", {}, "DescribeParameters"),
    ("json, query compatible", "sqs", "list_queues", {}, "ListQueues"),
    ("json of moto", "organizations", "list_roots", {}, "ListRoots"),
    ("query", "cloudformation", "list_stacks", {}, "ListStacks"),
    ("query, sts", "sts", "get_caller_identity", {}, "GetCallerIdentity"),
    ("query, iam", "iam", "list_roles", {}, "ListRoles"),
    ("ec2", "ec2", "describe_vpcs", {}, "DescribeVpcs"),
    ("s3", "s3", "get_object", {"Bucket": "some-bucket", "Key": "a/b c+d"}, "GetObject"),
    ("s3, service level", "s3", "list_buckets", {}, "ListBuckets"),
    ("rest-json", "lambda", "get_function", {"FunctionName": "f"}, "GetFunction"),
    ("rest-xml", "route53", "list_hosted_zones", {}, "ListHostedZones"),
    ("its own choice", "cloudwatch", "list_metrics", {}, "ListMetrics"),
]


@pytest.mark.parametrize(("service", "call", "arguments", "operation"), [p[1:] for p in PROTOCOLS], ids=[p[0] for p in PROTOCOLS])
def test_error_when_a_rule_fires_then_the_sdk_parses_code_message_and_status(
    cloud: EmbeddedCloud, account_id: str, service: str, call: str, arguments: dict[str, str], operation: str
) -> None:
    error = {"code": "SlowDownPlease", "message": "not <now> & not later", "status": 429}
    cloud.faults([{"match": {"operation": operation, "account": account_id}, "error": error}])
    with pytest.raises(ClientError) as refusal:
        getattr(client(cloud, service, account_id), call)(**arguments)
    answer = refusal.value.response
    assert answer["Error"]["Code"] == "SlowDownPlease"
    assert answer["Error"]["Message"] == "not <now> & not later"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429


def test_throttling_when_it_fires_twice_then_retries_get_through(cloud: EmbeddedCloud, account_id: str) -> None:
    cloud.faults([{"match": {"service": "ssm", "account": account_id}, "times": 2, "error": {}}])
    answer = client(cloud, "ssm", account_id, attempts=5).describe_parameters()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 2
    assert cloud.fault_statistics()[0]["fired"] == 2


def test_rule_when_it_names_one_account_and_region_then_others_are_left_alone(cloud: EmbeddedCloud, account_id: str) -> None:
    match = {"account": account_id, "region": "eu-.*", "operation": "Describe.*"}
    cloud.faults([{"match": match, "error": {"code": "AccessDeniedException", "status": 403}}])
    with pytest.raises(ClientError, match="AccessDenied"):
        client(cloud, "ssm", account_id).describe_parameters()
    client(cloud, "ssm", account_id, region="us-east-1").describe_parameters()
    client(cloud, "ssm", "200000000002").describe_parameters()
    client(cloud, "ssm", account_id).get_parameters(Names=["/x"])


def test_rule_when_it_has_after_and_every_then_it_fires_on_those_calls_only(cloud: EmbeddedCloud, account_id: str) -> None:
    cloud.faults([{"match": {"account": account_id}, "after": 1, "every": 2, "error": {}}])
    ssm = client(cloud, "ssm", account_id)
    outcomes = []
    for _ in range(6):
        try:
            ssm.describe_parameters()
            outcomes.append("ok")
        except ClientError:
            outcomes.append("fault")
    assert outcomes == ["ok", "ok", "fault", "ok", "fault", "ok"]


def test_rule_when_it_has_a_rate_then_only_calls_beyond_it_fire_and_each_account_has_its_own(
    cloud: EmbeddedCloud, account_id: str
) -> None:
    cloud.faults([{"match": {"operation": "DescribeParameters"}, "rate": 0.01, "burst": 3, "error": {}}])
    for account in (account_id, "200000000003"):
        ssm = client(cloud, "ssm", account)
        for _ in range(3):
            ssm.describe_parameters()
        with pytest.raises(ClientError, match="ThrottlingException"):
            ssm.describe_parameters()


def test_reset_when_it_fires_then_the_call_was_not_made(cloud: EmbeddedCloud, account_id: str) -> None:
    cloud.faults([{"match": {"operation": "PutParameter", "account": account_id}, "times": 1, "reset": True}])
    ssm = client(cloud, "ssm", account_id)
    with pytest.raises(ConnectionClosedError):
        ssm.put_parameter(Name="/x", Value="1", Type="String")
    with pytest.raises(ClientError, match="ParameterNotFound"):
        ssm.get_parameter(Name="/x")


def test_drop_response_when_it_fires_then_the_call_was_made_and_a_retry_meets_its_effect(
    cloud: EmbeddedCloud, account_id: str
) -> None:
    cloud.faults([{"match": {"operation": "PutParameter", "account": account_id}, "times": 1, "drop_response": True}])
    with pytest.raises(ClientError, match="ParameterAlreadyExists"):
        client(cloud, "ssm", account_id, attempts=3).put_parameter(Name="/x", Value="1", Type="String")
    assert client(cloud, "ssm", account_id).get_parameter(Name="/x")["Parameter"]["Value"] == "1"


def test_delay_when_longer_than_the_read_timeout_then_the_call_times_out(cloud: EmbeddedCloud, account_id: str) -> None:
    cloud.faults([{"match": {"account": account_id}, "delay": 2.0}])
    with pytest.raises(HTTPClientError, match="Read timeout"):
        client(cloud, "ssm", account_id, read_timeout=0.3).describe_parameters()


@pytest.mark.parametrize(
    "rule",
    [{}, {"error": {}, "reset": True}, {"error": {}, "unknown": 1}, {"error": {}, "match": {"service": "("}}, {"delay": -1}],
    ids=["no effect", "two effects", "unknown key", "broken pattern", "negative delay"],
)
def test_rules_when_one_is_not_valid_then_all_are_refused_and_the_old_ones_stay(
    cloud: EmbeddedCloud, rule: dict[str, Any]
) -> None:
    cloud.faults([{"match": {"account": "000000000009"}, "error": {}}])
    with pytest.raises(PlatformError, match="not a list of fault rules"):
        cloud.faults([{"error": {}}, rule])
    assert [known["match"] for known in cloud.fault_statistics()] == [{"account": "000000000009"}]


def test_log_when_calls_were_made_then_each_is_counted_by_operation_account_and_region(
    cloud: EmbeddedCloud, account_id: str
) -> None:
    ssm = client(cloud, "ssm", account_id)
    before = {count for count in cloud.calls("ssm") if count.account == account_id}
    ssm.put_parameter(Name="/x", Value="1", Type="String")
    ssm.get_parameter(Name="/x")
    ssm.get_parameter(Name="/x")
    counted = {(count.operation, count.region, count.count) for count in cloud.calls("ssm") if count.account == account_id}
    assert before == set()
    assert counted == {("PutParameter", "eu-west-1", 1), ("GetParameter", "eu-west-1", 2)}
    last = cloud.log()[-1]
    assert (last["operation"], last["account"], last["status"], last["fault"]) == ("GetParameter", account_id, 200, None)
    assert last["duration"] > 0
