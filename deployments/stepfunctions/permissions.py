"""What each part may do: the least that the code calls. A test compares this with the calls of a real run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Statement = dict[str, Any]
Sub = Mapping[str, str]


def sub(text: str) -> Sub:
    """`Fn::Sub`."""
    return {"Fn::Sub": text}


def allow(name: str, actions: Sequence[str], *resources: Any) -> Statement:
    """One statement that allows these actions on these resources."""
    return {"Sid": name, "Effect": "Allow", "Action": sorted(actions), "Resource": list(resources)}


def steps() -> list[Statement]:
    """What a task does with the platform's own credentials: CMDB, artefacts, the way into target accounts, a fresh execution."""
    table = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Prefix}*"
    bucket = "arn:${AWS::Partition}:s3:::${ArtefactBucket}"
    return [
        allow(
            "Cmdb",
            [
                "dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:DescribeTable",
                "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
            ],
            sub(table),
            sub(f"{table}/index/*"),
        ),
        allow("Artefacts", ["s3:GetObject", "s3:PutObject"], sub(f"{bucket}/*")),
        allow("ArtefactsThere", ["s3:ListBucket"], sub(bucket)),
        allow("IntoTargets", ["sts:AssumeRole"], sub("arn:${AWS::Partition}:iam::*:role/${DeployRole}")),
        allow("Relay", ["states:StartExecution"], sub(machine())),
    ]  # fmt: skip


def worker() -> list[Statement]:
    """What an activity worker needs beside `steps`."""
    activity = sub("arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:activity:${Prefix}steps")
    answers = ["states:SendTaskFailure", "states:SendTaskHeartbeat", "states:SendTaskSuccess"]
    return [allow("Tasks", ["states:DescribeActivity", "states:GetActivityTask", *answers], activity)]


def starter() -> list[Statement]:
    """What whoever starts and follows executions needs: the Prefect workers, or the API."""
    return [
        allow("Start", ["states:StartExecution"], sub(machine())),
        allow(
            "Follow",
            ["states:DescribeExecution", "states:RedriveExecution", "states:StopExecution"],
            sub("arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${Prefix}runs:*"),
        ),
    ]


def state_machine() -> list[Statement]:
    """The state machine's own role: its function, the items and children of its distributed map, its log."""
    execution = "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${Prefix}runs"
    deliveries = [
        "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
    ]  # fmt: skip
    return [
        allow("Items", ["s3:GetObject"], sub("arn:${AWS::Partition}:s3:::${ArtefactBucket}/*/runs/*/batches-*.json")),
        allow("Children", ["states:StartExecution"], sub(machine())),
        allow("WatchChildren", ["states:DescribeExecution", "states:StopExecution"], sub(f"{execution}/Batches:*")),
        allow("Redrive", ["states:RedriveExecution"], sub(f"{execution}/Batches:*")),
        # Step Functions delivers its log through calls that know no resources:
        # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
        allow("Log", deliveries, "*"),
    ]


def machine() -> str:
    """The state machine's ARN, to be substituted."""
    return "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${Prefix}runs"
