"""The CloudFormation template of the Step Functions executor, built from the definition and the permissions."""

from __future__ import annotations

import json
from typing import Any

from deployments.stepfunctions import permissions
from deployments.stepfunctions.definition import FILE, tasks
from deployments.stepfunctions.permissions import Statement, sub

Resource = dict[str, Any]

HANDLER = "core_lib.runner.stepfunctions.aws_lambda.handler"
_NOT_GIVEN = "not-given"
_BY_FUNCTION = "ByFunction"
_BY_WORKERS = "ByWorkers"
_FAILURES = {"ExecutionsFailed": "failed", "ExecutionsTimedOut": "timed out", "ExecutionsAborted": "were aborted"}


def template() -> Resource:
    """The template as a document; `python -m deployments.stepfunctions` prints it."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Core Automation Platform: the Step Functions executor",
        "Parameters": _parameters(),
        "Rules": {
            "CodeForTheFunction": {
                "RuleCondition": {"Fn::Equals": [{"Ref": "Tasks"}, "lambda"]},
                "Assertions": [
                    {
                        "Assert": {"Fn::Not": [{"Fn::Equals": [{"Ref": "CodeKey"}, _NOT_GIVEN]}]},
                        "AssertDescription": "with Tasks=lambda, CodeBucket and CodeKey name the package of the function",
                    }
                ],
            }
        },
        "Conditions": {
            _BY_FUNCTION: {"Fn::Equals": [{"Ref": "Tasks"}, "lambda"]},
            _BY_WORKERS: {"Fn::Equals": [{"Ref": "Tasks"}, "activity"]},
            "OwnKey": {"Fn::Not": [{"Fn::Equals": [{"Ref": "KmsKeyArn"}, ""]}]},
            "Notified": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]},
        },
        "Resources": _state_machine() | _function() | _workers() | _starter() | _failures() | _alarms(),
        "Outputs": {
            "StateMachine": {"Description": "for stepfunctions.state_machine", "Value": {"Ref": "StateMachine"}},
            "Activity": {
                "Condition": _BY_WORKERS,
                "Description": "for stepfunctions.activity",
                "Value": {"Ref": "Activity"},
            },
            "StarterPolicy": {"Description": "attach it to whoever starts runs", "Value": {"Ref": "StarterPolicy"}},
            "WorkerPolicy": {
                "Condition": _BY_WORKERS,
                "Description": "attach it to the role of `core worker stepfunctions`",
                "Value": {"Ref": "WorkerPolicy"},
            },
            "FailedExecutions": {"Description": "URL of the dead-letter queue", "Value": {"Ref": "FailedExecutions"}},
        },
    }


def text() -> str:
    """The template as it lies in `template.json`."""
    return json.dumps(template(), indent=1) + "\n"


def _parameters() -> Resource:
    def parameter(description: str, default: str | None = None, **more: Any) -> Resource:
        return {"Type": "String", "Description": description} | ({} if default is None else {"Default": default}) | more

    return {
        "Prefix": parameter("cmdb.table_prefix of the settings", "core-", AllowedPattern="^[A-Za-z0-9_-]{1,40}$"),
        "ArtefactBucket": parameter("The bucket of artefacts.location"),
        "DeployRole": parameter("Name of the role in target accounts (aws.deploy_role)", "OrganizationAccountAccessRole"),
        "Tasks": parameter("Who does the work", "lambda", AllowedValues=["lambda", "activity"]),
        "CodeBucket": parameter("Bucket with the package of the function", _NOT_GIVEN),
        "CodeKey": parameter("Key of the package of the function", _NOT_GIVEN),
        "MemorySize": {"Type": "Number", "Description": "Memory of the function in MB", "Default": 1024, "MinValue": 256},
        "KmsKeyArn": parameter("KMS key for state machine, queue and logs; AWS-owned keys without one", ""),
        "AlarmTopicArn": parameter("SNS topic that alarms tell", ""),
        "LogDays": {"Type": "Number", "Description": "Retention of the logs", "Default": 90, "AllowedValues": [30, 90, 180, 365]},
    }


def _state_machine() -> Resource:
    return {
        "StateMachineRole": _role("states.amazonaws.com", permissions.state_machine()),
        "StateMachineMayInvoke": {
            "Type": "AWS::IAM::RolePolicy",
            "Condition": _BY_FUNCTION,
            "Properties": {
                "RoleName": {"Ref": "StateMachineRole"},
                "PolicyName": "function",
                "PolicyDocument": _document([permissions.allow("Tasks", ["lambda:InvokeFunction"], _arn("Function"))]),
            },
        },
        "StateMachineLog": _log_group("/aws/vendedlogs/states/${Prefix}runs"),
        "StateMachine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": sub("${Prefix}runs"),
                "StateMachineType": "STANDARD",
                "RoleArn": _arn("StateMachineRole"),
                "Definition": _definition(),
                "EncryptionConfiguration": {
                    "Fn::If": [
                        "OwnKey",
                        {
                            "Type": "CUSTOMER_MANAGED_KMS_KEY",
                            "KmsKeyId": {"Ref": "KmsKeyArn"},
                            "KmsDataKeyReusePeriodSeconds": 300,
                        },
                        {"Type": "AWS_OWNED_KEY"},
                    ]
                },
                # The state holds references, so that the data in the log is harmless and worth having.
                "LoggingConfiguration": {
                    "Level": "ERROR",
                    "IncludeExecutionData": True,
                    "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": _arn("StateMachineLog")}}],
                },
            },
        },
    }


def _definition() -> Resource:
    """The definition with intrinsic functions in its blanks."""
    document: Resource = json.loads(FILE.read_text())
    resource = {"Fn::If": [_BY_FUNCTION, _arn("Function"), {"Ref": "Activity"}]}
    for task in tasks(document):
        task["Resource"] = resource
        task["HeartbeatSeconds"] = {"Fn::If": [_BY_FUNCTION, {"Ref": "AWS::NoValue"}, task["HeartbeatSeconds"]]}
    reader = document["States"]["ManyBatches"]["ItemReader"]
    reader["Resource"] = sub(reader["Resource"].replace("${Partition}", "${AWS::Partition}"))
    return document


def _function() -> Resource:
    environment = {
        "CORE_CMDB__TABLE_PREFIX": {"Ref": "Prefix"},
        "CORE_ARTEFACTS__LOCATION": sub("s3://${ArtefactBucket}"),
        "CORE_AWS__DEPLOY_ROLE": {"Ref": "DeployRole"},
        "CORE_LOG__FORMAT": "json",
    }
    resources = {
        "FunctionLog": _log_group("/aws/lambda/${Prefix}steps"),
        "FunctionRole": _role(
            "lambda.amazonaws.com",
            [
                *permissions.steps(),
                permissions.allow("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], _arn("FunctionLog")),
            ],
        ),
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": sub("${Prefix}steps"),
                "Description": "Tasks of the Step Functions executor",
                "Runtime": "python3.13",
                "Handler": HANDLER,
                "Role": _arn("FunctionRole"),
                "Code": {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": {"Ref": "CodeKey"}},
                "MemorySize": {"Ref": "MemorySize"},
                "Timeout": 300,
                "Environment": {"Variables": environment},
                "LoggingConfig": {"LogGroup": {"Ref": "FunctionLog"}},
                "KmsKeyArn": {"Fn::If": ["OwnKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]},
            },
        },
    }
    return {name: {**resource, "Condition": _BY_FUNCTION} for name, resource in resources.items()}


def _workers() -> Resource:
    return {
        "Activity": {
            "Type": "AWS::StepFunctions::Activity",
            "Condition": _BY_WORKERS,
            "Properties": {"Name": sub("${Prefix}steps")},
        },
        "WorkerPolicy": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Condition": _BY_WORKERS,
            "Properties": {
                "Description": "For the role of `core worker stepfunctions`",
                "PolicyDocument": _document([*permissions.steps(), *permissions.worker()]),
            },
        },
    }


def _starter() -> Resource:
    return {
        "StarterPolicy": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "Description": "Starting and following executions",
                "PolicyDocument": _document(permissions.starter()),
            },
        }
    }


def _failures() -> Resource:
    """Executions that failed leave their event in a queue, so that none is overlooked."""
    rule = {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"status": ["FAILED", "TIMED_OUT", "ABORTED"], "stateMachineArn": [{"Ref": "StateMachine"}]},
    }
    send = permissions.allow("Events", ["sqs:SendMessage"], _arn("FailedExecutions")) | {
        "Principal": {"Service": "events.amazonaws.com"},
        "Condition": {"ArnEquals": {"aws:SourceArn": _arn("FailedRule")}},
    }
    return {
        "FailedExecutions": {
            "Type": "AWS::SQS::Queue",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": {
                "QueueName": sub("${Prefix}failed-executions"),
                "MessageRetentionPeriod": 1_209_600,
                "KmsMasterKeyId": {"Fn::If": ["OwnKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]},
                "SqsManagedSseEnabled": {"Fn::If": ["OwnKey", {"Ref": "AWS::NoValue"}, True]},
            },
        },
        "FailedExecutionsPolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {"Queues": [{"Ref": "FailedExecutions"}], "PolicyDocument": _document([send])},
        },
        "FailedRule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Description": "Executions that did not come to a good end",
                "EventPattern": rule,
                "Targets": [{"Id": "queue", "Arn": _arn("FailedExecutions")}],
            },
        },
    }


def _alarms() -> Resource:
    """Executions that fail, time out or are aborted; errors of the function."""
    machine = [{"Name": "StateMachineArn", "Value": {"Ref": "StateMachine"}}]
    alarms = {f"{metric}Alarm": _alarm(f"Executions {verb}", "AWS/States", metric, machine) for metric, verb in _FAILURES.items()}
    function = [{"Name": "FunctionName", "Value": {"Ref": "Function"}}]
    for metric in ("Errors", "Throttles"):
        alarm = _alarm(f"{metric} of the tasks' function", "AWS/Lambda", metric, function)
        alarms[f"Function{metric}Alarm"] = {**alarm, "Condition": _BY_FUNCTION}
    return alarms


def _alarm(description: str, namespace: str, metric: str, dimensions: list[Resource]) -> Resource:
    told = {"Fn::If": ["Notified", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmDescription": description,
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": dimensions,
            "Statistic": "Sum",
            "Period": 300,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": told,
        },
    }


def _role(service: str, statements: list[Statement]) -> Resource:
    """A role for one service of this very account, with one inline policy."""
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": service},
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    if service == "lambda.amazonaws.com":
        del trust["Condition"]  # Lambda sends none: https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    key = {
        "PolicyName": "key",
        "PolicyDocument": _document([permissions.allow("Key", ["kms:Decrypt", "kms:GenerateDataKey"], {"Ref": "KmsKeyArn"})]),
    }
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [
                {"PolicyName": "own", "PolicyDocument": _document(statements)},
                {"Fn::If": ["OwnKey", key, {"Ref": "AWS::NoValue"}]},
            ],
        },
    }


def _log_group(name: str) -> Resource:
    return {
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "LogGroupName": sub(name),
            "RetentionInDays": {"Ref": "LogDays"},
            "KmsKeyId": {"Fn::If": ["OwnKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]},
        },
    }


def _document(statements: list[Statement]) -> Resource:
    return {"Version": "2012-10-17", "Statement": statements}


def _arn(resource: str) -> Resource:
    return {"Fn::GetAtt": [resource, "Arn"]}
