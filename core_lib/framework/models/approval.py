"""Approvals: what a run asks people, and what they answered."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from core_lib.framework.models.base import Message


class Verdict(StrEnum):
    """A person's answer."""

    APPROVED = "approved"
    REJECTED = "rejected"


class ApprovalStatus(StrEnum):
    """How an approval stands."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Decision(Message):
    """Who answered what, and when."""

    by: str = Field(min_length=1)
    verdict: Verdict
    at: datetime
    comment: str | None = None


class Approval(Message):
    """One question of one attempt of an action. `Approvers` empty = anybody who may operate the client.

    It is approved once `Quorum` different people said yes, and rejected with the first no. The person who asked for the run does
    not count unless `SelfApproval`.
    """

    run_id: str
    action_id: str
    attempt: int = 1
    prn: str
    requested_by: str | None = None
    approvers: tuple[str, ...] = ()
    quorum: int = Field(default=1, ge=1)
    self_approval: bool = False
    message: str | None = None
    asked_at: datetime
    expires_at: datetime | None = None
    decisions: tuple[Decision, ...] = ()
    withdrawn: bool = False
    version: int = 0

    @property
    def status(self) -> ApprovalStatus:
        """How it stands. Whether it is too late is for the one who asked to say."""
        if any(decision.verdict is Verdict.REJECTED for decision in self.decisions):
            return ApprovalStatus.REJECTED
        if len({decision.by for decision in self.decisions}) >= self.quorum:
            return ApprovalStatus.APPROVED
        return ApprovalStatus.WITHDRAWN if self.withdrawn else ApprovalStatus.OPEN
