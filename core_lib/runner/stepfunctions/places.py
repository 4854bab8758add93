"""Where the state machine and the activity are: ARNs from the settings, which hold a name or an ARN."""

from __future__ import annotations

from core_lib.framework.settings import Settings
from core_lib.helper import AwsSessions


def state_machine_arn(settings: Settings, sessions: AwsSessions) -> str:
    """ARN of the state machine that runs are started on. A name is completed with the platform's own account and region."""
    return _arn(settings, sessions, "stateMachine", settings.stepfunctions.state_machine)


def activity_arn(settings: Settings, sessions: AwsSessions) -> str:
    """ARN of the activity that workers poll."""
    return _arn(settings, sessions, "activity", settings.stepfunctions.activity)


def execution_arn(machine: str, name: str) -> str:
    """ARN of an execution of this state machine."""
    return f"{machine.replace(':stateMachine:', ':execution:', 1)}:{name}"


def _arn(settings: Settings, sessions: AwsSessions, kind: str, name: str) -> str:
    if name.startswith("arn:"):
        return name
    name = name.replace("{prefix}", settings.cmdb.table_prefix.replace(".", "-"))
    identity = sessions.identity
    partition = identity.arn.split(":")[1]
    return f"arn:{partition}:states:{settings.home_region}:{identity.account}:{kind}:{name}"
