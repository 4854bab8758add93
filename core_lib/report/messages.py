"""What a report says, as data; `text` and `markdown` only lay it out."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from core_lib.execute import FindingGroup
from core_lib.framework.models import ActionStatus, Cause, Message, PlanWave, ResourceChange, RunStatus, Task


class Durations(Message):
    """How long a set of things took, in seconds."""

    median: float = 0.0
    p95: float = 0.0
    longest: float = 0.0


class TargetOutcome(Message):
    """How one (account, region) ended."""

    target: str
    account_name: str | None = None
    status: ActionStatus
    changed: int = 0
    counts: dict[str, int]
    seconds: float = 0.0


class FailureGroup(Message):
    """The same failure, wherever it happened. `message` and `where` are of the first one, as it was reported.

    `known_cause`, `title` and `fix` say what usually lies behind it and what helps; `transient`: trying again may be enough.
    `blocked` counts the actions that could not run because of it; `retry` is the command that takes up exactly this group.
    """

    fingerprint: str
    code: str
    cause: Cause
    known_cause: str | None = None
    title: str | None = None
    transient: bool = False
    message: str
    where: str | None = None
    hint: str | None = None
    fix: str | None = None
    count: int
    blocked: int = 0
    actions: tuple[str, ...]
    targets: tuple[str, ...]
    accounts: tuple[str, ...]
    retry: str | None = None


class SkippedGroup(Message):
    """Targets that were left out for the same reason."""

    reason: str
    targets: tuple[str, ...]


WaveStatus = Literal["waiting", "running", "at its gates", "done", "stopped", "not started"]


class WaveStep(Message):
    """Something that stands between a wave and the next, and how it ended."""

    words: str
    status: ActionStatus
    message: str | None = None


class WaveProgress(Message):
    """How far a wave got. `targets` counts by status."""

    name: str
    target_count: int
    status: WaveStatus
    targets: dict[str, int]
    steps: tuple[WaveStep, ...] = ()


class RunSummary(Message):
    """What a run did. `targets` and `actions` count by status, `changed` counts actions that changed something.

    `held_back` counts the actions that were not begun because the run had more failures than it tolerates.
    """

    run_id: str
    client: str
    prn: str
    task: Task
    status: RunStatus
    plan_hash: str
    flow_run_id: str | None = None
    requested_by: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    seconds: float = 0.0
    targets: dict[str, int]
    actions: dict[str, int]
    changed: int = 0
    failures: tuple[FailureGroup, ...] = ()
    held_back: int = 0
    waves: tuple[WaveProgress, ...] = ()
    preflight: tuple[FindingGroup, ...] = ()
    skipped: tuple[SkippedGroup, ...] = ()
    target_durations: Durations
    action_durations: Durations
    slowest: tuple[TargetOutcome, ...] = ()
    outcomes: tuple[TargetOutcome, ...] = ()
    error: str | None = None


Severity = Literal["removes", "replaces", "updates", "creates"]


class ChangeGroup(Message):
    """One change that many targets share. `changes` are of the first target; values that name a target read `<account>` etc."""

    severity: Severity
    action: str
    outcome: Literal["create", "update", "delete"]
    stack_name: str
    targets: tuple[str, ...]
    changes: tuple[ResourceChange, ...]


class DeferredGroup(Message):
    """Stacks whose change is only known during apply, and why."""

    action: str
    reason: str
    targets: tuple[str, ...]


class PlanReview(Message):
    """Everything a plan run found, identical changes once; removals and replacements first."""

    run_id: str | None = None
    plan_hash: str
    target_count: int
    changed_target_count: int
    stack_count: int
    unchanged: int
    groups: tuple[ChangeGroup, ...] = ()
    deferred: tuple[DeferredGroup, ...] = ()
    failures: tuple[FailureGroup, ...] = ()
    not_reviewed: int = 0
    waves: tuple[PlanWave, ...] = ()
    preflight: tuple[FindingGroup, ...] = ()
    skipped: tuple[SkippedGroup, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every stack was looked at, which is what an approval needs."""
        return not self.failures and self.not_reviewed == 0

    @property
    def empty(self) -> bool:
        """Whether applying would change nothing."""
        return not self.groups and not self.deferred
