"""Runs and what the ledger says about their actions."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from core_lib.framework.models.action import Cause
from core_lib.framework.models.base import Message
from core_lib.framework.models.payload import Options, Task


class ActionStatus(StrEnum):
    """State machine of an action: pending -> running -> one of the others. An action the ledger does not know is pending."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    BLOCKED = "blocked"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to the action in this run (unless it is resumed)."""
        return self not in (ActionStatus.PENDING, ActionStatus.RUNNING)


class RunStatus(StrEnum):
    """State of a whole run."""

    PENDING = "pending"
    AWAITING_APPROVAL = "awaiting-approval"
    RUNNING = "running"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether the run is over (it may still be resumed unless it succeeded)."""
        return self in (RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED)


class ErrorInfo(Message):
    """An error as it is recorded: stable code, message, where, hint, cause."""

    code: str
    message: str
    where: str | None = None
    hint: str | None = None
    cause: Cause = Cause.PERMANENT


class ActionState(Message):
    """One action of a run in the ledger. `scratch` is the action's own state between its steps.

    `visit` is the visit of the run that wrote the row (see `RunState`); `tries` and `slips` count the attempts of that visit, and
    the steps in a row that raised, so that they count on when one worker ends its shift and the next one begins.
    """

    run_id: str
    action_id: str
    status: ActionStatus
    attempt: int = 1
    changed: bool | None = None
    message: str | None = None
    error: ErrorInfo | None = None
    outputs: dict[str, Any] = Field(default_factory=dict)
    variables: dict[str, Any] = Field(default_factory=dict)
    scratch: dict[str, Any] = Field(default_factory=dict)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    visit: int = 0
    tries: int = 1
    slips: int = 0
    version: int = 0


class RunState(Message):
    """One execution of a plan, named by its correlation id.

    `epoch` goes up with every worker that takes the run, and fences the one before. `visit` goes up only when the run begins or
    is resumed: a worker that takes over where another one ended its shift goes on with the same visit, in which an action that
    failed stays failed.

    `waits_for` are the locks it waits for, with the run that holds each; `superseded_by` is the newer run that had it cancelled.
    `execution` is the ARN of its latest Step Functions execution. `resumed_at` and `resumed_by` are of the present visit; a run
    that was never resumed has neither, and where nobody said who resumes it, there is only the time.
    """

    run_id: str
    client: str
    prn: str
    task: Task
    status: RunStatus
    plan_hash: str
    plan_key: str
    options: Options = Field(default_factory=Options)
    executor: str = "prefect"
    execution: str | None = None
    flow_run_id: str | None = None
    requested_by: str | None = None
    resumed_by: str | None = None
    resumed_at: datetime | None = None
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    heartbeat_at: datetime | None = None
    cancel_requested: bool = False
    superseded_by: str | None = None
    waits_for: dict[str, str] = Field(default_factory=dict)
    epoch: int = 0
    visit: int = 0
    target_count: int = 0
    action_count: int = 0
    counts: dict[str, int] = Field(default_factory=dict)
    error: ErrorInfo | None = None
    version: int = 0

    @property
    def begun_by(self) -> str | None:
        """Who set the present visit going: whoever resumed the run, else whoever asked for it; None = nobody said."""
        return self.requested_by if self.resumed_at is None else self.resumed_by

    @property
    def begun_at(self) -> datetime:
        """When the present visit began: the same for all workers of it."""
        return self.resumed_at or self.started_at or self.created_at
