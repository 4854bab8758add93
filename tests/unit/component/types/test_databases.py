"""Types that keep data: whose key encrypts it, who gets in, where its password is, and what a teardown leaves."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from core_lib.component import Built
from core_lib.component.library import builtin_catalogue
from core_lib.component.model import Step, Wire
from core_lib.execute import validate_spec
from core_lib.framework.errors import CoreError
from tests.builders.components import built, example_files, resources_of, template

INSTANCES = ("MySQL", "MariaDB", "PostgreSQL", "MSSQL", "Oracle")
CLUSTERS = ("MySQL", "PostgreSQL")
PASSWORDS = ("MasterUserPassword", "AuthToken")
KEY = {"Ref": "KmsKeyArn"}
TYPES = (
    *(f"AWS::RDS::{name}" for name in INSTANCES), *(f"AWS::RDS::Aurora::{name}" for name in CLUSTERS), "AWS::DocDB::DBCluster",
    "AWS::EFS", "AWS::EKS::Cluster", "AWS::ElastiCache::Redis", "AWS::Glue::Job", "AWS::Kinesis::Stream", "AWS::MSK",
    "AWS::OpenSearch::Domain", "AWS::Redshift::Cluster",
)  # fmt: skip
EXAMPLES = [
    (name, file)
    for name in TYPES
    for file in sorted(builtin_catalogue().types[name].files)
    if file == "example.yaml" or file.startswith("examples/")
]
REFUSED = [
    ("AWS::RDS::MySQL", "DbInstance", "{MasterUserPassword: hunter2}"),
    ("AWS::RDS::MySQL", "DbInstance", "{DBInstanceIdentifier: mine}"),
    ("AWS::RDS::MySQL", "DbInstance", "{PubliclyAccessible: true}"),
    ("AWS::RDS::MySQL", "DbInstance", "{PubliclyAccessible: 'true'}"),
    ("AWS::RDS::Aurora::MySQL", "DbCluster", "{MasterUserPassword: hunter2}"),
    ("AWS::RDS::Aurora::MySQL", "OneDbInstance", "{PubliclyAccessible: true}"),
    ("AWS::DocDB::DBCluster", "DBCluster", "{MasterUserPassword: hunter2}"),
    ("AWS::ElastiCache::Redis", "ReplicationGroup", "{AuthToken: hunter2hunter2hunter2}"),
    ("AWS::Redshift::Cluster", "RedshiftCluster", "{MasterUserPassword: hunter2}"),
    ("AWS::Redshift::Cluster", "RedshiftCluster", "{PubliclyAccessible: true}"),
    (
        "AWS::OpenSearch::Domain",
        "Domain",
        "{AdvancedSecurityOptions: {Enabled: true, MasterUserOptions: {MasterUserName: me, MasterUserPassword: hunter2}}}",
    ),
    ("AWS::EKS::Cluster", "Cluster", "{ResourcesVpcConfig: {EndpointPublicAccess: true}}"),
]


def one(kind: str, key: str, properties: str = "{}", options: str = "{}", more: str = "") -> Built:
    """A component `data` with one entry; `more` are further lines of its Configuration."""
    return built(f"""
data:
  Type: {kind}
  Options: {options}
  Configuration:
    {key}: {{Properties: {properties}}}
{more}
""")


def only(made: Built, kind: str, stage: str = "resources") -> Mapping[str, Any]:
    (found,) = resources_of(made, "data", kind, stage)
    return found


def outputs(made: Built) -> Mapping[str, Any]:
    return {name: output["Value"] for name, output in template(made, "data")["Outputs"].items()}


def leaves(tree: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if isinstance(tree, Mapping):
        return [leaf for key, value in tree.items() for leaf in leaves(value, (*path, str(key)))]
    if isinstance(tree, (list, tuple)):
        return [leaf for value in tree for leaf in leaves(value, path)]
    return [(path, tree)]


# What holds for all of them


@pytest.mark.parametrize(("name", "file"), EXAMPLES)
def test_templates_when_passwords_stand_in_them_then_they_are_references_to_secrets(name: str, file: str) -> None:
    made = built(example_files(builtin_catalogue().types[name], file))
    for compiled in made.components.values():
        for stage in compiled.stages.values():
            for path, value in leaves(stage.body):
                if set(path) & set(PASSWORDS):
                    assert re.match(r"\{\{resolve:secretsmanager:\$\{Secret\}:SecretString:\w+\}\}\Z", value), path


@pytest.mark.parametrize(("name", "file"), EXAMPLES)
def test_log_groups_when_made_then_they_are_encrypted_and_do_not_grow_for_ever(name: str, file: str) -> None:
    made = built(example_files(builtin_catalogue().types[name], file))
    for component, compiled in made.components.items():
        if compiled.component.type.name == name and "logs" in compiled.stages:
            groups = resources_of(made, component, "AWS::Logs::LogGroup", "logs")
            assert groups
            assert all(group["KmsKeyId"] == KEY and group["RetentionInDays"] > 0 for group in groups)


@pytest.mark.parametrize(("kind", "key", "properties"), REFUSED)
def test_definition_when_it_would_open_the_data_then_it_is_refused(kind: str, key: str, properties: str) -> None:
    more = "    DbCluster: {}" if key == "OneDbInstance" else ""
    with pytest.raises(CoreError) as raised:
        one(kind, key, properties, more=more)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "key", "unprotect"),
    [
        ("AWS::RDS::PostgreSQL", "DbInstance", "AWS::RDS::ModifyDbInstance"),
        ("AWS::RDS::Aurora::PostgreSQL", "DbCluster", "AWS::RDS::UnprotectDbCluster"),
        ("AWS::DocDB::DBCluster", "DBCluster", "AWS::RDS::UnprotectDbCluster"),
    ],
)
def test_teardown_when_the_database_is_protected_then_the_protection_is_lifted_first(kind: str, key: str, unprotect: str) -> None:
    def steps(properties: str) -> tuple[Step, ...]:
        return one(kind, key, properties).components["data"].steps["teardown"]

    assert steps("{}") == ()
    (step,) = steps("{DeletionProtection: true}")
    assert (step.kind, step.before) == (unprotect, "resources")
    assert validate_spec(unprotect, step.spec, allow_runtime=True)


@pytest.mark.parametrize(
    ("kind", "key", "made"),
    [
        ("AWS::RDS::MySQL", "DbInstance", "AWS::RDS::DBInstance"),
        ("AWS::RDS::Aurora::MySQL", "DbCluster", "AWS::RDS::DBCluster"),
        ("AWS::DocDB::DBCluster", "DBCluster", "AWS::DocDB::DBCluster"),
        ("AWS::ElastiCache::Redis", "ReplicationGroup", "AWS::ElastiCache::ReplicationGroup"),
        ("AWS::Redshift::Cluster", "RedshiftCluster", "AWS::Redshift::Cluster"),
    ],
)
def test_data_when_deleted_then_a_snapshot_and_its_key_stay_unless_the_user_says_otherwise(
    kind: str, key: str, made: str
) -> None:
    kept = one(kind, key)
    gone = built(f"data: {{Type: '{kind}', Configuration: {{{key}: {{DeletionPolicy: Delete, Properties: {{}}}}}}}}")
    policies = [
        next(each["DeletionPolicy"] for each in template(some, "data")["Resources"].values() if each["Type"] == made)
        for some in (kept, gone)
    ]
    assert policies == ["Snapshot", "Delete"]
    assert [some.components["data"].retains for some in (kept, gone)] == [True, False]


ALLOWED = [
    (name, key, alias, "{Authentication: iam}" if (name, alias) == ("AWS::ElastiCache::Redis", "connect") else "{}")
    for name in TYPES
    for key, rule in builtin_catalogue().types[name].file.configuration.items()
    if "iam" in rule.security
    for alias in builtin_catalogue().types[name].file.security.allow
]


@pytest.mark.parametrize(("name", "key", "alias", "options"), ALLOWED)
def test_alias_when_somebody_is_allowed_it_then_the_policy_names_outputs_that_there_are(
    name: str, key: str, alias: str, options: str
) -> None:
    script = "{Command: {ScriptLocation: 's3://acme-jobs/x.py'}}" if name == "AWS::Glue::Job" else "{}"
    made = built(f"""
data:
  Type: {name}
  Options: {options}
  Configuration:
    {key}: {{"Pipeline::Security": [{{Source: caller, Allow: [{alias}]}}], Properties: {script}}}
caller:
  Type: AWS::Serverless
  Configuration:
    Function: {{Properties: {{Handler: main.run, Runtime: python3.13, Code: {{ZipFile: "run = print"}}}}}}
""")
    stages = made.components["data"].stages
    (policy,) = resources_of(made, "data", "AWS::IAM::Policy", "rules")
    assert policy["PolicyDocument"]["Statement"]
    used = {wire.output for wire in stages["rules"].parameters.values() if isinstance(wire, Wire) and wire.stage == "resources"}
    assert used
    assert used <= set(outputs(made))


# Instances of RDS


@pytest.mark.parametrize("engine", INSTANCES)
def test_instance_when_nothing_is_said_then_it_is_closed_encrypted_and_backed_up(engine: str) -> None:
    made = one(f"AWS::RDS::{engine}", "DbInstance")
    found = only(made, "AWS::RDS::DBInstance")
    assert found["StorageEncrypted"] is True
    assert found["KmsKeyId"] == found["PerformanceInsightsKMSKeyId"] == KEY
    assert found["PubliclyAccessible"] is False
    assert found["VPCSecurityGroups"] == [{"Ref": "SecurityGroupId"}]
    assert (found["BackupRetentionPeriod"], found["StorageType"], found["CopyTagsToSnapshot"]) == (7, "gp3", True)
    logs = {group["LogGroupName"].rpartition("/")[2] for group in resources_of(made, "data", "AWS::Logs::LogGroup", "logs")}
    assert logs == set(found["EnableCloudwatchLogsExports"])


@pytest.mark.parametrize("engine", INSTANCES)
def test_password_when_rds_manages_it_then_the_secret_is_encrypted_with_the_applications_key(engine: str) -> None:
    made = one(f"AWS::RDS::{engine}", "DbInstance")
    found = only(made, "AWS::RDS::DBInstance")
    assert (found["ManageMasterUserPassword"], found["MasterUserSecret"]) == (True, {"KmsKeyId": KEY})
    assert "MasterUserPassword" not in found
    assert outputs(made)["SecretArn"] == {"Fn::GetAtt": ["DbInstance", "MasterUserSecret.SecretArn"]}


def test_password_when_it_is_generated_then_a_function_with_a_group_of_the_builds_own_changes_it() -> None:
    made = one("AWS::RDS::PostgreSQL", "DbInstance", "{Port: 6432}", "{Password: generated, RotateAfterDays: 60}")
    assert "ManageMasterUserPassword" not in only(made, "AWS::RDS::DBInstance")
    assert only(made, "AWS::SecretsManager::Secret")["KmsKeyId"] == KEY
    rotation = only(made, "AWS::SecretsManager::RotationSchedule")
    assert rotation["RotationRules"] == {"AutomaticallyAfterDays": 60}
    assert rotation["HostedRotationLambda"]["RotationType"] == "PostgreSQLSingleUser"
    door = only(made, "AWS::EC2::SecurityGroupIngress")
    assert door["SourceSecurityGroupId"] == rotation["HostedRotationLambda"]["VpcSecurityGroupIds"] == {"Ref": "RotationGroup"}
    assert door["GroupId"] == {"Ref": "SecurityGroupId"}
    assert (door["FromPort"], door["ToPort"]) == (6432, 6432)
    assert template(made, "data")["Transform"] == "AWS::SecretsManager-2024-09-16"


def test_password_when_it_is_generated_and_never_changes_then_there_is_no_transform_and_no_function() -> None:
    made = one("AWS::RDS::MySQL", "DbInstance", "{}", "{Password: generated, RotateAfterDays: 0}")
    assert "Transform" not in template(made, "data")
    assert resources_of(made, "data", "AWS::SecretsManager::RotationSchedule") == []


@pytest.mark.parametrize(
    ("engine", "version", "family"),
    [
        ("MySQL", "8.0.46", "mysql8.0"), ("MariaDB", "11.4.12", "mariadb11.4"), ("PostgreSQL", "16.15", "postgres16"),
        ("PostgreSQL", "18", "postgres18"), ("MSSQL", "15.00.4490.9.v1", "sqlserver-se-15.0"), ("Oracle", "21", "oracle-se2-21"),
    ],
)  # fmt: skip
def test_parameter_group_when_a_version_is_chosen_then_its_family_follows(engine: str, version: str, family: str) -> None:
    made = one(f"AWS::RDS::{engine}", "DbInstance", f"{{EngineVersion: '{version}'}}")
    assert only(made, "AWS::RDS::DBParameterGroup")["Family"] == family


@pytest.mark.parametrize(
    ("engine", "name", "value"),
    [("MySQL", "require_secure_transport", "1"), ("PostgreSQL", "rds.force_ssl", "1"), ("MSSQL", "rds.force_ssl", "1")],
)
def test_tls_when_a_parameter_group_switches_it_off_then_only_the_option_does(engine: str, name: str, value: str) -> None:
    more = f"    ParameterGroup: {{Properties: {{Parameters: {{{name}: '0'}}}}}}"
    forced = one(f"AWS::RDS::{engine}", "DbInstance", more=more)
    free = one(f"AWS::RDS::{engine}", "DbInstance", options="{RequireTls: false}", more=more)
    values = [only(made, "AWS::RDS::DBParameterGroup")["Parameters"][name] for made in (forced, free)]
    assert values == [value, "0"]


def test_oracle_when_it_has_options_of_its_own_then_encryption_on_the_wire_joins_them() -> None:
    more = "    OptionGroup: {Properties: {OptionConfigurations: [{OptionName: Timezone}]}}"
    group = only(one("AWS::RDS::Oracle", "DbInstance", more=more), "AWS::RDS::OptionGroup")
    assert [option["OptionName"] for option in group["OptionConfigurations"]] == ["Timezone", "NATIVE_NETWORK_ENCRYPTION"]


def test_sql_server_when_it_backs_up_to_s3_then_the_option_works_with_the_components_role() -> None:
    more = "    OptionGroup: {Properties: {OptionConfigurations: [{OptionName: SQLSERVER_BACKUP_RESTORE}, {OptionName: TDE}]}}"
    group = only(one("AWS::RDS::MSSQL", "DbInstance", more=more), "AWS::RDS::OptionGroup")
    backup, tde = group["OptionConfigurations"]
    assert backup["OptionSettings"] == [{"Name": "IAM_ROLE_ARN", "Value": {"Ref": "RoleArn"}}]
    assert tde == {"OptionName": "TDE"}


def test_instance_when_it_comes_from_a_snapshot_then_what_lies_in_the_snapshot_is_not_said_again() -> None:
    snapshot = "{DBSnapshotIdentifier: {'Fn::Pipeline::SnapshotId': {Name: orders}}, MasterUsername: root}"
    found = only(one("AWS::RDS::MySQL", "DbInstance", snapshot), "AWS::RDS::DBInstance")
    assert found["DBSnapshotIdentifier"] == "arn:aws:rds:eu-west-1:111111111111:snapshot:orders-golden"
    assert not {"MasterUsername", "StorageEncrypted", "KmsKeyId", "AllocatedStorage", "EngineVersion"} & set(found)
    assert found["ManageMasterUserPassword"] is True


def test_replica_when_it_reads_from_another_instance_then_it_has_no_password_and_leaves_no_snapshot() -> None:
    made = one("AWS::RDS::MySQL", "DbInstance", "{SourceDBInstanceIdentifier: orders}")
    assert not {"ManageMasterUserPassword", "MasterUsername", "BackupRetentionPeriod"} & set(only(made, "AWS::RDS::DBInstance"))
    assert "SecretArn" not in outputs(made)
    assert made.components["data"].retains is False


@pytest.mark.parametrize(("size", "seen"), [("db.t4g.micro", False), ("db.t4g.medium", True)])
def test_performance_insights_when_the_class_is_too_small_then_they_are_off(size: str, seen: bool) -> None:
    found = only(one("AWS::RDS::MySQL", "DbInstance", f"{{DBInstanceClass: {size}}}"), "AWS::RDS::DBInstance")
    assert found["EnablePerformanceInsights"] is seen
    assert ("PerformanceInsightsKMSKeyId" in found) is seen


def test_database_when_a_zone_is_chosen_then_its_subnets_are_those_of_the_zone() -> None:
    private = only(one("AWS::RDS::MySQL", "DbInstance", options="{NetworkZone: private}"), "AWS::RDS::DBSubnetGroup")
    usual = only(one("AWS::RDS::MySQL", "DbInstance"), "AWS::RDS::DBSubnetGroup")
    assert "Private1Id" in json.dumps(private["SubnetIds"])
    assert "Data1Id" in json.dumps(usual["SubnetIds"])
    with pytest.raises(CoreError, match="no subnets of the zone moon"):
        one("AWS::RDS::MySQL", "DbInstance", options="{NetworkZone: moon}")


def test_key_when_the_template_refers_to_it_then_it_is_that_of_the_application() -> None:
    stage = one("AWS::RDS::MySQL", "DbInstance").components["data"].stages["resources"]
    assert stage.parameters["KmsKeyArn"] == Wire("_application", "kms", "KeyArn")


# Clusters


def test_aurora_when_no_instance_is_written_then_there_is_a_serverless_one() -> None:
    made = one("AWS::RDS::Aurora::PostgreSQL", "DbCluster")
    assert only(made, "AWS::RDS::DBInstance")["DBInstanceClass"] == "db.serverless"
    assert only(made, "AWS::RDS::DBCluster")["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 0.5, "MaxCapacity": 4}


def test_aurora_when_groups_are_written_then_cluster_and_instances_use_their_own() -> None:
    more = """
    ADbInstance: {}
    BDbInstance: {Properties: {DBParameterGroupName: {Ref: SecondParameterGroup}}}
    MyClusterParameterGroup: {Properties: {Parameters: {binlog_format: ROW}}}
    FirstParameterGroup: {}
    SecondParameterGroup: {}
"""
    made = one("AWS::RDS::Aurora::MySQL", "DbCluster", more=more)
    assert only(made, "AWS::RDS::DBCluster")["DBClusterParameterGroupName"] == {"Ref": "MyClusterParameterGroup"}
    used = [each["DBParameterGroupName"] for each in resources_of(made, "data", "AWS::RDS::DBInstance")]
    assert used == [{"Ref": "FirstParameterGroup"}, {"Ref": "SecondParameterGroup"}]
    parameters = only(made, "AWS::RDS::DBClusterParameterGroup")["Parameters"]
    assert (parameters["binlog_format"], parameters["require_secure_transport"]) == ("ROW", "ON")


def test_aurora_when_it_comes_from_a_snapshot_then_the_password_is_managed_whatever_the_option_says() -> None:
    made = one("AWS::RDS::Aurora::MySQL", "DbCluster", "{SnapshotIdentifier: golden}", "{Password: generated}")
    found = only(made, "AWS::RDS::DBCluster")
    assert found["ManageMasterUserPassword"] is True
    assert not {"MasterUsername", "MasterUserPassword"} & set(found)


def test_documents_when_they_come_from_a_snapshot_then_there_is_no_secret() -> None:
    made = one("AWS::DocDB::DBCluster", "DBCluster", "{SnapshotIdentifier: golden}")
    assert not {"MasterUsername", "MasterUserPassword"} & set(only(made, "AWS::DocDB::DBCluster"))
    assert "SecretArn" not in outputs(made)


# Caches, streams and the rest


@pytest.mark.parametrize(
    ("kind", "properties", "engine", "family"),
    [
        ("AWS::ElastiCache::Redis", "{}", "redis", "redis7"),
        ("AWS::ElastiCache::Redis", "{EngineVersion: '6.2'}", "redis", "redis6.x"),
        ("AWS::ElastiCache::Redis", "{EngineVersion: '5.0.6'}", "redis", "redis5.0"),
        ("AWS::ElastiCache::Redis", "{Engine: valkey}", "valkey", "valkey8"),
        ("AWS::ElastiCache::Valkey", "{}", "valkey", "valkey8"),
    ],
)
def test_cache_when_an_engine_is_chosen_then_its_family_follows(kind: str, properties: str, engine: str, family: str) -> None:
    made = one(kind, "ReplicationGroup", properties)
    found = only(made, "AWS::ElastiCache::ReplicationGroup")
    assert (found["Engine"], found["TransitEncryptionEnabled"], found["AtRestEncryptionEnabled"]) == (engine, True, True)
    assert only(made, "AWS::ElastiCache::ParameterGroup")["CacheParameterGroupFamily"] == family


@pytest.mark.parametrize(("version", "written"), [("5.0.6", False), ("6.2", True), ("7.1", True)])
def test_cache_when_its_version_writes_logs_then_they_are_delivered(version: str, written: bool) -> None:
    made = one("AWS::ElastiCache::Redis", "ReplicationGroup", f"{{EngineVersion: '{version}'}}")
    assert ("LogDeliveryConfigurations" in only(made, "AWS::ElastiCache::ReplicationGroup")) is written


def test_cache_when_clients_sign_in_with_iam_then_there_is_no_secret_and_no_default_user() -> None:
    made = one("AWS::ElastiCache::Redis", "ReplicationGroup", options="{Authentication: iam}")
    assert resources_of(made, "data", "AWS::SecretsManager::Secret") == []
    assert "AuthToken" not in only(made, "AWS::ElastiCache::ReplicationGroup")
    user, default = resources_of(made, "data", "AWS::ElastiCache::User")
    assert user["UserId"] == user["UserName"]
    assert (default["UserName"], default["AccessString"]) == ("default", "off -@all")


def test_cache_when_it_has_shards_then_clients_ask_its_configuration() -> None:
    made = one("AWS::ElastiCache::Redis", "ReplicationGroup", "{NumNodeGroups: 3, ReplicasPerNodeGroup: 1}")
    assert outputs(made)["EndpointAddress"] == {"Fn::GetAtt": ["ReplicationGroup", "ConfigurationEndPoint.Address"]}
    assert only(made, "AWS::ElastiCache::ParameterGroup")["Properties"] == {"cluster-enabled": "yes"}
    assert "NumCacheClusters" not in only(made, "AWS::ElastiCache::ReplicationGroup")


def test_warehouse_when_parameters_switch_tls_off_then_it_stays_on() -> None:
    more = "    ParameterGroup: {Properties: {Parameters: [{ParameterName: require_ssl, ParameterValue: 'false'}]}}"
    made = only(one("AWS::Redshift::Cluster", "RedshiftCluster", more=more), "AWS::Redshift::ClusterParameterGroup")
    values = [each["ParameterValue"] for each in made["Parameters"] if each["ParameterName"] == "require_ssl"]
    assert values == ["true"]


def test_file_system_when_made_then_every_subnet_has_a_mount_target_and_mounts_without_tls_are_denied() -> None:
    made = one("AWS::EFS", "FileSystem")
    assert len(resources_of(made, "data", "AWS::EFS::MountTarget")) == 3
    statements = only(made, "AWS::EFS::FileSystem")["FileSystemPolicy"]["Statement"]
    assert [each["Condition"] for each in statements if each["Effect"] == "Deny"] == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_file_system_when_iam_is_asked_for_then_nobody_mounts_without_a_role() -> None:
    made = one("AWS::EFS", "FileSystem", options="{RequireIam: true}")
    allowed = [each for each in only(made, "AWS::EFS::FileSystem")["FileSystemPolicy"]["Statement"] if each["Effect"] == "Allow"]
    assert all(each["Principal"] != {"AWS": "*"} for each in allowed)


@pytest.mark.parametrize(
    ("key", "properties", "kind"),
    [
        ("MSKCluster", "{}", "AWS::MSK::Cluster"),
        ("MSKCluster", "{Serverless: true}", "AWS::MSK::ServerlessCluster"),
        ("ServerlessCluster", "{}", "AWS::MSK::ServerlessCluster"),
    ],
)
def test_kafka_when_clients_come_then_they_sign_in_with_iam(key: str, properties: str, kind: str) -> None:
    made = one("AWS::MSK", key, properties)
    assert only(made, kind)["ClientAuthentication"]["Sasl"] == {"Iam": {"Enabled": True}}
    assert ("logs" in made.components["data"].stages) is (kind == "AWS::MSK::Cluster")


@pytest.mark.parametrize(("size", "replicated"), [("kafka.m7g.large", True), ("express.m7g.large", False)])
def test_kafka_when_brokers_are_express_then_what_they_decide_themselves_is_left_to_them(size: str, replicated: bool) -> None:
    made = one("AWS::MSK", "MSKCluster", f"{{BrokerNodeGroupInfo: {{InstanceType: {size}}}}}")
    lines = only(made, "AWS::MSK::Configuration")["ServerProperties"]["Fn::Join"][1]
    assert "auto.create.topics.enable=false" in lines
    assert ("min.insync.replicas=2" in lines) is replicated
    assert ("StorageInfo" in only(made, "AWS::MSK::Cluster")["BrokerNodeGroupInfo"]) is replicated


def test_kafka_when_no_cluster_is_written_then_that_is_said() -> None:
    with pytest.raises(CoreError, match="write MSKCluster or ServerlessCluster"):
        built("data: {Type: 'AWS::MSK', Configuration: {LogGroups: {}}}")


def test_kafka_when_plaintext_is_written_then_tls_stays() -> None:
    found = only(
        one("AWS::MSK", "MSKCluster", "{EncryptionInfo: {EncryptionInTransit: {ClientBroker: PLAINTEXT}}}"), "AWS::MSK::Cluster"
    )
    assert found["EncryptionInfo"]["EncryptionInTransit"] == {"ClientBroker": "TLS", "InCluster": True}


@pytest.mark.parametrize(("shape", "zones"), [("{}", 2), ("{InstanceCount: 1}", 1), ("{InstanceCount: 6}", 3)])
def test_search_when_it_has_nodes_then_it_has_as_many_subnets_as_zones(shape: str, zones: int) -> None:
    found = only(one("AWS::OpenSearch::Domain", "Domain", f"{{ClusterConfig: {shape}}}"), "AWS::OpenSearchService::Domain")
    assert len(found["VPCOptions"]["SubnetIds"]) == zones
    assert found["DomainEndpointOptions"]["EnforceHTTPS"] is True


@pytest.mark.parametrize(("properties", "mode"), [("{}", "ON_DEMAND"), ("{ShardCount: 2}", "PROVISIONED")])
def test_stream_when_shards_are_counted_then_it_does_not_grow_by_itself(properties: str, mode: str) -> None:
    found = only(one("AWS::Kinesis::Stream", "Stream", properties), "AWS::Kinesis::Stream")
    assert found["StreamModeDetails"] == {"StreamMode": mode}
    assert found["StreamEncryption"] == {"EncryptionType": "KMS", "KeyId": KEY}


def test_job_when_its_script_is_a_file_of_the_package_then_it_lies_in_the_files_bucket() -> None:
    made = built(example_files(builtin_catalogue().types["AWS::Glue::Job"]))
    (job,) = resources_of(made, "nightly-report", "AWS::Glue::Job")
    assert re.match(r"s3://acme-files/files/shop/web/.*nightly\.py\Z", job["Command"]["ScriptLocation"])


def test_job_when_its_workers_talk_to_each_other_then_the_rule_is_on_a_group_of_the_builds_own() -> None:
    made = built(example_files(builtin_catalogue().types["AWS::Glue::Job"], "examples/all-keys.yaml"))
    (rule,) = resources_of(made, "import-orders", "AWS::EC2::SecurityGroupIngress")
    assert rule["GroupId"] == rule["SourceSecurityGroupId"] == {"Ref": "WorkersGroup"}


def test_nodes_when_their_type_is_chosen_then_their_image_follows_and_their_disks_are_encrypted() -> None:
    more = (
        "    ANodegroup: {Properties: {InstanceTypes: [m6i.large]}}\n    BNodegroup: {Properties: {InstanceTypes: [c7g.large]}}"
    )
    made = one("AWS::EKS::Cluster", "Cluster", more=more)
    images = [each["AmiType"] for each in resources_of(made, "data", "AWS::EKS::Nodegroup")]
    assert images == ["AL2023_x86_64_STANDARD", "AL2023_ARM_64_STANDARD"]
    for launch in resources_of(made, "data", "AWS::EC2::LaunchTemplate"):
        (disk,) = launch["LaunchTemplateData"]["BlockDeviceMappings"]
        assert (disk["Ebs"]["Encrypted"], disk["Ebs"]["KmsKeyId"]) == (True, KEY)
        assert launch["LaunchTemplateData"]["MetadataOptions"]["HttpTokens"] == "required"


def test_cluster_when_administrators_are_named_then_they_and_nobody_else_get_in() -> None:
    made = one("AWS::EKS::Cluster", "Cluster", options="{Administrators: ['arn:aws:iam::111111111111:role/team']}")
    assert only(made, "AWS::EKS::AccessEntry")["PrincipalArn"] == "arn:aws:iam::111111111111:role/team"
    cluster = only(made, "AWS::EKS::Cluster")
    assert cluster["AccessConfig"] == {"AuthenticationMode": "API", "BootstrapClusterCreatorAdminPermissions": False}
    assert cluster["ResourcesVpcConfig"]["EndpointPublicAccess"] is False
