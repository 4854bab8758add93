"""The ledger: one small row per action of a run, written in groups, each row conditional on its version and all on the epoch.

This is the hot path of a large run, so rows are built and read in DynamoDB's own notation instead of through model objects; the
model in `tables` still defines the table. The current epoch stands in a fence row beside the actions and not in the run's own
row, because heartbeats change that one all the time and would collide with every transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from core_lib.db.connection import TRANSACTION_LIMIT, CmdbConnection, Item
from core_lib.db.paging import Page, page_size, read_cursor, write_cursor
from core_lib.db.rows import document_text, document_value, now, time_text
from core_lib.db.tables import LedgerRow
from core_lib.framework.errors import ConflictError, FencedError
from core_lib.framework.models import ActionState, ActionStatus

FENCE = "#fence"
_GROUP = TRANSACTION_LIMIT - 1
_GROUP_BYTES = 3_000_000
_NOT_IN_BODY = {"run_id", "action_id", "version"}


class LedgerConflictError(ConflictError):
    """Some rows were changed by somebody else. `conflicts` are their action ids; `written` are the states that were stored."""

    conflicts: tuple[str, ...] = ()
    written: tuple[ActionState, ...] = ()


def fence_put(table: str, run_id: str, epoch: int) -> Item:
    """A transaction's put that makes `epoch` the one that may write."""
    return {"Put": {"TableName": table, "Item": {**_key(run_id, FENCE), "e": {"N": str(epoch)}}}}


def fence_check(table: str, run_id: str, epoch: int) -> Item:
    """A transaction's check that `epoch` may still write."""
    return {
        "ConditionCheck": {
            "TableName": table,
            "Key": _key(run_id, FENCE),
            "ConditionExpression": "e = :e",
            "ExpressionAttributeValues": {":e": {"N": str(epoch)}},
        }
    }


class Ledger:
    """The action rows of one client's runs."""

    def __init__(self, table: type[LedgerRow], connection: CmdbConnection) -> None:
        self._table: str = table.Meta.table_name
        self._connection = connection

    def load(self, run_id: str) -> dict[str, ActionState]:
        """All rows of a run by action id, strongly consistent. Actions without a row are pending."""
        rows = self._connection.query_all(self._table, "run_id", run_id, ConsistentRead=True)
        return {state.action_id: state for state in _states(rows)}

    def get(self, run_id: str, action_ids: Iterable[str]) -> dict[str, ActionState]:
        """The rows of these actions by id, strongly consistent; actions without a row are left out."""
        keys = [_key(run_id, action_id) for action_id in dict.fromkeys(action_ids)]
        return {state.action_id: state for state in _states(self._connection.get_many(self._table, keys))}

    def failures(self, run_id: str, *, limit: int = 100, cursor: str | None = None) -> Page[ActionState]:
        """Actions that are failed now, in the order in which they failed; for watching, so slightly behind at times."""
        scope = f"{self._table} failures {run_id}"
        start = read_cursor(cursor, scope)
        answer = self._connection.call(
            "Query",
            TableName=self._table,
            IndexName="failures",
            Limit=page_size(limit),
            KeyConditionExpression="run_id = :run",
            ExpressionAttributeValues={":run": {"S": run_id}},
            **({"ExclusiveStartKey": start} if start else {}),
        )
        return Page(tuple(_states(answer["Items"])), write_cursor(answer.get("LastEvaluatedKey"), scope))

    def write(self, states: Sequence[ActionState], *, epoch: int) -> list[ActionState]:
        """Store these states and return them with their new versions, in the same order.

        As few transactions as possible (99 rows or 3 MB each). `version` must be the stored one, 0 for an action without a row.
        A row that is already exactly as asked counts as written, so a write whose answer was lost may be repeated.

        Raises:
            FencedError: another worker has taken the run over. Nothing of this call's remaining groups is written.
            LedgerConflictError: rows were changed by somebody else; it names them. All other rows are written.
            InputError: a state is too large for one row.
        """
        written: dict[str, ActionState] = {}
        conflicts: list[str] = []
        for group in _groups(states, self._table):
            self._write_group(group, epoch, written, conflicts)
        if conflicts:
            error = LedgerConflictError(
                f"{len(conflicts)} of {len(states)} actions were changed by somebody else: {', '.join(conflicts[:5])}",
                where=states[0].run_id,
                hint="read the ledger again; two workers may be executing the same run",
            )
            error.conflicts, error.written = tuple(conflicts), tuple(written.values())
            raise error
        return [written[state.action_id] for state in states]

    def _write_group(
        self, group: list[tuple[ActionState, Item]], epoch: int, written: dict[str, ActionState], conflicts: list[str]
    ) -> None:
        """Write one group; rows whose version is refused are told apart, the rest is written without them."""
        waiting = list(group)
        while waiting:
            fence = fence_check(self._table, waiting[0][0].run_id, epoch)
            refused = set(self._connection.transact([fence, *({"Put": put} for _, put in waiting)]))
            if 0 in refused:
                raise FencedError(
                    f"another worker has taken the run over (this one has epoch {epoch})",
                    where=waiting[0][0].run_id,
                    hint="nothing to do: the other worker continues the run",
                )
            if not refused:
                written.update((state.action_id, _next(state)) for state, _ in waiting)
                return
            doubtful = [waiting[index - 1] for index in sorted(refused)]
            stored = self._stored([put["Item"] for _, put in doubtful])
            for state, put in doubtful:
                if _content(stored.get(state.action_id)) == _content(put["Item"]):
                    written[state.action_id] = _next(state)
                else:
                    conflicts.append(state.action_id)
            waiting = [entry for index, entry in enumerate(waiting, start=1) if index not in refused]

    def _stored(self, items: list[Item]) -> dict[str, Item]:
        keys = [{"run_id": item["run_id"], "action_id": item["action_id"]} for item in items]
        return {item["action_id"]["S"]: item for item in self._connection.get_many(self._table, keys)}


def _key(run_id: str, action_id: str) -> Item:
    return {"run_id": {"S": run_id}, "action_id": {"S": action_id}}


def _next(state: ActionState) -> ActionState:
    return state.model_copy(update={"version": state.version + 1})


def _put(state: ActionState, table: str) -> Item:
    body = state.model_dump_json(exclude=_NOT_IN_BODY, exclude_defaults=True)
    item: Item = {
        **_key(state.run_id, state.action_id),
        "v": {"N": str(state.version + 1)},
        "b": document_value(body, where=state.action_id),
    }
    if state.status is ActionStatus.FAILED:
        item["f"] = {"S": f"{time_text(state.ended_at or now())}#{state.action_id}"}
    put: Item = {"TableName": table, "Item": item}
    if state.version == 0:
        put["ConditionExpression"] = "attribute_not_exists(action_id)"
    else:
        put["ConditionExpression"] = "v = :v"
        put["ExpressionAttributeValues"] = {":v": {"N": str(state.version)}}
    return put


def _content(item: Item | None) -> tuple[Any, Any] | None:
    return (item["v"], item["b"]) if item else None


def _weight(item: Item) -> int:
    body = next(iter(item["b"].values()))
    return len(body.encode() if isinstance(body, str) else body)


def _groups(states: Sequence[ActionState], table: str) -> Iterator[list[tuple[ActionState, Item]]]:
    """States of one run with their puts, cut where a transaction would be too large."""
    group: list[tuple[ActionState, Item]] = []
    size = 0
    for state in states:
        put = _put(state, table)
        weight = _weight(put["Item"])
        if group and (len(group) == _GROUP or size + weight > _GROUP_BYTES or group[0][0].run_id != state.run_id):
            yield group
            group, size = [], 0
        group.append((state, put))
        size += weight
    if group:
        yield group


def _states(rows: Iterable[Item]) -> Iterator[ActionState]:
    for row in rows:
        action_id = row["action_id"]["S"]
        if action_id != FENCE:
            body: dict[str, Any] = json.loads(document_text(row["b"]))
            body |= {"RunId": row["run_id"]["S"], "ActionId": action_id, "Version": int(row["v"]["N"])}
            yield ActionState.model_validate(body)
