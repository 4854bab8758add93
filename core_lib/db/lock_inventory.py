"""The inventory of locks: who holds what since when, who waits for it, and giving back what a dead run left behind."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from core_lib.db.connection import CmdbConnection
from core_lib.db.events import Event, Events
from core_lib.db.locks import LockHolder, Locks, lock_holder
from core_lib.db.paging import Page, page_size, read_cursor, write_cursor
from core_lib.db.runs import Runs
from core_lib.db.tables import LockRow
from core_lib.framework.errors import ConflictError, LockedError, NotFoundError
from core_lib.framework.models import Message, Prn, RunState, RunStatus

NEWEST_RUNS = 200


class HeldLock(Message):
    """A lock with the run behind it. `alive`: the run gives signs of life; a dead one's lock goes to whoever asks for it.

    `status`, `prn` and `heartbeat_at` are missing when the run's record is gone. `waiting` are the living runs that want it.
    """

    key: str
    run_id: str
    epoch: int
    holder: str
    since: datetime | None = None
    alive: bool
    status: RunStatus | None = None
    prn: str | None = None
    heartbeat_at: datetime | None = None
    waiting: tuple[str, ...] = ()


class LockInventory:
    """The locks of one client, as people look at them."""

    def __init__(self, table: type[LockRow], locks: Locks, runs: Runs, events: Events, connection: CmdbConnection) -> None:
        self._table: str = table.Meta.table_name
        self._locks = locks
        self._runs = runs
        self._events = events
        self._connection = connection

    def page(self, *, limit: int = 100, cursor: str | None = None) -> Page[HeldLock]:
        """Locks that are held now, in no particular order. The table has no other rows, so a page is one read of it."""
        start = read_cursor(cursor, self._table)
        answer = self._connection.call(
            "Scan",
            TableName=self._table,
            Limit=page_size(limit),
            ConsistentRead=True,
            **({"ExclusiveStartKey": start} if start else {}),
        )
        held = self._described([lock_holder(item) for item in answer["Items"]])
        return Page(held, write_cursor(answer.get("LastEvaluatedKey"), self._table))

    def get(self, key: str) -> HeldLock:
        """One lock.

        Raises:
            NotFoundError: nobody holds it.
        """
        found = self._locks.holders([key]).get(key)
        if found is None:
            hint = "keys are account/region/stack; core locks list shows those that are held"
            raise NotFoundError("nobody holds this lock", where=key, hint=hint)
        (held,) = self._described([found])
        return held

    def release(self, key: str, *, by: str, reason: str | None = None, force: bool = False) -> HeldLock:
        """Give back the lock of a dead run, or with `force` of any run; the lock as it was held.

        The run is fenced off first: its worker, should it wake up, is refused by its next write and stops. An event in the
        history of what the run deployed says who did it and why.

        Raises:
            NotFoundError: nobody holds it.
            LockedError: its run is alive, and `force` was not given.
            ConflictError: the run gave a sign of life, or the lock changed hands, just now.
        """
        held = self.get(key)
        if held.alive and not force:
            raise LockedError(
                f"run {held.run_id} of {held.holder} is alive",
                where=key,
                hint=f"cancel it: core runs cancel {held.run_id}; or insist with --force and a --reason, which stops its worker",
            )
        run = self._runs.find(held.run_id)
        if run is not None and not run.status.ended and not self._locks.bury(run):
            raise ConflictError(f"run {run.run_id} gave a sign of life just now", where=key, hint="look again: core locks show")
        self._locks.release(held.run_id, [key], epoch=held.epoch)
        if run is not None:
            self._events.append(_released(held, run, by, reason))
        return held

    def _described(self, locks: Iterable[LockHolder]) -> tuple[HeldLock, ...]:
        listed = tuple(locks)
        runs = {name: self._runs.find(name) for name in sorted({lock.run_id for lock in listed})}
        waiting = self._waiting() if listed else {}
        return tuple(self._held(lock, runs[lock.run_id], waiting.get(lock.stack, [])) for lock in listed)

    def _held(self, lock: LockHolder, run: RunState | None, waiting: Iterable[str]) -> HeldLock:
        return HeldLock(
            key=lock.stack,
            run_id=lock.run_id,
            epoch=lock.epoch,
            holder=lock.holder,
            since=lock.since,
            alive=run is not None and self._runs.alive(run),
            status=run.status if run else None,
            prn=run.prn if run else None,
            heartbeat_at=run.heartbeat_at if run else None,
            waiting=tuple(waiting),
        )

    def _waiting(self) -> dict[str, list[str]]:
        """Living runs by the locks they wait for, first come first; the newest 200 runs are looked at."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for run in reversed(self._runs.list(limit=NEWEST_RUNS).items):
            for key in run.waits_for if self._runs.alive(run) else ():
                found[key].append(run.run_id)
        return found


def _released(held: HeldLock, run: RunState, by: str, reason: str | None) -> Event:
    identity = hashlib.sha256(f"{held.key}\n{held.run_id}\n{held.epoch}".encode()).hexdigest()[:32]
    level: Literal["WARN", "INFO"] = "WARN" if held.alive else "INFO"
    state = "alive" if held.alive else "dead"
    return Event(
        prn=Prn.parse(run.prn),
        event_type=level,
        status="LOCK_RELEASED",
        message=f"the lock on {held.key} was taken from the run, which was {state}" + (f": {reason}" if reason else ""),
        run_id=run.run_id,
        actor=by,
        details={"Key": held.key, "Epoch": held.epoch, "Since": held.since.isoformat() if held.since else None},
        id=identity,
    )
