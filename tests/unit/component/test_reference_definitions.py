"""Definitions as they were written for the reference system compile unchanged: all its types, all keys of their Configuration.

Those in tests/corpus/reference-components are our own; their spelling (types, keys, numbers as texts) is that of the reference.
"""

from __future__ import annotations

from functools import cache

import pytest

from core_lib.component import Built
from core_lib.component.model import Compiled
from tests.builders.components import CODE, built, reference_definitions

DEFINITIONS = reference_definitions()
FILES = {"platform/files/orders.zip": CODE, "platform/files/layer.zip": CODE}

AUTO_SCALE = {
    "BakeInstance", "AutoScalingGroup", "LogGroup", "HighCpuAlarm", "ErrorLogGroupMetricFilter", "UpScalingPolicy",
    "NightScheduledAction",
}  # fmt: skip
CONFIGURATION = {"LaunchConfiguration"}
TEMPLATE = {"LaunchTemplate"}
WEB = {"WebListener", "WebListenerCertificate", "WebListenerRule", "WebTargetGroup"}
BALANCED = {*WEB, "ApplicationLoadBalancer"}
TCP = {"TcpListener", "TcpTargetGroup"}
AURORA = {"DbCluster", "OneDbInstance", "TwoDbInstance", "DbClusterParameterGroup", "DbParameterGroup"}
DATABASE = {"DbInstance", "ParameterGroup", "OptionGroup"}
COLOURED = ("BakeInstance", "AutoScalingGroup", "LaunchConfiguration")
COLOURS = {f"{colour}{key}" for colour in ("Blue", "Green") for key in COLOURED}
KEYS = {
    "AWS::ACMPCA::CertificateAuthority": {"CertificateAuthority", "Certificate", "CertificateAuthorityActivation", "Permission"},
    "AWS::ApplicationLoadBalancer": {"LoadBalancer", *WEB},
    "AWS::ApplicationLoadBalancerV2": {"LoadBalancer", *WEB},
    "AWS::AutoScale": {*AUTO_SCALE, *CONFIGURATION, *BALANCED, "LoadBalancer"},
    "AWS::AutoScaleAlbLt": {*AUTO_SCALE, *TEMPLATE, *BALANCED},
    "AWS::AutoScaleNoAlb": {*AUTO_SCALE, *CONFIGURATION},
    "AWS::AutoScaleR53": {*AUTO_SCALE, *COLOURS, *BALANCED} - {"BakeInstance", "AutoScalingGroup"},
    "AWS::AutoScaleSpot": {*AUTO_SCALE, *TEMPLATE, *TCP, "NetworkLoadBalancer", "LoadBalancer"},
    "AWS::AutoScaleV2": {*AUTO_SCALE, *CONFIGURATION, *TCP, "NetworkLoadBalancer"},
    "AWS::AutoScaleV3": {*AUTO_SCALE, *CONFIGURATION, *TEMPLATE, *TCP, *BALANCED, "NetworkLoadBalancer"},
    "AWS::AutoScaleWin": {*AUTO_SCALE, *CONFIGURATION, *BALANCED},
    "AWS::Cluster": {*AUTO_SCALE, *CONFIGURATION},
    "AWS::DocDB::DBCluster": {"DBCluster", "OneDBInstance", "DBClusterParameterGroup"},
    "AWS::DynamoDB": {"Table"},
    "AWS::EFS": {"FileSystem"},
    "AWS::ElastiCache::Redis": {"ReplicationGroup", "ParameterGroup"},
    "AWS::IAM::IamAssumableRoleWithOidc": {"Role"},
    "AWS::Image": {"BakeInstance"},
    "AWS::LoadBalancedInstances": {"OneInstance", "TwoInstance", "LoadBalancer", "HighCpuAlarm"},
    "AWS::MSK": {"MSKCluster", "Configuration"},
    "AWS::NetworkLoadBalancer": {"LoadBalancer", *TCP},
    "AWS::RDS::Aurora::MySQL": AURORA,
    "AWS::RDS::Aurora::PostgreSQL": AURORA,
    "AWS::RDS::MSSQL": DATABASE,
    "AWS::RDS::MariaDB": {*DATABASE, "LogGroups"},
    "AWS::RDS::MySQL": {*DATABASE, "LogGroups"},
    "AWS::RDS::Oracle": DATABASE,
    "AWS::RDS::PostgreSQL": {*DATABASE, "LogGroups"},
    "AWS::Redshift::Cluster": {"RedshiftCluster", "ParameterGroup"},
    "AWS::S3::Bucket": {"Bucket"},
    "AWS::S3::Storage": {"Storage"},
    "AWS::SNS::Topic": {"Topic"},
    "AWS::SNS::Subscription": {"Subscription"},
    "AWS::SQS::Queue": {"Queue"},
    "AWS::SQS::DLQueue": {"Queue", "QueuePolicy"},
    "AWS::SecretsManager::Secret": {"Secret"},
    "AWS::SecretsManager::ApiSecret": {"Secret"},
    "AWS::Serverless": {"Function", "Layer", "NightEventRule", "OrdersTopicSubscription", "LogGroup"},
    "AWS::StaticWebsite": {"Distribution"},
    "AWS::StaticWebsiteV2": {"Distribution", "WAF"},
    "AWS::UnencryptedImage": {"BakeInstance", "ShareToAccounts"},
    "AWS::VPCEndpoint": {"Endpoint"},
    "AWS::VPCEndpoint_external": {"Endpoint", "External", *TCP},
}

SAMPLE = """\
orders-table:
  Type: AWS::DynamoDB
  Persist: true
  Configuration:
    Table:
      Pipeline::Security:
        - { Source: orders-fn, Allow: [read, write] }
      Properties:
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
        KeySchema: [{ AttributeName: id, KeyType: HASH }]
orders-fn:
  Type: AWS::Serverless
  DependsOn: [orders-table]
  Configuration:
    Function:
      Properties:
        Code: { S3Key: { "Fn::Pipeline::FileS3Key": { Path: orders.zip } } }
        Handler: main.handler
        Runtime: python3.12
        MemorySize: 256
        Timeout: 30
        VpcConfig: { "Fn::Pipeline::LambdaVpcConfig": { VpcAccess: false } }
"""


@cache
def definitions() -> list[Compiled]:
    """All components of the corpus, without what is made for the application."""
    made: Built = built(DEFINITIONS | FILES)
    return [compiled for name, compiled in made.components.items() if f"{name}.yaml" in DEFINITIONS]


def test_types_of_the_reference_when_counted_then_all_43_have_a_definition() -> None:
    assert len(KEYS) == 43
    assert {compiled.component.written_type for compiled in definitions()} == set(KEYS)


@pytest.mark.parametrize("name", sorted(KEYS))
def test_definition_of_the_reference_when_compiled_then_every_key_is_taken_and_templates_are_made(name: str) -> None:
    found = [each for each in definitions() if each.component.written_type == name]
    assert {key for compiled in found for key in compiled.component.entries} == KEYS[name]
    assert all(compiled.stages for compiled in found)


def test_sample_of_the_reference_when_compiled_then_it_is_taken_as_it_stands() -> None:
    found = built({"sample.yaml": SAMPLE, **FILES})
    assert {"orders-table", "orders-fn"} <= set(found.components)
    assert not found.warnings
