"""Approvals: questions of runs to people, and the answers. Nothing is ever overwritten; a new attempt asks a new question."""

from __future__ import annotations

from datetime import datetime

from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.update import Action

from core_lib.db.paging import Page, page_size, read_cursor, write_cursor
from core_lib.db.rows import now, time_text
from core_lib.db.tables import ApprovalRow
from core_lib.framework.errors import ApprovalError, ConflictError, NotFoundError
from core_lib.framework.models import Approval, ApprovalStatus, Decision

_OPEN = "open"
_ATTEMPTS = 10


class Approvals:
    """The approvals of one client."""

    def __init__(self, table: type[ApprovalRow]) -> None:
        self._table = table

    def ask(self, approval: Approval) -> Approval:
        """Ask, once: a question that is there already stays as it is, with the answers it has. One that was withdrawn is open
        again."""
        fresh = approval.model_copy(update={"version": 1})
        try:
            self._row(fresh).save(condition=self._table.run_id.does_not_exist())
        except PutError:
            known = self.get(approval.run_id, approval.action_id, approval.attempt)
            if known.status is not ApprovalStatus.WITHDRAWN:
                return known
            return self._change(known, known.model_copy(update={"withdrawn": False})) or self.ask(approval)
        return fresh

    def get(self, run_id: str, action_id: str, attempt: int) -> Approval:
        """One approval. Raises NotFoundError."""
        try:
            return _approval(self._table.get(run_id, _key(action_id, attempt), consistent_read=True))
        except self._table.DoesNotExist as error:
            raise NotFoundError("nobody was asked that", where=f"{run_id} {action_id}") from error

    def of_run(self, run_id: str) -> tuple[Approval, ...]:
        """All approvals of a run, by action and attempt."""
        return tuple(_approval(row) for row in self._table.query(run_id, consistent_read=True))

    def list_open(self, *, limit: int = 100, cursor: str | None = None) -> Page[Approval]:
        """Open approvals of the client, oldest first."""
        scope = f"{self._table.Meta.table_name} {_OPEN}"
        found = self._table.unanswered.query(_OPEN, limit=page_size(limit), last_evaluated_key=read_cursor(cursor, scope))
        approvals = tuple(_approval(row) for row in found)
        return Page(approvals, write_cursor(found.last_evaluated_key, scope))

    def decide(self, run_id: str, action_id: str, attempt: int, decision: Decision) -> Approval:
        """Add a person's answer.

        Raises:
            NotFoundError: nobody asked that.
            ApprovalError: it is not open any more, or this person may not answer, or has answered.
        """
        for _ in range(_ATTEMPTS):
            before = self.get(run_id, action_id, attempt)
            check_decision(before, decision)
            changed = self._change(before, before.model_copy(update={"decisions": (*before.decisions, decision)}))
            if changed is not None:
                return changed
        raise ConflictError("others keep answering at the same moment", where=f"{run_id} {action_id}", hint="try again")

    def withdraw(self, run_id: str, action_id: str | None = None) -> None:
        """Nobody needs to answer the open questions of this run (of one action of it) any more."""
        for approval in self.of_run(run_id):
            while action_id in (None, approval.action_id) and approval.status is ApprovalStatus.OPEN:
                withdrawn = self._change(approval, approval.model_copy(update={"withdrawn": True}))
                approval = withdrawn or self.get(run_id, approval.action_id, approval.attempt)

    def _change(self, before: Approval, after: Approval) -> Approval | None:
        """Write the next version; None when somebody else did."""
        stored = after.model_copy(update={"version": before.version + 1})
        row = self._row(stored)
        actions: list[Action] = [self._table.body.set(row.body), self._table.version.set(stored.version)]
        actions.append(self._table.state.set(_OPEN) if row.state else self._table.state.remove())
        try:
            row.update(actions, condition=self._table.version == before.version)
        except UpdateError:
            return None
        return stored

    def _row(self, approval: Approval) -> ApprovalRow:
        return self._table(
            approval.run_id,
            _key(approval.action_id, approval.attempt),
            version=approval.version,
            state=_OPEN if approval.status is ApprovalStatus.OPEN else None,
            asked=f"{time_text(approval.asked_at)}#{approval.run_id}",
            body=approval.model_dump(mode="json", exclude_none=True, exclude={"version"}),
        )


def check_decision(approval: Approval, decision: Decision, moment: datetime | None = None) -> None:
    """Whether this answer counts. Raises ApprovalError."""
    where = f"{approval.run_id} {approval.action_id}"
    if approval.status is not ApprovalStatus.OPEN:
        raise ApprovalError(f"it is {approval.status.value}; nobody is asked any more", where=where)
    if approval.expires_at is not None and (moment or now()) >= approval.expires_at:
        raise ApprovalError(f"the time to answer was over at {approval.expires_at:%Y-%m-%d %H:%M:%S} UTC", where=where)
    if approval.approvers and decision.by not in approval.approvers:
        raise ApprovalError(f"{decision.by} is not asked", where=where, hint=f"approvers: {', '.join(approval.approvers)}")
    if decision.by == approval.requested_by and not approval.self_approval:
        raise ApprovalError(
            f"{decision.by} asked for this run", where=where, hint="somebody else has to answer, or set SelfApproval: true"
        )
    if any(decision.by == earlier.by for earlier in approval.decisions):
        raise ApprovalError(f"{decision.by} has answered already", where=where, hint=f"{approval.quorum} people are needed")


def _key(action_id: str, attempt: int) -> str:
    return f"{action_id}#{attempt:06d}"


def _approval(row: ApprovalRow) -> Approval:
    return Approval.model_validate(row.body | {"version": int(row.version)})
