"""The tables: one PynamoDB model each, without a name; a client's tables are made from them under the client's own names.

`docs/cmdb.md` lists the access patterns these keys and indexes serve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import TableConnection
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import MetaModel, Model

from core_lib.db.connection import CmdbConnection
from core_lib.framework.errors import ConflictError

M = TypeVar("M", bound=Model)


class FactRow(Model):
    """Registry facts of one kind: `kind` is client, portfolio, zone or `app:<portfolio>`."""

    kind = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute(range_key=True)
    version = NumberAttribute()
    updated_at = UnicodeAttribute()
    body = JSONAttribute()


class AccountRow(Model):
    """The account directory, one partition, in the order of account ids. Body: see `accounts`."""

    directory = UnicodeAttribute(hash_key=True)
    account = UnicodeAttribute(range_key=True)


class ChildrenIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Items under a parent, in the order of their creation. Only current items carry `parent`, history does not."""

    class Meta:
        index_name = "children"
        projection = AllProjection()

    parent = UnicodeAttribute(hash_key=True)
    created = UnicodeAttribute(range_key=True)


class ItemRow(Model):
    """Deployed things: revision `current`, and one row per version for the history."""

    prn = UnicodeAttribute(hash_key=True)
    revision = UnicodeAttribute(range_key=True)
    version = NumberAttribute()
    branch = UnicodeAttribute(null=True)
    parent = UnicodeAttribute(null=True)
    created = UnicodeAttribute(null=True)
    body = JSONAttribute()
    children = ChildrenIndex()


class EventRow(Model):
    """Events of a PRN in the order of time; `at` is time plus a random tail. Written once, never changed."""

    prn = UnicodeAttribute(hash_key=True)
    at = UnicodeAttribute(range_key=True)
    body = JSONAttribute()


class NewestRunsIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Runs of a client in the order of their creation."""

    class Meta:
        index_name = "newest"
        projection = AllProjection()

    client = UnicodeAttribute(hash_key=True)
    created = UnicodeAttribute(range_key=True)


class RunsOfPrnIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Runs of a PRN in the order of their creation."""

    class Meta:
        index_name = "of-prn"
        projection = AllProjection()

    prn = UnicodeAttribute(hash_key=True)
    created = UnicodeAttribute(range_key=True)


class RunRow(Model):
    """Runs. `body` holds the RunState; the attributes beside it are the parts that change on their own and override it."""

    run_id = UnicodeAttribute(hash_key=True)
    client = UnicodeAttribute()
    prn = UnicodeAttribute()
    created = UnicodeAttribute()
    status = UnicodeAttribute()
    version = NumberAttribute()
    epoch = NumberAttribute()
    visit = NumberAttribute(null=True)
    owner = UnicodeAttribute(null=True)
    heartbeat_at = UnicodeAttribute(null=True)
    cancel_requested = BooleanAttribute()
    counts = JSONAttribute()
    waits = JSONAttribute(null=True)
    body = JSONAttribute()
    newest = NewestRunsIndex()
    of_prn = RunsOfPrnIndex()


class FailuresIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Failed actions of a run in the order of failing. Sparse: other rows have no `f`, so it costs next to nothing."""

    class Meta:
        index_name = "failures"
        projection = AllProjection()

    run_id = UnicodeAttribute(hash_key=True)
    f = UnicodeAttribute(range_key=True)


class LedgerRow(Model):
    """Actions of a run. Names are short because there are many rows: v version, f failing time, e epoch (fence row only)."""

    run_id = UnicodeAttribute(hash_key=True)
    action_id = UnicodeAttribute(range_key=True)
    v = NumberAttribute(null=True)
    e = NumberAttribute(null=True)
    f = UnicodeAttribute(null=True)
    failures = FailuresIndex()


class LockRow(Model):
    """Locks on stacks; `stack` is `account/region/stack name`."""

    stack = UnicodeAttribute(hash_key=True)
    run_id = UnicodeAttribute()
    epoch = NumberAttribute()
    since = UnicodeAttribute()
    holder = UnicodeAttribute()


class StackRow(Model):
    """What was last deployed to each stack, by target. Body: see `stacks`."""

    target = UnicodeAttribute(hash_key=True)
    stack = UnicodeAttribute(range_key=True)


class DriftStateIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Stacks that have drifted (`drifted`), and those that had (`settled`), in the order of the last time it was seen."""

    class Meta:
        index_name = "by-state"
        projection = AllProjection()

    state = UnicodeAttribute(hash_key=True)
    seen = UnicodeAttribute(range_key=True)


class DriftRow(Model):
    """Drift of each stack, by target; under the target `#ignored`, groups that people ignore for a while. Body: see `drift`."""

    target = UnicodeAttribute(hash_key=True)
    stack = UnicodeAttribute(range_key=True)
    state = UnicodeAttribute(null=True)
    seen = UnicodeAttribute(null=True)
    by_state = DriftStateIndex()


class UnansweredIndex(GlobalSecondaryIndex[Any]):  # type: ignore[no-untyped-call]
    """Open approvals in the order of asking. Sparse: an answered one has no `state`."""

    class Meta:
        index_name = "unanswered"
        projection = AllProjection()

    state = UnicodeAttribute(hash_key=True)
    asked = UnicodeAttribute(range_key=True)


class ApprovalRow(Model):
    """Approvals of a run; `question` is action id and attempt. `state` is there only while the approval is open."""

    run_id = UnicodeAttribute(hash_key=True)
    question = UnicodeAttribute(range_key=True)
    version = NumberAttribute()
    state = UnicodeAttribute(null=True)
    asked = UnicodeAttribute()
    body = JSONAttribute()
    unanswered = UnansweredIndex()


def named(row: type[M], table_name: str, connection: CmdbConnection) -> type[M]:
    """The model `row` bound to a table of this name, on the shared connection."""
    meta = type("Meta", (), {"table_name": table_name, "billing_mode": "PAY_PER_REQUEST"})
    model = cast("type[M]", MetaModel(row.__name__, (row,), {"Meta": meta, "__module__": row.__module__}))
    table_connection: TableConnection = model._get_connection()
    connection.share(table_connection.get_meta_table())
    table_connection.connection = connection
    return model


def create(model: type[Model]) -> None:
    """Create the table and wait until it can be used; one that is already there stays as it is."""
    if model.exists():
        return
    try:
        model.create_table(wait=True)
    except ConflictError:
        model.create_table(wait=True)


@dataclass(frozen=True)
class ClientTables:
    """All tables of one client."""

    facts: type[FactRow]
    accounts: type[AccountRow]
    items: type[ItemRow]
    events: type[EventRow]
    runs: type[RunRow]
    ledger: type[LedgerRow]
    locks: type[LockRow]
    stacks: type[StackRow]
    approvals: type[ApprovalRow]
    drift: type[DriftRow]

    @classmethod
    def of(cls, client: str, prefix: str, connection: CmdbConnection) -> ClientTables:
        """The tables `{prefix}{client}-...`."""

        def table(row: type[M], name: str) -> type[M]:
            return named(row, f"{prefix}{client}-{name}", connection)

        return cls(
            facts=table(FactRow, "registry"),
            accounts=table(AccountRow, "accounts"),
            items=table(ItemRow, "items"),
            events=table(EventRow, "events"),
            runs=table(RunRow, "runs"),
            ledger=table(LedgerRow, "ledger"),
            locks=table(LockRow, "locks"),
            stacks=table(StackRow, "stacks"),
            approvals=table(ApprovalRow, "approvals"),
            drift=table(DriftRow, "drift"),
        )

    def all(self) -> tuple[type[Model], ...]:
        """Every table."""
        return tuple(vars(self).values())
