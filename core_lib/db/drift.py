"""Drift over time: what was found about each stack, since when, until when, and which groups are ignored for a while."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal

from core_lib.db.connection import CmdbConnection, Item
from core_lib.db.paging import Page, page_size, read_cursor, write_cursor
from core_lib.db.rows import document_text, document_value, time_text
from core_lib.db.tables import DriftRow
from core_lib.framework.models import DriftStatus, Message, ResourceDrift

State = Literal["drifted", "settled"]
_IGNORED = "#ignored"


class DriftRecord(Message):
    """Drift of one stack. `groups` are the ids of the groups its resources belong to.

    `first_seen` and `last_seen` are about the drift that is there now (or was, until `settled_at`); `checked_at` the last look.
    """

    target: str
    stack_name: str
    status: DriftStatus
    first_seen: datetime
    last_seen: datetime
    checked_at: datetime
    settled_at: datetime | None = None
    run_id: str | None = None
    reason: str | None = None
    groups: tuple[str, ...] = ()
    resources: tuple[ResourceDrift, ...] = ()

    @property
    def key(self) -> str:
        """`account/region/StackName`."""
        return f"{self.target}/{self.stack_name}"


class IgnoredDrift(Message):
    """A group that people have seen and ignore up to and including a day, and why."""

    group: str
    until: date
    reason: str
    by: str | None = None
    since: datetime


class Drifts:
    """The drift records of one client."""

    def __init__(self, table: type[DriftRow], connection: CmdbConnection) -> None:
        self._table: str = table.Meta.table_name
        self._connection = connection

    def put_many(self, records: Iterable[DriftRecord]) -> None:
        """Write these records, replacing what is there."""
        self._connection.put_many(self._table, [_item(record) for record in records])

    def get_many(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], DriftRecord]:
        """The records that exist among these (target, stack name)."""
        wanted = [{"target": {"S": target}, "stack": {"S": stack}} for target, stack in keys]
        found = (_record(row) for row in self._connection.get_many(self._table, wanted))
        return {(record.target, record.stack_name): record for record in found}

    def list(self, state: State = "drifted", *, limit: int = 100, cursor: str | None = None) -> Page[DriftRecord]:
        """A page of the stacks that have drifted (or had, and no longer do), those seen last first."""
        scope = f"{self._table} {state}"
        start = read_cursor(cursor, scope)
        answer = self._connection.call(
            "Query",
            TableName=self._table,
            IndexName="by-state",
            Limit=page_size(limit),
            ScanIndexForward=False,
            KeyConditionExpression="#state = :state",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":state": {"S": state}},
            **({"ExclusiveStartKey": start} if start else {}),
        )
        return Page(tuple(_record(row) for row in answer["Items"]), write_cursor(answer.get("LastEvaluatedKey"), scope))

    def drifted(self) -> tuple[DriftRecord, ...]:
        """All stacks that have drifted, page after page."""
        records: tuple[DriftRecord, ...] = ()
        cursor: str | None = None
        while True:
            page = self.list(limit=1000, cursor=cursor)
            records += page.items
            cursor = page.cursor
            if cursor is None:
                return records

    def ignore(self, ignored: IgnoredDrift) -> None:
        """Ignore a group for a while; replaces what was said about it before."""
        item = {"target": {"S": _IGNORED}, "stack": {"S": ignored.group}, "b": {"S": ignored.model_dump_json()}}
        self._connection.call("PutItem", TableName=self._table, Item=item)

    def ignored(self, on: date) -> dict[str, IgnoredDrift]:
        """The groups that are ignored on that day, by id."""
        rows = self._connection.query_all(self._table, "target", _IGNORED, ConsistentRead=True)
        found = (IgnoredDrift.model_validate_json(row["b"]["S"]) for row in rows)
        return {each.group: each for each in found if each.until >= on}


def _item(record: DriftRecord) -> Item:
    state: State = "drifted" if record.settled_at is None else "settled"
    return {
        "target": {"S": record.target},
        "stack": {"S": record.stack_name},
        "state": {"S": state},
        "seen": {"S": time_text(record.last_seen)},
        "b": document_value(record.model_dump_json(exclude_defaults=True), where=record.key),
    }


def _record(row: Item) -> DriftRecord:
    return DriftRecord.model_validate_json(document_text(row["b"]))
