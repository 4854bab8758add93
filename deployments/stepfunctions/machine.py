"""Activity and state machine by API, where a template is too much: emulators, laptops, trials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from core_lib.framework.settings import Settings
from core_lib.helper import AwsSessions
from core_lib.runner.stepfunctions import activity_arn, state_machine_arn
from deployments.stepfunctions.definition import definition


def install(
    settings: Settings,
    sessions: AwsSessions,
    *,
    role: str | None = None,
    task_resource: str | None = None,
    afresh: bool = False,
) -> str:
    """Make the activity and the state machine, or bring them up to date; the state machine's ARN.

    `role` is the ARN of the state machine's role; emulators take any. `task_resource` replaces the activity (a Lambda function).
    `afresh` makes an activity that is there anew: an emulator's polls outlive the worker that made them, and swallow tasks.
    """
    client = sessions.client("stepfunctions")
    activity = activity_arn(settings, sessions)
    machine = state_machine_arn(settings, sessions)
    role = role or f"arn:aws:iam::{sessions.identity.account}:role/core-state-machine"
    if task_resource is None:
        if afresh:
            _tolerant(client.delete_activity, "ActivityDoesNotExist", activityArn=activity)
        _tolerant(client.create_activity, "ActivityAlreadyExists", name=_name(activity))
    text = definition(task_resource or activity, partition=machine.split(":")[1])
    try:
        client.create_state_machine(name=_name(machine), definition=text, roleArn=role, type="STANDARD")
    except ClientError as error:
        if error.response["Error"]["Code"] != "StateMachineAlreadyExists":
            raise
        client.update_state_machine(stateMachineArn=machine, definition=text, roleArn=role)
    return machine


def _tolerant(call: Callable[..., Any], tolerated: str, **arguments: Any) -> None:
    """Make the call. What AWS takes for done, some emulators refuse."""
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] != tolerated:
            raise


def _name(arn: str) -> str:
    return arn.rsplit(":", 1)[-1]
