"""Locks on stacks: all that a unit needs in one transaction, or none.

A lock names the run that holds it and that run's epoch. It counts as long as its holder is alive (see `Runs.alive`). Before the
lock of a dead holder is taken over, the dead run's epoch is raised: should its worker wake up after all, its next heartbeat,
ledger write or lock is refused, so two workers never change one stack.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core_lib.db.connection import TRANSACTION_LIMIT, CmdbConnection, Item
from core_lib.db.ledger import fence_check, fence_put
from core_lib.db.rows import now, read_time, time_text
from core_lib.db.runs import Runs, fenced
from core_lib.db.superseding import Precedence, supersede
from core_lib.db.tables import LedgerRow, LockRow
from core_lib.framework.errors import ConflictError, LockedError
from core_lib.framework.models import RunState

_ATTEMPTS = 20
_KEYS_AT_ONCE = TRANSACTION_LIMIT - 1
_FREE_OR_MINE = "attribute_not_exists(stack) OR (run_id = :me AND epoch <= :epoch)"
_STILL_THEIRS = "run_id = :them AND epoch = :their_epoch"


@dataclass(frozen=True)
class LockHolder:
    """Who holds a lock: the run, the epoch of its worker, a text for people, and since when (UTC)."""

    stack: str
    run_id: str
    epoch: int
    holder: str
    since: datetime | None


class StackHeldError(LockedError):
    """A living run holds a stack: `holder` is its lock."""

    holder: LockHolder


class Locks:
    """The stack locks of one client. Keys are `account/region/stack name`."""

    def __init__(self, table: type[LockRow], ledger: type[LedgerRow], runs: Runs, connection: CmdbConnection) -> None:
        self._table: str = table.Meta.table_name
        self._ledger: str = ledger.Meta.table_name
        self._runs = runs
        self._connection = connection

    def acquire(self, run_id: str, epoch: int, keys: Iterable[str], holder_text: str) -> None:
        """Take all of these locks or none. Locks that the run already holds (now or in an earlier epoch) are kept.

        Up to 99 keys are taken in one transaction; more are taken in groups and given back when a later group fails.

        Raises:
            StackHeldError: a living run holds one of them; it names the run, the person and the time.
            FencedError: another worker has taken this run over.
        """
        wanted = sorted(set(keys))
        groups = [wanted[start : start + _KEYS_AT_ONCE] for start in range(0, len(wanted), _KEYS_AT_ONCE)]
        before = {} if len(groups) < 2 else self.holders(wanted)
        taken: list[str] = []
        try:
            for group in groups:
                self._acquire_group(run_id, epoch, group, holder_text)
                taken += [key for key in group if key not in before or before[key].run_id != run_id]
        except LockedError:
            self.release(run_id, taken, epoch=epoch)
            raise

    def _acquire_group(self, run_id: str, epoch: int, keys: Sequence[str], holder: str) -> None:
        dead: Mapping[str, LockHolder] = {}
        for _ in range(_ATTEMPTS):
            fence = fence_check(self._ledger, run_id, epoch)
            puts = [self._put(run_id, epoch, key, holder, dead.get(key)) for key in keys]
            refused = self._connection.transact([fence, *puts])
            if not refused:
                return
            if 0 in refused:
                raise fenced(run_id, epoch)
            dead = self._dead_holders(run_id, epoch, keys)
        raise ConflictError("several runs keep taking over the same locks", where=keys[0], hint="try again")

    def _put(self, run_id: str, epoch: int, key: str, holder: str, dead: LockHolder | None) -> Item:
        item = {
            "stack": {"S": key}, "run_id": {"S": run_id}, "epoch": {"N": str(epoch)}, "holder": {"S": holder or "unknown"},
            "since": {"S": time_text(now())},
        }  # fmt: skip
        values: Item = {":me": {"S": run_id}, ":epoch": {"N": str(epoch)}}
        condition = _FREE_OR_MINE
        if dead:
            values = {":them": {"S": dead.run_id}, ":their_epoch": {"N": str(dead.epoch)}}
            condition = _STILL_THEIRS
        return {
            "Put": {
                "TableName": self._table,
                "Item": item,
                "ConditionExpression": condition,
                "ExpressionAttributeValues": values,
            }
        }

    def _dead_holders(self, run_id: str, epoch: int, keys: Sequence[str]) -> dict[str, LockHolder]:
        """Locks whose holders are dead, by key, after making sure that they stay dead. Any living holder is an error."""
        others: dict[str, LockHolder] = {}
        for key, lock in self.holders(keys).items():
            if lock.run_id != run_id:
                others[key] = lock
            elif lock.epoch > epoch:
                raise fenced(run_id, epoch)
        runs = {name: self._runs.find(name) for name in sorted({lock.run_id for lock in others.values()})}
        for key, lock in sorted(others.items()):
            run = runs[lock.run_id]
            if run and self._runs.alive(run):
                raise _locked(key, lock)
        buried = {name for name, run in runs.items() if run is None or run.status.ended or self.bury(run)}
        return {key: lock for key, lock in others.items() if lock.run_id in buried}

    def supersede(self, holder: str, by: RunState) -> Precedence:
        """Have the run that holds a lock make way for a newer one; see `superseding.supersede`. `by` decides with its options."""
        return supersede(self._runs, holder, by, any_deployment=by.options.force)

    def bury(self, run: RunState) -> bool:
        """Fence a run off by raising its epoch, if it is as it was read; False when it gave a sign of life meanwhile."""
        return not self._connection.transact([self._runs.bump_epoch(run), fence_put(self._ledger, run.run_id, run.epoch + 1)])

    def release(self, run_id: str, keys: Iterable[str], *, epoch: int | None = None) -> None:
        """Give back those of these locks that the run holds. With `epoch`, locks taken in a later epoch stay."""
        waiting = sorted(set(keys))
        for start in range(0, len(waiting), TRANSACTION_LIMIT):
            group = waiting[start : start + TRANSACTION_LIMIT]
            while group:
                refused = set(self._connection.transact([self._delete(run_id, key, epoch) for key in group]))
                group = [key for index, key in enumerate(group) if index not in refused] if refused else []

    def _delete(self, run_id: str, key: str, epoch: int | None) -> Item:
        values: Item = {":me": {"S": run_id}}
        condition = "run_id = :me"
        if epoch is not None:
            values[":epoch"] = {"N": str(epoch)}
            condition += " AND epoch <= :epoch"
        return {
            "Delete": {
                "TableName": self._table,
                "Key": {"stack": {"S": key}},
                "ConditionExpression": condition,
                "ExpressionAttributeValues": values,
            }
        }

    def holders(self, keys: Iterable[str]) -> dict[str, LockHolder]:
        """Who holds these locks (alive or not), by key; free ones are left out."""
        wanted = [{"stack": {"S": key}} for key in sorted(set(keys))]
        found = (lock_holder(item) for item in self._connection.get_many(self._table, wanted))
        return {lock.stack: lock for lock in found}


def lock_holder(item: Item) -> LockHolder:
    """The lock in a row of the table."""
    return LockHolder(
        stack=item["stack"]["S"],
        run_id=item["run_id"]["S"],
        epoch=int(item["epoch"]["N"]),
        holder=item["holder"]["S"],
        since=read_time(item["since"]["S"]),
    )


def _locked(key: str, lock: LockHolder) -> StackHeldError:
    since = f"{lock.since:%Y-%m-%d %H:%M:%S} UTC" if lock.since else "an unknown time"
    error = StackHeldError(
        f"run {lock.run_id} of {lock.holder} holds this stack since {since}",
        where=key,
        hint="wait until that run has ended, or cancel it: core runs cancel " + lock.run_id,
    )
    error.holder = lock
    return error
