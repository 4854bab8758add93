"""Functions, buckets, queues, topics and secrets: what they make of what is written, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from core_lib.component import Built
from core_lib.framework.errors import CoreError
from tests.builders.components import built, resources_of, template

FILES: Mapping[str, str | bytes] = {"platform/files/app.zip": b"one", "platform/files/layer.zip": b"two"}
FUNCTION = """
fn:
  Type: AWS::Serverless
  Configuration:
    Function:
      Properties:
        Code: {S3Key: {"Fn::Pipeline::FileS3Key": {Path: app.zip}}}
        Runtime: python3.13
"""


def made(text: str, files: Mapping[str, str | bytes] = FILES, **facts: Any) -> Built:
    return built({**files, "components.yaml": text}, **facts)


def function(text: str = "", **facts: Any) -> Mapping[str, Any]:
    """The function of FUNCTION with these lines of properties."""
    return only(made(FUNCTION + text, **facts), "fn", "AWS::Lambda::Function")


def only(found: Built, component: str, kind: str, stage: str = "resources") -> Mapping[str, Any]:
    (properties,) = resources_of(found, component, kind, stage)
    return properties


def statements(policy: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {statement["Sid"]: statement for statement in policy["PolicyDocument"]["Statement"]}


def versions(found: Built) -> list[str]:
    resources = template(found, "fn")["Resources"]
    return [name for name, resource in resources.items() if resource["Type"] == "AWS::Lambda::Version"]


def test_function_when_nothing_more_is_said_then_it_runs_in_the_private_subnets_and_is_encrypted() -> None:
    properties = function()
    assert properties["FunctionName"] == "shop-web-main-7-fn"
    assert len(properties["VpcConfig"]["SubnetIds"]) == 3
    assert properties["VpcConfig"]["SecurityGroupIds"] == [{"Ref": "SecurityGroupId"}]
    assert properties["KmsKeyArn"] == {"Ref": "KmsKeyArn"}
    assert properties["Code"]["S3Bucket"] == "acme-files"


def test_function_when_it_wants_no_network_then_it_gets_none_and_no_proxy() -> None:
    text = '        VpcConfig: {"Fn::Pipeline::LambdaVpcConfig": {VpcAccess: false}}\n'
    properties = function(text, ProxyUrl="http://proxy:3128")
    assert properties["VpcConfig"] == {"Ref": "AWS::NoValue"}
    assert "PIPELINE_PROXY_URL" not in properties["Environment"]["Variables"]
    assert function(ProxyUrl="http://proxy:3128")["Environment"]["Variables"]["PIPELINE_PROXY_URL"] == "http://proxy:3128"


def test_function_when_the_zone_has_no_private_subnets_then_it_stays_outside() -> None:
    assert "VpcConfig" not in function(SubnetAliases={"public": "Public"})


def test_function_when_it_has_variables_and_links_then_they_stand_beside_those_of_the_pipeline() -> None:
    text = """        Environment: {Variables: {LEVEL: debug, PIPELINE_APP: mine}}
      Pipeline::Link:
        QUEUE: {Component: jobs, OutputName: QueueUrl}
jobs:
  Type: AWS::SQS::Queue
  Configuration: {Queue: {}}
"""
    variables = function(text)["Environment"]["Variables"]
    assert variables["PIPELINE_BUILD"] == "7"
    assert variables["PIPELINE_COMPONENT"] == "fn"
    assert variables["LEVEL"] == "debug"
    assert variables["PIPELINE_APP"] == "mine"
    assert variables["QUEUE"] == {"Ref": "JobsQueueUrl"}


@pytest.mark.parametrize(("written", "used"), [("nodejs14.x", "nodejs22.x"), ("python3.6", "python3.13"), ("java21", "java21")])
def test_function_when_its_runtime_is_retired_then_the_successor_is_used(written: str, used: str) -> None:
    text = FUNCTION.replace("python3.13", written)
    assert only(made(text), "fn", "AWS::Lambda::Function")["Runtime"] == used


def test_version_when_the_code_changes_then_it_is_another_resource() -> None:
    first, again = made(FUNCTION), made(FUNCTION)
    changed = made(FUNCTION, {**FILES, "platform/files/app.zip": b"three"})
    assert versions(first) == versions(again)
    assert versions(first) != versions(changed)


def test_version_when_the_facts_change_what_it_holds_then_it_is_another_resource() -> None:
    assert versions(made(FUNCTION)) != versions(made(FUNCTION, ProxyUrl="http://proxy.acme.example:3128"))


def test_alias_when_released_then_it_is_the_branchs_and_stands_for_the_builds_version() -> None:
    found = made(FUNCTION)
    alias = only(found, "fn", "AWS::Lambda::Alias", "release")
    assert alias["Name"] == "release"
    assert found.components["fn"].stages["release"].stack_name == "shop-web-main-fn-release"
    assert only(found, "fn", "AWS::Lambda::Alias")["Name"] == "build"


def test_callers_when_their_scope_is_release_then_only_the_released_function_is_called() -> None:
    text = """    EarlyEventRule:
      Properties: {ScheduleExpression: rate(1 day)}
    LateEventRule:
      Properties:
        ScheduleExpression: rate(1 day)
        Targets: [{Arn: {"Fn::Pipeline::LambdaArn": {Scope: release}}, Input: "{}"}]
    NewsTopicSubscription:
      Properties: {TopicArn: "arn:aws:sns:eu-west-1:111111111111:news", Scope: release}
"""
    found = made(FUNCTION + text)
    (early,) = resources_of(found, "fn", "AWS::Events::Rule")
    (late,) = resources_of(found, "fn", "AWS::Events::Rule", "release")
    assert early["Targets"] == [{"Id": "Function", "Arn": {"Ref": "BuildAlias"}}]
    assert late["Targets"] == [{"Id": "Function", "Arn": {"Ref": "ReleaseAlias"}, "Input": "{}"}]
    assert late["Name"] == "shop-web-main-fn-LateEventRule"
    assert only(found, "fn", "AWS::SNS::Subscription", "release")["Endpoint"] == {"Ref": "ReleaseAlias"}
    principals = [permission["Principal"] for permission in resources_of(found, "fn", "AWS::Lambda::Permission", "release")]
    assert principals == ["events.amazonaws.com", "sns.amazonaws.com"]


def test_callers_when_a_component_is_called_release_then_that_is_no_scope() -> None:
    text = FUNCTION.replace("fn:", "release-notes:") + "    HourlyEventRule:\n      Properties:\n"
    text += '        ScheduleExpression: rate(1 hour)\n        Targets: [{Arn: {"Fn::Pipeline::LambdaArn": {Scope: build}}}]\n'
    assert resources_of(made(text), "release-notes", "AWS::Events::Rule")


def test_rights_when_events_are_kept_and_traced_then_the_role_may_do_just_that() -> None:
    text = FUNCTION.replace("  Configuration:", "  Options: {DeadLetterQueue: true}\n  Configuration:")
    found = made(text + "        TracingConfig: {Mode: Active}\n")
    policy = statements(only(found, "fn", "AWS::IAM::Policy"))
    assert set(policy) == {"ReadEnvironment", "Trace", "KeepFailedEvents"}
    assert policy["KeepFailedEvents"]["Resource"] == {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}
    assert set(statements(only(made(FUNCTION), "fn", "AWS::IAM::Policy"))) == {"ReadEnvironment"}


def test_layers_when_they_are_written_as_before_then_the_function_has_its_own_and_the_others() -> None:
    text = """        Layers: true
        S3Key_Layer: {"Fn::Pipeline::FileS3Key": {Path: layer.zip}}
        ARN_Layers: ["arn:aws:lambda:eu-west-1:111111111111:layer:x:1"]
"""
    assert function(text)["Layers"] == [{"Ref": "Layer"}, "arn:aws:lambda:eu-west-1:111111111111:layer:x:1"]


def test_function_when_a_property_is_the_platforms_then_it_is_refused_with_the_reason() -> None:
    with pytest.raises(CoreError, match="the platform makes the role"):
        function("        Role: arn:aws:iam::111111111111:role/admin\n")


BUCKET = "files:\n  Type: AWS::S3::Bucket\n  Configuration:\n    Bucket:\n      Properties:\n"


def bucket(*lines: str, head: str = BUCKET) -> Built:
    return made(head + "".join(f"        {line}\n" for line in lines))


def test_bucket_when_nothing_is_said_then_it_is_private_encrypted_versioned_and_tls_only() -> None:
    found = made("files:\n  Type: AWS::S3::Bucket\n  Configuration: {Bucket: {}}\n")
    properties = only(found, "files", "AWS::S3::Bucket")
    rule = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Ref": "KmsKeyArn"}}
    assert rule["BucketKeyEnabled"] is True
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    policy = statements(only(found, "files", "AWS::S3::BucketPolicy"))
    assert set(policy) == {"OnlyOverTls", "OnlyNewTls", "NoOtherEncryption", "NoOtherKey"}
    assert {statement["Effect"] for statement in policy.values()} == {"Deny"}


@pytest.mark.parametrize("line", ["AccessControl: PublicRead", "PublicAccessBlockConfiguration: {BlockPublicAcls: false}"])
def test_bucket_when_it_would_be_public_then_it_is_refused(line: str) -> None:
    with pytest.raises(CoreError, match="cannot be set"):
        bucket(line)


def test_bucket_when_it_has_its_own_encryption_then_that_counts_and_no_key_is_enforced() -> None:
    line = "BucketEncryption: {ServerSideEncryptionConfiguration: [{ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}}]}"
    found = bucket(line)
    rules = only(found, "files", "AWS::S3::Bucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rules == [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    assert set(statements(only(found, "files", "AWS::S3::BucketPolicy"))) == {"OnlyOverTls", "OnlyNewTls"}


def test_lifecycle_when_a_rule_speaks_of_old_versions_then_ours_is_not_added() -> None:
    found = bucket("LifecycleConfiguration: {Rules: [{Status: Enabled, NoncurrentVersionExpirationInDays: 400}]}")
    rules = only(found, "files", "AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    assert [rule.get("Id") for rule in rules] == [None, "core-unfinished-uploads"]


def test_bucket_when_its_name_is_asked_for_by_another_then_it_is_the_name_it_gets() -> None:
    found = made(
        "files:\n  Type: AWS::S3::Bucket\n  Configuration: {Bucket: {}}\n"
        + FUNCTION
        + '        Environment: {Variables: {BUCKET: {"Fn::Pipeline::S3BucketName": {Component: files}}}}\n'
    )
    name = only(found, "files", "AWS::S3::Bucket")["BucketName"]
    assert only(found, "fn", "AWS::Lambda::Function")["Environment"]["Variables"]["BUCKET"] == name


def test_bucket_when_accesses_are_logged_then_teardown_empties_both_buckets() -> None:
    head = BUCKET.replace("  Configuration:", "  Options: {AccessLogs: true}\n  Configuration:")
    found = bucket("VersioningConfiguration: {Status: Enabled}", head=head)
    log, own = resources_of(found, "files", "AWS::S3::Bucket")
    assert own["LoggingConfiguration"]["DestinationBucketName"] == {"Ref": "LogBucket"}
    assert log["BucketName"].endswith("-logs")
    assert [step.kind for step in found.components["files"].steps["teardown"]] == ["AWS::EmptyBucket"] * 2


def test_notification_when_a_function_is_told_then_s3_may_call_it_before_the_bucket_is_made() -> None:
    text = """        NotificationConfiguration:
          LambdaConfigurations:
            - Filter: {S3KeyName: suffix, S3KeyValue: .csv}
              Function: {"Fn::Pipeline::GetOutput": {Component: fn, OutputName: FunctionArn}}
"""
    found = made(BUCKET + text + FUNCTION)
    permission = only(found, "files", "AWS::Lambda::Permission")
    name = only(found, "files", "AWS::S3::Bucket")["BucketName"]
    assert permission["SourceArn"] == {"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{name}"}
    assert len(template(found, "files")["Resources"]["Bucket"]["DependsOn"]) == 1
    told = only(found, "files", "AWS::S3::Bucket")["NotificationConfiguration"]["LambdaConfigurations"][0]
    assert told["Event"] == "s3:ObjectCreated:*"
    assert told["Filter"]["S3Key"]["Rules"] == [{"Name": "suffix", "Value": ".csv"}]


def test_storage_when_it_has_a_scope_and_a_prefix_then_its_objects_are_those_below_them() -> None:
    text = "media:\n  Type: AWS::S3::Storage\n  Configuration: {Storage: {Properties: {Scope: app, Prefix: /media/}}}\n"
    outputs = template(made(text), "media")["Outputs"]
    assert outputs["S3Url"]["Value"] == "s3://acme-files/files/shop/web/media"
    assert outputs["ObjectsArn"]["Value"] == {"Fn::Sub": "arn:${AWS::Partition}:s3:::acme-files/files/shop/web/media/*"}


def queue(options: str = "{}", properties: str = "{}", kind: str = "Queue") -> Built:
    return made(
        f"jobs:\n  Type: AWS::SQS::{kind}\n  Options: {options}\n  Configuration: {{Queue: {{Properties: {properties}}}}}\n"
    )


def test_queue_when_nothing_is_said_then_unhandled_messages_move_to_a_second_queue() -> None:
    second, first = sorted(resources_of(queue(), "jobs", "AWS::SQS::Queue"), key=lambda each: "RedrivePolicy" in each)
    assert first["RedrivePolicy"] == {"deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}, "maxReceiveCount": 10}
    assert second["KmsMasterKeyId"] == first["KmsMasterKeyId"] == {"Ref": "KmsKeyArn"}


def test_queue_when_it_is_fifo_then_both_queues_are_and_are_called_so() -> None:
    names = [each["QueueName"] for each in resources_of(queue(properties="{FifoQueue: true}"), "jobs", "AWS::SQS::Queue")]
    assert sorted(names) == ["shop-web-main-7-jobs-dead-letters.fifo", "shop-web-main-7-jobs.fifo"]


@pytest.mark.parametrize(
    ("options", "properties"),
    [("{MaxReceiveCount: 0}", "{}"), ("{}", '{RedrivePolicy: {deadLetterTargetArn: "arn:aws:sqs:::x", maxReceiveCount: 2}}')],
)
def test_queue_when_it_wants_no_second_queue_then_there_is_none(options: str, properties: str) -> None:
    assert len(resources_of(queue(options, properties), "jobs", "AWS::SQS::Queue")) == 1


def test_queue_when_services_may_send_then_only_those_and_only_for_this_account() -> None:
    properties = '{Senders: [s3.amazonaws.com, {Service: sns.amazonaws.com, SourceArn: "arn:aws:sns:eu-west-1:111111111111:t"}]}'
    policies = resources_of(queue(properties=properties), "jobs", "AWS::SQS::QueuePolicy")
    allowed = [each for each in policies[0]["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]
    assert [each["Principal"]["Service"] for each in allowed] == ["s3.amazonaws.com", "sns.amazonaws.com"]
    assert allowed[0]["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert allowed[1]["Condition"] == {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:eu-west-1:111111111111:t"}}


def test_dead_letter_queue_when_it_is_written_as_before_then_its_own_words_are_understood() -> None:
    properties = (
        '{deadLetterTargetArn: "arn:aws:sqs:::last", Queue_prefix: pre, Queue_postfix: post, QueuePolicy: {AllowSNS: true}}'
    )
    found = queue(properties=properties, kind="DLQueue")
    made_queue = only(found, "jobs", "AWS::SQS::Queue")
    assert made_queue["QueueName"] == "pre-shop-web-main-7-jobs-post"
    assert made_queue["RedrivePolicy"] == {"deadLetterTargetArn": "arn:aws:sqs:::last", "maxReceiveCount": 10}
    assert not {"Queue_prefix", "QueuePolicy", "deadLetterTargetArn", "maxReceiveCount"} & set(made_queue)
    (policy,) = resources_of(found, "jobs", "AWS::SQS::QueuePolicy")
    assert any(each.get("Principal") == {"Service": "sns.amazonaws.com"} for each in policy["PolicyDocument"]["Statement"])


def test_topic_when_nothing_is_said_then_alarms_of_the_account_may_publish_and_nobody_without_tls() -> None:
    found = made("news:\n  Type: AWS::SNS::Topic\n  Configuration: {Topic: {}}\n")
    policy = statements(only(found, "news", "AWS::SNS::TopicPolicy"))
    assert policy["OnlyOverTls"]["Effect"] == "Deny"
    assert policy["ServicesOfThisAccount"]["Principal"] == {"Service": ["cloudwatch.amazonaws.com"]}
    assert only(found, "news", "AWS::SNS::Topic")["KmsMasterKeyId"] == {"Ref": "KmsKeyArn"}


def test_topic_when_it_has_a_key_of_its_own_then_that_is_used_whole() -> None:
    text = (
        "news:\n  Type: AWS::SNS::Topic\n  Configuration: {Topic: {Properties: {KmsMasterKeyId: {'Fn::ImportValue': my-key}}}}\n"
    )
    assert only(made(text), "news", "AWS::SNS::Topic")["KmsMasterKeyId"] == {"Fn::ImportValue": "my-key"}


def secret(kind: str, properties: str) -> Mapping[str, Any]:
    text = f"key:\n  Type: AWS::SecretsManager::{kind}\n  Configuration: {{Secret: {{Properties: {properties}}}}}\n"
    return only(made(text), "key", "AWS::SecretsManager::Secret")


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        ("Secret", "{SecretString: hunter2}"),
        ("ApiSecret", "{SecretString: hunter2}"),
        ("ApiSecret", '{SecretString: ["password=hunter2"]}'),
        ("ApiSecret", '{SecretString: ["{\\"password\\": \\"hunter2\\"}"]}'),
        ("ApiSecret", "{SecretString: {password: hunter2}}"),
    ],
)
def test_secret_when_a_value_is_written_then_it_is_refused(kind: str, properties: str) -> None:
    with pytest.raises(CoreError, match="SecretString"):
        secret(kind, properties)


def test_api_secret_when_it_is_made_then_its_fields_have_placeholders_only() -> None:
    generated = secret("ApiSecret", "{SecretString: [api_key, api_secret]}")["GenerateSecretString"]
    assert generated["GenerateStringKey"] == "api_key"
    assert json.loads(generated["SecretStringTemplate"]) == {"api_secret": "not set yet"}


def test_secret_when_nothing_is_said_then_it_is_generated_and_encrypted() -> None:
    properties = secret("Secret", "{}")
    assert properties["GenerateSecretString"]["PasswordLength"] == 32
    assert properties["KmsKeyId"] == {"Ref": "KmsKeyArn"}
    assert "SecretString" not in properties


@pytest.mark.parametrize(
    ("kind", "key"),
    [("S3::Bucket", "Bucket"), ("SQS::Queue", "Queue"), ("SNS::Topic", "Topic"), ("SecretsManager::Secret", "Secret")],
)
def test_metadata_when_it_is_written_then_the_resource_has_it(kind: str, key: str) -> None:
    found = made(f"it:\n  Type: AWS::{kind}\n  Configuration: {{{key}: {{Metadata: {{Team: shop}}}}}}\n")
    assert template(found, "it")["Resources"][key]["Metadata"] == {"Team": "shop"}
