"""Executions of the state machine: start, look, stop, redrive."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from core_lib.framework.errors import NotRunningError, RunStateError
from core_lib.framework.models import RunState
from core_lib.framework.settings import Settings
from core_lib.helper import AwsSessions
from core_lib.runner.stepfunctions.names import execution_name
from core_lib.runner.stepfunctions.places import execution_arn, state_machine_arn

_NO_REDRIVE = frozenset({
    "UnknownOperationException", "InvalidAction", "NotImplemented", "InternalFailure", "ExecutionNotRedrivable", "501",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Execution:
    """How an execution stands; `status` as Step Functions says it (RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED)."""

    arn: str
    status: str
    error: str | None = None
    cause: str | None = None

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self.status in ("RUNNING", "PENDING_REDRIVE")


class Executions:
    """Executions of the platform's state machine, with the platform's own credentials in its home region."""

    def __init__(self, settings: Settings, sessions: AwsSessions) -> None:
        self._settings = settings
        self._sessions = sessions

    @property
    def _client(self) -> Any:
        return self._sessions.client("stepfunctions")

    def arn_of(self, run: RunState, relays: int = 0) -> str:
        """ARN of the execution of a run in its present epoch, whether it has been started or not."""
        machine = state_machine_arn(self._settings, self._sessions)
        return execution_arn(machine, execution_name(run.client, run.run_id, run.epoch, relays))

    def start(self, run: RunState, relays: int = 0, **carried: int | str) -> str:
        """Start an execution for a run that was taken; its ARN. Started again, for the same epoch and relay, it is the same one.

        `carried` goes into its state.

        Raises:
            NotRunningError: the state machine does not exist.
        """
        machine = state_machine_arn(self._settings, self._sessions)
        name = execution_name(run.client, run.run_id, run.epoch, relays)
        given = {"Client": run.client, "RunId": run.run_id, "Epoch": run.epoch, "Relays": relays, **carried}
        try:
            answer = self._client.start_execution(stateMachineArn=machine, name=name, input=json.dumps(given, sort_keys=True))
        except ClientError as error:
            if _code(error) == "ExecutionAlreadyExists":
                return execution_arn(machine, name)
            if _code(error) == "StateMachineDoesNotExist":
                raise NotRunningError(
                    "the state machine of the Step Functions executor does not exist",
                    where=machine,
                    hint="deploy it (docs: Step Functions), or set stepfunctions.state_machine",
                ) from error
            raise
        return str(answer["executionArn"])

    def look(self, arn: str) -> Execution | None:
        """How an execution stands; None when Step Functions does not know it (any more)."""
        try:
            found = self._client.describe_execution(executionArn=arn)
        except ClientError as error:
            if _code(error) == "ExecutionDoesNotExist":
                return None
            raise
        return Execution(arn, found["status"], found.get("error"), found.get("cause"))

    def stop(self, arn: str, why: str) -> bool:
        """Abort an execution at once, whatever it is doing; False when there is nothing to stop.

        This is the last resort: a request to cancel the run lets its actions wind down.
        """
        found = self.look(arn)
        if found is None or not found.running:
            return False
        self._client.stop_execution(executionArn=arn, error="Stopped", cause=why)
        return True

    def redrive(self, arn: str) -> bool:
        """Let an execution that was stopped or timed out go on where it was, in the same epoch.

        False when this Step Functions cannot (no emulator does) or the execution is too old: then the run is resumed instead.

        Raises:
            RunStateError: the execution still runs, or came to its own end.
        """
        found = self.look(arn)
        if found is None:
            return False
        if found.running or found.status == "SUCCEEDED":
            raise RunStateError(f"the execution is {found.status}, there is nothing to redrive", where=arn)
        try:
            self._client.redrive_execution(executionArn=arn)
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            if _code(error) in _NO_REDRIVE or status == 501:
                return False
            raise
        return True


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
