"""The definition with its blanks filled in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("definition.asl.json")


def definition(task_resource: str, *, partition: str = "aws") -> str:
    """The state machine's definition; `task_resource` is the ARN of a Lambda function or of an activity.

    Heartbeats stay in only for an activity: no function sends any.
    """
    text = FILE.read_text().replace("${TaskResource}", task_resource).replace("${Partition}", partition)
    document: dict[str, Any] = json.loads(text)
    if ":activity:" not in task_resource:
        for task in tasks(document):
            del task["HeartbeatSeconds"]
    return json.dumps(document, indent=1)


def tasks(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every task state, those inside of maps too."""
    for state in document["States"].values():
        if state["Type"] == "Task":
            yield state
        elif state["Type"] == "Map":
            yield from tasks(state["ItemProcessor"])
