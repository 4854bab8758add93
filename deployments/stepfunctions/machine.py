"""Activity and state machine by API, where a template is too much: emulators, laptops, trials."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from core_lib.framework.settings import Settings
from core_lib.helper import AwsSessions
from core_lib.runner.stepfunctions import activity_arn, state_machine_arn
from deployments.stepfunctions.definition import definition


def install(settings: Settings, sessions: AwsSessions, *, role: str | None = None, task_resource: str | None = None) -> str:
    """Make the activity and the state machine, or bring them up to date; the state machine's ARN.

    `role` is the ARN of the state machine's role; emulators take any. `task_resource` replaces the activity (a Lambda function).
    """
    client = sessions.client("stepfunctions")
    activity = activity_arn(settings, sessions)
    machine = state_machine_arn(settings, sessions)
    role = role or f"arn:aws:iam::{sessions.identity.account}:role/core-state-machine"
    if task_resource is None:
        _activity(client, _name(activity))
    text = definition(task_resource or activity, partition=machine.split(":")[1])
    try:
        client.create_state_machine(name=_name(machine), definition=text, roleArn=role, type="STANDARD")
    except ClientError as error:
        if error.response["Error"]["Code"] != "StateMachineAlreadyExists":
            raise
        client.update_state_machine(stateMachineArn=machine, definition=text, roleArn=role)
    return machine


def _activity(client: Any, name: str) -> None:
    try:
        client.create_activity(name=name)
    except ClientError as error:  # on AWS, making it again is no error
        if error.response["Error"]["Code"] != "ActivityAlreadyExists":
            raise


def _name(arn: str) -> str:
    return arn.rsplit(":", 1)[-1]
