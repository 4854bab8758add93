"""DynamoDB in memory, with its conditional and transactional semantics: fast enough for thousands of rehearsals.

`tests/unit/db` runs its rules against this and against moto, so that both say the same. Everything is strongly consistent; what
an operation does not support raises NotImplementedError instead of guessing.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError
from pynamodb.connection.base import MetaTable

from core_lib.db import ClientCmdb
from core_lib.db.connection import CmdbConnection
from core_lib.db.tables import ClientTables, FactRow, named
from tests.builders.conditions import holds, updated

Item = dict[str, Any]
_IGNORED = {"ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "ClientRequestToken", "ConsistentRead"}


class MemoryTables:
    """The items of all tables, and what keys the tables have."""

    def __init__(self) -> None:
        self.items: dict[str, dict[tuple[Any, ...], Item]] = {}
        self.keys: dict[str, tuple[str, ...]] = {}
        self.indexes: dict[tuple[str, str], tuple[str, ...]] = {}

    def clear(self) -> None:
        """Forget every item."""
        for table in self.items.values():
            table.clear()

    def learn(self, table: MetaTable) -> None:
        """Take note of a table's keys."""
        name = table.table_name
        self.keys[name] = _names(table.data["KeySchema"])
        self.items.setdefault(name, {})
        for index in table.data.get("GlobalSecondaryIndexes", []):
            self.indexes[name, index["IndexName"]] = _names(index["KeySchema"])

    def place(self, table: str, item: Mapping[str, Any]) -> tuple[Any, ...]:
        """The primary key of an item."""
        return tuple(next(iter(item[name].values())) for name in self.keys[table])


class MemoryClient:
    """Answers as botocore's DynamoDB client does. `before` and `after` are called around each operation, with its name."""

    def __init__(self, tables: MemoryTables) -> None:
        self._tables = tables
        self.before: Callable[[str], None] = lambda operation: None
        self.after: Callable[[str], None] = lambda operation: None

    def _make_api_call(self, operation: str, arguments: Mapping[str, Any]) -> Item:
        self.before(operation)
        known = {key: value for key, value in arguments.items() if key not in _IGNORED}
        answer: Item = copy.deepcopy(getattr(self, f"_{xform_name(operation)}")(copy.deepcopy(known)))
        self.after(operation)
        return answer

    def close(self) -> None:
        """There is nothing to close."""

    def _get_item(self, request: Item) -> Item:
        table = request["TableName"]
        found = self._tables.items[table].get(self._tables.place(table, request["Key"]))
        return {"Item": found} if found is not None else {}

    def _batch_get_item(self, request: Item) -> Item:
        answer: Item = {}
        for table, wanted in request["RequestItems"].items():
            found = (self._tables.items[table].get(self._tables.place(table, key)) for key in wanted["Keys"])
            answer[table] = [item for item in found if item is not None]
        return {"Responses": answer, "UnprocessedKeys": {}}

    def _batch_write_item(self, request: Item) -> Item:
        for table, entries in request["RequestItems"].items():
            for entry in entries:
                ((kind, write),) = entry.items()
                self._write(kind.removesuffix("Request"), {"TableName": table, **write})
        return {"UnprocessedItems": {}}

    def _put_item(self, request: Item) -> Item:
        return self._alone("Put", request)

    def _update_item(self, request: Item) -> Item:
        return self._alone("Update", request)

    def _delete_item(self, request: Item) -> Item:
        return self._alone("Delete", request)

    def _transact_write_items(self, request: Item) -> Item:
        steps = [next(iter(entry.items())) for entry in request["TransactItems"]]
        reasons = [{"Code": "None"} if self._allowed(step) else {"Code": "ConditionalCheckFailed"} for _, step in steps]
        if any(reason["Code"] != "None" for reason in reasons):
            raise _error("TransactWriteItems", "TransactionCanceledException", CancellationReasons=reasons)
        for kind, step in steps:
            if kind != "ConditionCheck":
                self._write(kind, step)
        return {}

    def _query(self, request: Item) -> Item:
        table = request["TableName"]
        index = request.get("IndexName")
        order = self._tables.keys[table] if index is None else self._tables.indexes[table, index]
        names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
        found = [
            item
            for item in self._tables.items[table].values()
            if all(name in item for name in order) and holds(request["KeyConditionExpression"], item, names, values)
        ]
        place = (*order, *self._tables.keys[table])
        found.sort(key=lambda item: _values(item, place), reverse=request.get("ScanIndexForward") is False)
        return self._page(request, found, place)

    def _scan(self, request: Item) -> Item:
        table = request["TableName"]
        return self._page(request, list(self._tables.items[table].values()), self._tables.keys[table])

    def _page(self, request: Item, found: list[Item], place: tuple[str, ...]) -> Item:
        if "FilterExpression" in request:
            raise NotImplementedError("filters")
        primary = self._tables.keys[request["TableName"]]
        if (start := request.get("ExclusiveStartKey")) is not None:
            found = found[[_values(item, primary) for item in found].index(_values(start, primary)) + 1 :]
        shown = found[: request.get("Limit")]
        answer: Item = {"Items": shown, "Count": len(shown), "ScannedCount": len(shown)}
        if len(shown) == request.get("Limit"):
            answer["LastEvaluatedKey"] = {name: shown[-1][name] for name in dict.fromkeys(place)}
        return answer

    def _alone(self, kind: str, request: Item) -> Item:
        if not self._allowed(request):
            raise _error(f"{kind}Item", "ConditionalCheckFailedException")
        before, after = self._write(kind, request)
        wanted = {"ALL_NEW": after, "ALL_OLD": before}.get(request.get("ReturnValues", "NONE"))
        return {"Attributes": wanted} if wanted else {}

    def _allowed(self, request: Item) -> bool:
        condition = request.get("ConditionExpression")
        if condition is None:
            return True
        table = request["TableName"]
        stored = self._tables.items[table].get(self._tables.place(table, request.get("Item") or request["Key"]), {})
        return holds(condition, stored, request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {}))

    def _write(self, kind: str, request: Item) -> tuple[Item, Item]:
        table = self._tables.items[request["TableName"]]
        place = self._tables.place(request["TableName"], request.get("Item") or request["Key"])
        before = table.get(place, {})
        if kind == "Delete":
            table.pop(place, None)
            return before, {}
        if kind == "Put":
            table[place] = request["Item"]
        else:
            names, values = request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {})
            table[place] = updated(request["UpdateExpression"], before or request["Key"], names, values)
        return before, table[place]


class MemoryConnection(CmdbConnection):
    """The real connection, talking to a `MemoryClient`."""

    def __init__(self, tables: MemoryTables) -> None:
        super().__init__("eu-west-1")
        self._memory = tables
        self.memory_client = MemoryClient(tables)

    @property
    def client(self) -> Any:
        return self.memory_client

    def share(self, table: MetaTable) -> None:
        super().share(table)
        self._memory.learn(table)

    def close(self) -> None:
        """There is nothing to close."""


def memory_cmdb(tables: MemoryTables, client: str = "acme", lease: float = 60) -> tuple[ClientCmdb, MemoryClient]:
    """The real CMDB of a client on these tables, as one worker process has it, and the client that it talks through."""
    connection = MemoryConnection(tables)
    models = ClientTables.of(client, "core-", connection)
    clients = named(FactRow, "core-clients", connection)
    return ClientCmdb(client, models, clients, connection, lease), connection.memory_client


def _names(schema: list[dict[str, str]]) -> tuple[str, ...]:
    return tuple(entry["AttributeName"] for entry in sorted(schema, key=lambda entry: entry["KeyType"] != "HASH"))


def _values(item: Mapping[str, Any], names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(next(iter(item[name].values())) for name in names)


def _error(operation: str, code: str, **more: Any) -> ClientError:
    answer = {"Error": {"Code": code, "Message": "The conditional request failed"}, "ResponseMetadata": {"HTTPHeaders": {}}}
    return ClientError(answer | more, operation)
