"""Runs: who executes which plan, how it stands, and who may still write about it (the epoch)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.update import Action

from core_lib.db.connection import CmdbConnection, Item
from core_lib.db.leases import LeaseClock
from core_lib.db.ledger import fence_put
from core_lib.db.paging import Page, page_size, read_cursor, write_cursor
from core_lib.db.rows import now, time_text
from core_lib.db.run_rows import OVERLAID, replacement, run_body, run_state
from core_lib.db.tables import LedgerRow, RunRow
from core_lib.framework.errors import ConflictError, FencedError, IsolationError, LockedError, NotFoundError, RunStateError
from core_lib.framework.models import Prn, RunState, RunStatus

_ATTEMPTS = 10
_SETTABLE = frozenset(RunState.model_fields) - OVERLAID - {"run_id", "client", "prn", "created_at"}

FOLLOWS: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.PENDING: frozenset(RunStatus),
    RunStatus.AWAITING_APPROVAL: frozenset(RunStatus) - {RunStatus.PENDING},
    RunStatus.RUNNING: frozenset(RunStatus) - {RunStatus.PENDING},
    RunStatus.CANCELLING: frozenset({RunStatus.CANCELLING, RunStatus.CANCELLED, RunStatus.FAILED, RunStatus.SUCCEEDED}),
    RunStatus.FAILED: frozenset({RunStatus.FAILED, RunStatus.RUNNING, RunStatus.CANCELLED}),
    RunStatus.CANCELLED: frozenset({RunStatus.CANCELLED, RunStatus.RUNNING, RunStatus.FAILED}),
    RunStatus.SUCCEEDED: frozenset({RunStatus.SUCCEEDED}),
}
"""Which status may follow which. A failed or cancelled run goes back to running when it is resumed."""


class Runs:
    """The runs of one client."""

    def __init__(
        self, client: str, table: type[RunRow], ledger: type[LedgerRow], connection: CmdbConnection, lease_seconds: float
    ) -> None:
        self._client = client
        self._table = table
        self._ledger = ledger
        self._connection = connection
        self._lease = timedelta(seconds=lease_seconds)
        self._clock = LeaseClock()

    def create(self, run: RunState) -> RunState:
        """Register a new run.

        Raises:
            ConflictError: a run of this name is already there.
            IsolationError: the run belongs to another client.
        """
        if run.client != self._client:
            raise IsolationError(f"the run belongs to client {run.client!r}, not to {self._client!r}", where=run.run_id)
        fresh = run.model_copy(update={"version": 1})
        row = self._row(fresh)
        try:
            row.save(condition=self._table.run_id.does_not_exist())
        except PutError as error:
            if self.get(run.run_id) != fresh:
                raise ConflictError(
                    f"a run named {run.run_id} is already there",
                    hint="leave CorrelationId out to get a new one, or resume the run",
                ) from error
        return fresh

    def _row(self, run: RunState) -> RunRow:
        return self._table(
            run.run_id,
            client=run.client,
            prn=run.prn,
            created=f"{time_text(run.created_at)}#{run.run_id}",
            status=run.status.value,
            version=run.version,
            epoch=run.epoch,
            visit=run.visit,
            heartbeat_at=time_text(run.heartbeat_at) if run.heartbeat_at else None,
            cancel_requested=run.cancel_requested,
            counts=run.counts,
            waits=run.waits_for or None,
            body=run_body(run),
        )

    def get(self, run_id: str) -> RunState:
        """One run, strongly consistent.

        Raises:
            NotFoundError: there is no such run.
        """
        return run_state(self._read(run_id))

    def find(self, run_id: str) -> RunState | None:
        """One run, or None."""
        try:
            return self.get(run_id)
        except NotFoundError:
            return None

    def _read(self, run_id: str) -> RunRow:
        try:
            return self._table.get(run_id, consistent_read=True)
        except self._table.DoesNotExist as error:
            raise NotFoundError(f"there is no run {run_id}", hint="'core runs list' shows the runs of the client") from error

    def list(self, prn: Prn | str | None = None, *, limit: int = 50, cursor: str | None = None) -> Page[RunState]:
        """Runs of the client, or of exactly this PRN, newest first."""
        index, partition = (self._table.newest, self._client) if prn is None else (self._table.of_prn, str(prn))
        scope = f"{self._table.Meta.table_name} {index.Meta.index_name} {partition}"
        found = index.query(
            partition, scan_index_forward=False, limit=page_size(limit), last_evaluated_key=read_cursor(cursor, scope)
        )
        runs = tuple(run_state(row) for row in found)
        return Page(runs, write_cursor(found.last_evaluated_key, scope))

    def transition(
        self,
        run_id: str,
        status: RunStatus,
        *,
        epoch: int | None = None,
        along: Callable[[RunState], Item] | None = None,
        **fields: Any,
    ) -> RunState:
        """Move the run to `status` and set these RunState fields with it (`flow_run_id`, `error`, `target_count`, `counts` ...).

        `started_at` is filled in on the first `running`, `ended_at` when the run ends; a resumed run has no end again. Workers
        pass their `epoch`, so that a stale one cannot end a run that another worker drives. A run that is being cancelled stays
        `cancelling` when a worker wants to say that it is running. `along` gives an operation that is written in the same
        transaction or not at all.

        Raises:
            RunStateError: this status may not follow the present one.
            FencedError: the run has moved to another epoch.
        """
        unknown = set(fields) - _SETTABLE - {"counts"}
        if unknown:
            raise TypeError(f"not fields of a run that change: {sorted(unknown)}")
        for _ in range(_ATTEMPTS):
            row = self._read(run_id)
            before = run_state(row)
            if epoch is not None and before.epoch != epoch:
                raise fenced(run_id, epoch)
            if status is RunStatus.RUNNING and before.status is RunStatus.CANCELLING:
                status = RunStatus.CANCELLING
            if status not in FOLLOWS[before.status]:
                raise RunStateError(f"the run is {before.status.value} and cannot become {status.value}", where=run_id)
            after = before.but(**(_times(before, status) | fields), status=status, version=before.version + 1)
            more = [along(after)] if along else []
            if self._replace(row, after, counts="counts" in fields, more=more):
                return after
        raise ConflictError("the run keeps being changed by others", where=run_id, hint="try again")

    def amend(self, run_id: str, *, epoch: int, **fields: Any) -> RunState:
        """Set these RunState fields and leave the run where it is; what its status is meanwhile does not matter.

        Raises:
            FencedError: the run has moved to another epoch.
        """
        unknown = set(fields) - _SETTABLE
        if unknown:
            raise TypeError(f"not fields of a run that change: {sorted(unknown)}")
        for _ in range(_ATTEMPTS):
            row = self._read(run_id)
            before = run_state(row)
            if before.epoch != epoch:
                raise fenced(run_id, epoch)
            after = before.but(**fields, version=before.version + 1)
            if self._replace(row, after, counts=False):
                return after
        raise ConflictError("the run keeps being changed by others", where=run_id, hint="try again")

    def _replace(self, row: RunRow, after: RunState, *, counts: bool, more: Sequence[Item] = ()) -> bool:
        """Write status, version and body if nobody else did since `row` was read. True when `after` is what is stored."""
        if more:
            refused = self._connection.transact([replacement(self._table.Meta.table_name, after, counts=counts), *more])
            return not refused or self._is_stored(after)
        actions: list[Action] = [
            self._table.status.set(after.status.value),
            self._table.version.set(after.version),
            self._table.cancel_requested.set(after.cancel_requested),
            self._table.body.set(run_body(after)),
        ]
        if counts:
            actions.append(self._table.counts.set(after.counts))
        try:
            row.update(actions, condition=(self._table.version == after.version - 1) & (self._table.epoch == after.epoch))
        except UpdateError:
            return self._is_stored(after)
        return True

    def _is_stored(self, after: RunState) -> bool:
        beaten = {"heartbeat_at": after.heartbeat_at, "counts": after.counts, "waits_for": after.waits_for}
        return run_state(self._read(after.run_id)).model_copy(update=beaten) == after

    def take(self, run_id: str, *, only_if_idle: bool = False, same_visit: bool = False) -> RunState:
        """Become the one who executes the run: the epoch goes up by one, and whoever executed it before is fenced off.

        `same_visit`: go on where the last worker stopped; what failed stays failed. Otherwise the run begins, or is resumed.
        A run that had ended loses its cancel request, because taking it means resuming it.

        Raises:
            RunStateError: the run has succeeded; there is nothing left to do.
            LockedError: `only_if_idle` and another worker is alive on it.
        """
        me = uuid.uuid4().hex
        for _ in range(_ATTEMPTS):
            before = self.get(run_id)
            if before.status is RunStatus.SUCCEEDED:
                raise RunStateError("the run has succeeded; there is nothing to resume", where=run_id)
            if only_if_idle and before.epoch > 0 and self.alive(before):
                raise LockedError(
                    "another worker is executing this run", where=run_id, hint="cancel it, or wait until it is gone"
                )
            after = before.but(
                epoch=before.epoch + 1,
                visit=max(before.visit, 1) if same_visit else before.visit + 1,
                version=before.version + 1,
                heartbeat_at=self._clock.own(),
                cancel_requested=before.cancel_requested and not before.status.ended,
            )
            # What is stored may be the next worker's by now: the answer is what this call wrote, never what it reads back.
            if not self._connection.transact(self._take(before, after, me)) or self._is_owner(run_id, me, after.epoch):
                return after
        raise ConflictError("several workers keep taking this run", where=run_id)

    def _take(self, before: RunState, after: RunState, owner: str) -> Sequence[Item]:
        values: Item = {
            "owner": {"S": owner},
            "heartbeat_at": {"S": time_text(after.heartbeat_at or now())},
            "cancel_requested": {"BOOL": after.cancel_requested},
            "visit": {"N": str(after.visit)},
        }
        return [self.bump_epoch(before, values), fence_put(self._ledger.Meta.table_name, before.run_id, after.epoch)]

    def _is_owner(self, run_id: str, owner: str, epoch: int) -> bool:
        row = self._read(run_id)
        return row.owner == owner and int(row.epoch) == epoch

    def bump_epoch(self, run: RunState, values: Item | None = None) -> Item:
        """A transaction's update that raises the epoch of `run` if version, epoch and heartbeat are as they were seen."""
        sets = {"epoch": {"N": str(run.epoch + 1)}, "version": {"N": str(run.version + 1)}} | (values or {})
        seen = {"epoch": {"N": str(run.epoch)}, "version": {"N": str(run.version)}}
        if run.heartbeat_at and not values:
            seen["heartbeat_at"] = {"S": time_text(run.heartbeat_at)}
        names = {f"#{name}": name for name in (*sets, *seen)}
        return {
            "Update": {
                "TableName": self._table.Meta.table_name,
                "Key": {"run_id": {"S": run.run_id}},
                "UpdateExpression": "SET " + ", ".join(f"#{name} = :new_{name}" for name in sets),
                "ConditionExpression": " AND ".join(f"#{name} = :old_{name}" for name in seen),
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": {f":new_{name}": value for name, value in sets.items()}
                | {f":old_{name}": value for name, value in seen.items()},
            }
        }

    def heartbeat(
        self, run_id: str, epoch: int, counts: Mapping[str, int] | None = None, waits: Mapping[str, str] | None = None
    ) -> RunState:
        """Say that the worker of this epoch is alive, how far it is, and which locks it waits for (with the run that holds each).

        The answer tells whether a cancel was requested.

        Raises:
            FencedError: another worker has taken the run over; stop at once.
        """
        actions: list[Action] = [self._table.heartbeat_at.set(time_text(self._clock.own()))]
        if counts is not None:
            actions.append(self._table.counts.set(dict(counts)))
        if waits is not None:
            actions.append(self._table.waits.set(dict(waits)))
        row = self._table(run_id)
        try:
            row.update(actions, condition=self._table.epoch == epoch)
        except UpdateError as error:
            raise fenced(run_id, epoch) from error
        return run_state(row)

    def request_cancel(self, run_id: str, *, superseded_by: str | None = None) -> RunState:
        """Ask for the run to be cancelled, in the name of the run that takes its place if there is one.

        Its worker sees it with the next heartbeat.

        Raises:
            RunStateError: the run has already ended.
        """
        for _ in range(_ATTEMPTS):
            row = self._read(run_id)
            before = run_state(row)
            if before.status.ended:
                raise RunStateError(f"the run has already ended ({before.status.value})", where=run_id)
            status = RunStatus.CANCELLING if before.status is RunStatus.RUNNING else before.status
            heir = superseded_by or before.superseded_by
            after = before.but(status=status, cancel_requested=True, superseded_by=heir, version=before.version + 1)
            if self._replace(row, after, counts=False):
                return after
        raise ConflictError("the run keeps being changed by others", where=run_id, hint="try again")

    def alive(self, run: RunState) -> bool:
        """Whether somebody is executing the run: not ended, and a heartbeat younger than the lease."""
        last_sign = run.heartbeat_at or run.started_at or run.created_at
        return not run.status.ended and self._clock.others() - last_sign < self._lease


def fenced(run_id: str, epoch: int) -> FencedError:
    """The error of a worker that comes too late."""
    return FencedError(
        f"another worker has taken the run over (this one has epoch {epoch})",
        where=run_id,
        hint="nothing to do: the other worker continues the run",
    )


def _times(before: RunState, status: RunStatus) -> dict[str, Any]:
    if status.ended:
        return {"ended_at": now()}
    if status is RunStatus.RUNNING:
        resumed = {"superseded_by": None} if before.status.ended else {}
        return {"started_at": before.started_at or now(), "ended_at": None, **resumed}
    return {}
