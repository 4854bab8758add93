"""What was last deployed to each stack: the memory behind "nothing has changed"."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from core_lib.db.connection import CmdbConnection, Item
from core_lib.db.rows import document_text, document_value
from core_lib.db.runs import fenced
from core_lib.db.tables import LockRow, StackRow
from core_lib.framework.models import FileRef, Message

_TARGETS = "#targets"
"""Partition whose rows are the targets themselves, so that the whole fleet is found without reading a whole table."""


class StackRecord(Message):
    """One stack as the platform left it.

    `fingerprint` is the hash of what was asked for, `template` the artefact it was deployed with; stack id, update time,
    parameters and tags are what CloudFormation then said, so that a change made by anybody else is noticed. `target` is
    `account/region`; times are CloudFormation's own, as text.
    """

    target: str
    stack_name: str
    fingerprint: str
    stack_id: str
    last_updated: str | None = None
    parameters: dict[str, str] = Field(default_factory=dict)
    tags: dict[str, str] = Field(default_factory=dict)
    outputs: dict[str, Any] = Field(default_factory=dict)
    template: FileRef | None = None
    run_id: str | None = None
    action_id: str | None = None


class Stacks:
    """The stack records of one client. Writers hold the lock of the stack, so the last write is the right one."""

    def __init__(self, table: type[StackRow], locks: type[LockRow], connection: CmdbConnection) -> None:
        self._table: str = table.Meta.table_name
        self._locks: str = locks.Meta.table_name
        self._connection = connection
        self._listed: set[str] = set()

    def get_many(self, target_key: str) -> dict[str, StackRecord]:
        """All records of a target (`account/region`) by stack name: one query."""
        rows = self._connection.query_all(self._table, "target", target_key, ConsistentRead=True)
        records = (StackRecord.model_validate_json(document_text(row["b"])) for row in rows)
        return {record.stack_name: record for record in records}

    def targets(self) -> list[str]:
        """Every target (`account/region`) to which a stack was ever deployed: one query."""
        return [row["stack"]["S"] for row in self._connection.query_all(self._table, "target", _TARGETS, ConsistentRead=True)]

    def put(self, record: StackRecord, *, epoch: int | None = None) -> None:
        """Remember what was deployed. With `epoch`, only if the record's run still holds the stack's lock with this epoch.

        Raises:
            FencedError: it does not; another run may have changed the stack meanwhile.
        """
        self._list(record.target)
        put = {"TableName": self._table, "Item": _item(record)}
        if epoch is None:
            self._connection.call("PutItem", **put)
        elif self._connection.transact([self._held(record, epoch), {"Put": put}]):
            raise fenced(record.run_id or "-", epoch)

    def _list(self, target: str) -> None:
        """Add the target to the list of all targets, once in this process."""
        if target not in self._listed:
            self._connection.call("PutItem", TableName=self._table, Item={"target": {"S": _TARGETS}, "stack": {"S": target}})
            self._listed.add(target)

    def _held(self, record: StackRecord, epoch: int) -> Item:
        """A transaction's check of the lock."""
        return {
            "ConditionCheck": {
                "TableName": self._locks,
                "Key": {"stack": {"S": f"{record.target}/{record.stack_name}"}},
                "ConditionExpression": "run_id = :me AND epoch = :epoch",
                "ExpressionAttributeValues": {":me": {"S": record.run_id or "-"}, ":epoch": {"N": str(epoch)}},
            }
        }

    def delete(self, target_key: str, stack_name: str) -> None:
        """Forget a stack that was deleted."""
        self._connection.call("DeleteItem", TableName=self._table, Key={"target": {"S": target_key}, "stack": {"S": stack_name}})


def _item(record: StackRecord) -> Item:
    body = record.model_dump_json(exclude_defaults=True)
    return {
        "target": {"S": record.target},
        "stack": {"S": record.stack_name},
        "b": document_value(body, where=f"{record.target}/{record.stack_name}"),
    }
