"""Packages of many components: applications of eight, alike in shape and different in names."""

from __future__ import annotations

from typing import Any

from core_lib.db import Facts
from core_lib.framework.models import Account, DeploymentDetails, Task, TaskPayload
from core_lib.framework.package import Package

ACCOUNT, REGION = "111111111111", "eu-west-1"
_APPLICATION = """
web-{n}:
  Type: AWS::ApplicationLoadBalancer
  Configuration:
    ApplicationLoadBalancer:
      Pipeline::Security: [{{Source: office, Allow: ["TCP:443"]}}]
    Listener:
      Properties: {{Port: 443, Protocol: HTTPS, Certificates: [{{CertificateArn: "{{{{ vars.Certificate }}}}"}}]}}
    DefaultTargetGroup:
      Properties: {{Port: 8080, Protocol: HTTP, TargetType: ip, HealthCheckPath: /health}}
orders-{n}:
  Type: AWS::DynamoDB
  Persist: true
  Configuration:
    Table:
      Pipeline::Security: [{{Source: checkout-{n}, Allow: [read, write]}}]
      Properties:
        AttributeDefinitions: [{{AttributeName: id, AttributeType: S}}]
        KeySchema: [{{AttributeName: id, KeyType: HASH}}]
checkout-{n}:
  Type: AWS::Serverless
  Configuration:
    Function:
      Pipeline::Link:
        TABLE: {{Component: orders-{n}, OutputName: TableName}}
        QUEUE: {{Component: placed-{n}, OutputName: QueueUrl}}
      Properties:
        Runtime: python3.13
        Handler: index.handler
        MemorySize: "{{{{ vars.Memory }}}}"
        Code: {{ZipFile: "def handler(event, context): return event"}}
        VpcConfig: {{"Fn::Pipeline::LambdaVpcConfig": {{VpcAccess: true}}}}
placed-{n}:
  Type: AWS::SQS::Queue
  Configuration:
    Queue:
      Pipeline::Security: [{{Source: checkout-{n}, Allow: [write]}}]
events-{n}:
  Type: AWS::SNS::Topic
  Configuration:
    Topic:
      Pipeline::Security: [{{Source: checkout-{n}, Allow: [publish]}}]
files-{n}:
  Type: AWS::S3::Bucket
  Configuration:
    Bucket:
      Pipeline::Security: [{{Source: checkout-{n}, Allow: [read]}}]
token-{n}:
  Type: AWS::SecretsManager::Secret
  Configuration:
    Secret:
      Pipeline::Security: [{{Source: checkout-{n}, Allow: [read]}}]
sessions-{n}:
  Type: AWS::DynamoDB
  Configuration:
    Table:
      Pipeline::Security: [{{Source: checkout-{n}, Allow: [read, write, delete]}}]
      Properties:
        AttributeDefinitions: [{{AttributeName: token, AttributeType: S}}]
        KeySchema: [{{AttributeName: token, KeyType: HASH}}]
        TimeToLiveSpecification: {{AttributeName: expires, Enabled: true}}
"""
APPLICATION_SIZE = 8
_VARS = f"""
_defaults:
  Memory: 256
  Certificate: arn:aws:acm:{REGION}:{ACCOUNT}:certificate/12345678-1234-1234-1234-123456789012
main: {{Memory: 512}}
"""


def definitions(count: int) -> dict[str, str]:
    """The files of a package of `count` components, an application a file."""
    return {
        f"platform/components/app-{number:04}.yaml": _APPLICATION.format(n=f"{number:04}")
        for number in range(count // APPLICATION_SIZE)
    }


def package(count: int) -> Package:
    """A package of `count` components (a multiple of eight)."""
    return Package.from_files({"platform/vars/vars.yaml": _VARS, **definitions(count)})


def facts() -> Facts:
    """Facts of a deployment in a zone with a network, a hosted zone and a security alias."""
    values: dict[str, Any] = {
        "Client": "acme",
        "Portfolio": "shop",
        "App": "web",
        "Branch": "main",
        "BranchShortName": "main",
        "Build": "7",
        "Environment": "prod",
        "AwsAccountId": ACCOUNT,
        "AwsRegion": REGION,
        "AccountName": "shop-prod",
        "ResourceNamespace": "acme",
        "VpcAliases": {"main": "Main"},
        "SubnetAliases": {"public": "Public", "private": "Private"},
        "SecurityAliases": {"office": [{"Type": "cidr", "Value": "198.51.100.0/24", "Description": "the office"}]},
        "HostedZoneName": "shop.example.org",
        "HostedZoneId": "Z0123456789ABCDEFGHIJ",
        "FilesBucketName": "acme-files",
        "FilesBucketRegion": REGION,
        "BuildFilesPrefix": "files/shop/web/main/7",
        "Tags": {"CostCentre": "4711"},
    }
    return Facts(values)


def payload() -> TaskPayload:
    """The request of the compile."""
    details = DeploymentDetails(portfolio="shop", app="web", branch="main", build="7", environment="prod")
    return TaskPayload(client="acme", task=Task.COMPILE, type="pipeline", deployment_details=details)


def accounts() -> tuple[Account, ...]:
    """The account that the deployment goes to."""
    return (Account(id=ACCOUNT, name="shop-prod", organizational_unit="/workloads/prod"),)
