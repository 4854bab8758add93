"""Rows of the run table: what is in the body, and what stands beside it because it changes on its own."""

from __future__ import annotations

import json
from typing import Any

from core_lib.db.connection import Item
from core_lib.db.rows import read_time
from core_lib.db.tables import RunRow
from core_lib.framework.models import RunState

OVERLAID = {"status", "version", "epoch", "visit", "heartbeat_at", "cancel_requested", "counts", "waits_for"}


def run_body(run: RunState) -> dict[str, Any]:
    """What the body of the row holds."""
    return run.model_dump(mode="json", exclude=OVERLAID, exclude_none=True)


def run_state(row: RunRow) -> RunState:
    """The run in a row."""
    overlay = {
        "status": row.status, "version": int(row.version), "epoch": int(row.epoch), "visit": int(row.visit or 0),
        "heartbeat_at": read_time(row.heartbeat_at), "cancel_requested": row.cancel_requested, "counts": row.counts,
        "waits_for": row.waits or {},
    }  # fmt: skip
    return RunState.model_validate(row.body | overlay)


def replacement(table: str, after: RunState, *, counts: bool) -> Item:
    """A transaction's update to `after`, if the row is still the version before it and of the same epoch."""
    sets: Item = {
        "status": {"S": after.status.value},
        "version": {"N": str(after.version)},
        "cancel_requested": {"BOOL": after.cancel_requested},
        "body": {"S": json.dumps(run_body(after))},
    }
    if counts:
        sets["counts"] = {"S": json.dumps(after.counts)}
    return {
        "Update": {
            "TableName": table,
            "Key": {"run_id": {"S": after.run_id}},
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in sets),
            "ConditionExpression": "#version = :before AND #epoch = :epoch",
            "ExpressionAttributeNames": {f"#{name}": name for name in (*sets, "epoch")},
            "ExpressionAttributeValues": {
                **{f":{name}": value for name, value in sets.items()},
                ":before": {"N": str(after.version - 1)},
                ":epoch": {"N": str(after.epoch)},
            },
        }
    }
