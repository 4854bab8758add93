"""SYSTEM::Approval."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from pydantic import Field, field_validator

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.models import Approval as Question
from core_lib.framework.models import ApprovalStatus, Cause, Message, Verdict

LOOK_SECONDS = 15.0
REFUSED = "CORE-5007"


class ApprovalParams(Message):
    """Who is asked, and how long."""

    approvers: tuple[str, ...] = Field(
        default=(), description="People who may answer; none named = everybody who may operate the client"
    )
    quorum: int = Field(default=1, ge=1, le=20, description="How many different people have to say yes")
    self_approval: bool = Field(default=False, description="Whether the person who asked for the run counts")
    message: str | None = Field(default=None, max_length=2000, description="What they should know")
    timeout: timedelta | None = Field(default=None, gt=timedelta(0), description="How long they have (ISO 8601, PT8H)")

    @field_validator("approvers", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("quorum")
    @classmethod
    def _can_be_reached(cls, value: int, info: Any) -> int:
        asked = set(info.data.get("approvers") or ())
        if asked and value > len(asked):
            raise ValueError(f"{value} people are needed, and {len(asked)} are asked")
        return value


Context = ActionContext[ApprovalParams]


class Approval(Action[ApprovalParams]):
    """Waits until enough people have said yes."""

    kind = "SYSTEM::Approval"
    purpose = (
        "Asks people, and waits for their answer; the run sleeps meanwhile, and everybody can see who answered what and when."
    )
    Params = ApprovalParams
    outputs: ClassVar[Mapping[str, str]] = {
        "ApprovedBy": "Who said yes, as a list",
        "ApprovedAt": "When the last of them did, UTC, ISO 8601",
    }
    example: ClassVar[Mapping[str, Any]] = {
        "Approvers": ["ann", "bob"],
        "Quorum": 1,
        "Message": "The canary looks good. On to all accounts?",
        "Timeout": "P2D",
    }

    def start(self, ctx: Context) -> Step:
        """Ask; a question that an interrupted step asked already is the same one."""
        asked_at = datetime.now(UTC)
        params = ctx.params
        question = ctx.run.approvals.ask(
            Question(
                run_id=ctx.run_id, action_id=ctx.action_id, attempt=ctx.attempt, prn=ctx.run.prn,
                requested_by=ctx.run.requested_by, approvers=params.approvers, quorum=params.quorum,
                self_approval=params.self_approval, message=params.message, asked_at=asked_at,
                expires_at=asked_at + params.timeout if params.timeout else None,
            )
        )  # fmt: skip
        ctx.run.append_event(
            status="APPROVAL_REQUESTED", message=question.message, at=question.asked_at, key=f"{ctx.action_id}#{ctx.attempt}",
            details={"Action": ctx.action_id, "Approvers": list(question.approvers), "Quorum": question.quorum},
        )  # fmt: skip
        return self._answer(ctx, question)

    def check(self, ctx: Context) -> Step:
        """Has it been answered?"""
        return self._answer(ctx, ctx.run.approvals.get(ctx.run_id, ctx.action_id, ctx.attempt))

    def cancel(self, ctx: Context) -> Step:
        """Nobody has to answer any more."""
        ctx.run.approvals.withdraw(ctx.run_id, ctx.action_id)
        return Done(changed=False, message="nobody is asked any more")

    def _answer(self, ctx: Context, question: Question) -> Step:
        if question.status is ApprovalStatus.REJECTED:
            no = next(decision for decision in question.decisions if decision.verdict is Verdict.REJECTED)
            comment = f": {no.comment}" if no.comment else ""
            return Failed(f"{no.by} said no{comment}", code=REFUSED, hint="core runs resume asks again")
        if question.status is ApprovalStatus.APPROVED:
            people = [decision.by for decision in question.decisions]
            outputs = {"ApprovedBy": people, "ApprovedAt": question.decisions[-1].at.isoformat()}
            return Done(outputs=outputs, changed=False, message=f"approved by {', '.join(people)}")
        if question.status is ApprovalStatus.WITHDRAWN:  # the run was cancelled, and goes on after all
            return self.start(ctx)
        if question.expires_at is not None and datetime.now(UTC) >= question.expires_at:
            return Failed(
                f"nobody answered within {ctx.params.timeout}",
                cause=Cause.TIMEOUT,
                code=REFUSED,
                hint="core runs resume asks again",
            )
        who = ", ".join(question.approvers) or "anybody"
        given = f", {len(question.decisions)} given" if question.decisions else ""
        return Again(
            after=self._next_look(question),
            scratch={"asked_at": question.asked_at.isoformat(), "answers": len(question.decisions)},
            message=f"waits for {question.quorum} of {who}{given}",
            parked=True,
        )

    def _next_look(self, question: Question) -> float:
        if question.expires_at is None:
            return LOOK_SECONDS
        left = (question.expires_at - datetime.now(UTC)).total_seconds()
        return min(LOOK_SECONDS, max(left, 0.0))
