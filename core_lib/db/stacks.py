"""What was last deployed to each stack: the memory behind "nothing has changed"."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from core_lib.db.connection import CmdbConnection, Item
from core_lib.db.rows import document_text, document_value
from core_lib.db.tables import StackRow
from core_lib.framework.models import Message


class StackRecord(Message):
    """One stack as the platform left it.

    `fingerprint` is the hash of what was asked for; stack id, update time, parameters and tags are what CloudFormation then said,
    so that a change made by anybody else is noticed. `target` is `account/region`; times are CloudFormation's own, as text.
    """

    target: str
    stack_name: str
    fingerprint: str
    stack_id: str
    last_updated: str | None = None
    parameters: dict[str, str] = Field(default_factory=dict)
    tags: dict[str, str] = Field(default_factory=dict)
    outputs: dict[str, Any] = Field(default_factory=dict)
    run_id: str | None = None
    action_id: str | None = None


class Stacks:
    """The stack records of one client. Writers hold the lock of the stack, so the last write is the right one."""

    def __init__(self, table: type[StackRow], connection: CmdbConnection) -> None:
        self._table: str = table.Meta.table_name
        self._connection = connection

    def get_many(self, target_key: str) -> dict[str, StackRecord]:
        """All records of a target (`account/region`) by stack name: one query."""
        rows = self._connection.query_all(self._table, "target", target_key, ConsistentRead=True)
        records = (StackRecord.model_validate_json(document_text(row["b"])) for row in rows)
        return {record.stack_name: record for record in records}

    def put(self, record: StackRecord) -> None:
        """Remember what was deployed."""
        self._connection.call("PutItem", TableName=self._table, Item=_item(record))

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
