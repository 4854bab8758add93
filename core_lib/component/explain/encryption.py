"""Which key protects what: for every resource that can be encrypted, where its type says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core_lib.component.explain.words import Words
from core_lib.component.guard.paths import found
from core_lib.component.guard.values import ABSENT
from core_lib.component.model import StageTemplate
from core_lib.framework.models import Message

AWS_KEY = "a key that AWS manages"
COPIED_KEY = "the key of the snapshot or database that it is made from"
_ORIGINS = ("DBSnapshotIdentifier", "SnapshotIdentifier", "SnapshotId", "SourceDBInstanceIdentifier", "SourceDBClusterIdentifier")


class Encryption(Message):
    """How a resource is encrypted at rest. `key` is None when it is not."""

    stage: str
    resource: str
    type: str
    key: str | None = None


@dataclass(frozen=True)
class _Place:
    """Where a type says which key it uses, what switches encryption on, and whether AWS encrypts it in any case."""

    key: str
    switch: str | None = None
    always: bool = False


_PLACES: Mapping[str, _Place] = {
    "AWS::AmazonMQ::Broker": _Place("EncryptionOptions.KmsKeyId", always=True),
    "AWS::Athena::WorkGroup": _Place("WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration.KmsKey"),
    "AWS::Backup::BackupVault": _Place("EncryptionKeyArn", always=True),
    "AWS::CodeBuild::Project": _Place("EncryptionKey", always=True),
    "AWS::DocDB::DBCluster": _Place("KmsKeyId", "StorageEncrypted"),
    "AWS::DynamoDB::Table": _Place("SSESpecification.KMSMasterKeyId", always=True),
    "AWS::EC2::LaunchTemplate": _Place(
        "LaunchTemplateData.BlockDeviceMappings.[*].Ebs.KmsKeyId", "LaunchTemplateData.BlockDeviceMappings.[*].Ebs.Encrypted"
    ),
    "AWS::EC2::Instance": _Place("BlockDeviceMappings.[*].Ebs.KmsKeyId", "BlockDeviceMappings.[*].Ebs.Encrypted"),
    "AWS::EC2::Volume": _Place("KmsKeyId", "Encrypted"),
    "AWS::ECR::Repository": _Place("EncryptionConfiguration.KmsKey", always=True),
    "AWS::EFS::FileSystem": _Place("KmsKeyId", "Encrypted"),
    "AWS::EKS::Cluster": _Place("EncryptionConfig.[*].Provider.KeyArn", always=True),
    "AWS::ElastiCache::ReplicationGroup": _Place("KmsKeyId", "AtRestEncryptionEnabled"),
    "AWS::ElastiCache::ServerlessCache": _Place("KmsKeyId", always=True),
    "AWS::Events::EventBus": _Place("KmsKeyIdentifier", always=True),
    "AWS::Glue::SecurityConfiguration": _Place("EncryptionConfiguration.S3Encryptions.[*].KmsKeyArn"),
    "AWS::Kinesis::Stream": _Place("StreamEncryption.KeyId"),
    "AWS::KinesisFirehose::DeliveryStream": _Place(
        "DeliveryStreamEncryptionConfigurationInput.KeyARN", "DeliveryStreamEncryptionConfigurationInput.KeyType"
    ),
    "AWS::Lambda::Function": _Place("KmsKeyArn", always=True),
    "AWS::Logs::LogGroup": _Place("KmsKeyId", always=True),
    "AWS::MSK::Cluster": _Place("EncryptionInfo.EncryptionAtRest.DataVolumeKMSKeyId", always=True),
    "AWS::OpenSearchService::Domain": _Place("EncryptionAtRestOptions.KmsKeyId", "EncryptionAtRestOptions.Enabled"),
    "AWS::RDS::DBCluster": _Place("KmsKeyId", "StorageEncrypted"),
    "AWS::RDS::DBInstance": _Place("KmsKeyId", "StorageEncrypted"),
    "AWS::Redshift::Cluster": _Place("KmsKeyId", "Encrypted"),
    "AWS::S3::Bucket": _Place(
        "BucketEncryption.ServerSideEncryptionConfiguration.[*].ServerSideEncryptionByDefault.KMSMasterKeyID", always=True
    ),
    "AWS::SNS::Topic": _Place("KmsMasterKeyId"),
    "AWS::SQS::Queue": _Place("KmsMasterKeyId", "SqsManagedSseEnabled"),
    "AWS::SecretsManager::Secret": _Place("KmsKeyId", always=True),
    "AWS::StepFunctions::StateMachine": _Place("EncryptionConfiguration.KmsKeyId", always=True),
}


def encryption_of(owner: str, template: StageTemplate) -> Iterator[Encryption]:
    """Every resource of a template that can be encrypted at rest."""
    words = Words(owner, template)
    for name, resource in (template.body.get("Resources") or {}).items():
        kind = resource.get("Type", "")
        place = _PLACES.get(kind)
        properties = resource.get("Properties") or {}
        if place is None or (kind == "AWS::RDS::DBInstance" and "DBClusterIdentifier" in properties):
            continue
        yield Encryption(stage=template.stage, resource=name, type=kind, key=_key(place, properties, words))


def _key(place: _Place, properties: Mapping[str, Any], words: Words) -> str | None:
    keys = [words.say(value) for value in _values(properties, place.key)]
    if keys:
        return " and ".join(dict.fromkeys(keys))
    if place.always:
        return AWS_KEY
    if any(name in properties for name in _ORIGINS):
        return COPIED_KEY
    switched_on = place.switch is not None and any(value not in (False, "false") for value in _values(properties, place.switch))
    return AWS_KEY if switched_on else None


def _values(properties: Mapping[str, Any], path: str) -> list[Any]:
    return [value for _, value in found(properties, tuple(path.split(".")), {}) if value is not ABSENT and value != {}]
