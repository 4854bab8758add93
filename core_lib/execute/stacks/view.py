"""The stacks of one target as the actions of a unit see them: one listing, one query, shared by all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from core_lib.db import StackRecord
from core_lib.execute.ports import StackRecords
from core_lib.execute.stacks.live import LiveStack, describe_stack, read_stack
from core_lib.framework.models import FileRef


class StackView:
    """Live stacks (from one paginated DescribeStacks) and what the CMDB remembers of them. Safe for threads.

    The units of a target follow each other and share one view. A unit that comes much later than the listing was made asks for
    a new one (`renew`). In between, only what this run does itself changes the view: what somebody else does to a stack
    meanwhile is the same as if this run had looked at it, and left it alone, a moment earlier.
    """

    GOOD_FOR_SECONDS = 60.0

    def __init__(self, target: str, client: Callable[[], Any], records: StackRecords, epoch: int | None = None) -> None:
        self._target = target
        self._client = client
        self._records = records
        self._epoch = epoch
        self._lock = threading.Lock()
        self._listed: dict[str, LiveStack] | None = None
        self._remembered: dict[str, StackRecord] | None = None
        self._listed_at = 0.0

    def renew(self, *, now: bool = False, seconds: float = GOOD_FOR_SECONDS) -> None:
        """Forget a listing that is older than this (or, with `now`, any), and the records that belong to it."""
        with self._lock:
            if now or time.monotonic() - self._listed_at > seconds:
                self._listed = self._remembered = None

    def live(self, name: str) -> LiveStack | None:
        """The stack as the listing shows it."""
        with self._lock:
            if self._listed is None:
                pages = self._client().get_paginator("describe_stacks").paginate()
                found = (read_stack(stack) for page in pages for stack in page["Stacks"])
                self._listed_at = time.monotonic()
                self._listed = {stack.name: stack for stack in found if stack.status != "DELETE_COMPLETE"}
            return self._listed.get(name)

    def count(self) -> int:
        """How many stacks the listing shows."""
        with self._lock:
            return len(self._listed or ())

    def exports(self) -> frozenset[str]:
        """Names of all exports that the listing shows."""
        with self._lock:
            return frozenset(name for stack in (self._listed or {}).values() for name in stack.exports)

    def record(self, name: str) -> StackRecord | None:
        """What the CMDB remembers of the stack."""
        with self._lock:
            if self._remembered is None:
                self._remembered = dict(self._records.get_many(self._target))
            return self._remembered.get(name)

    def fresh(self, name: str) -> LiveStack | None:
        """The stack as it is this moment; the listing learns it too."""
        stack = describe_stack(self._client(), name)
        with self._lock:
            if self._listed is not None:
                if stack is None:
                    self._listed.pop(name, None)
                else:
                    self._listed[name] = stack
        return stack

    def remember(self, stack: LiveStack, fingerprint: str, run_id: str, action_id: str, template: FileRef | None = None) -> None:
        """Record what was deployed, and how CloudFormation describes it. Raises FencedError when the lock was lost."""
        record = StackRecord(
            target=self._target, stack_name=stack.name, fingerprint=fingerprint, stack_id=stack.id, last_updated=stack.updated,
            parameters=_texts(stack.parameters), tags=_texts(stack.tags), outputs=_texts(stack.outputs), run_id=run_id,
            action_id=action_id, template=template,
        )  # fmt: skip
        self._records.put(record, epoch=self._epoch)
        with self._lock:
            if self._listed is not None:
                self._listed[stack.name] = stack
            if self._remembered is not None:
                self._remembered[stack.name] = record

    def forget(self, name: str) -> None:
        """The stack is gone."""
        self._records.delete(self._target, name)
        with self._lock:
            for known in (self._listed, self._remembered):
                if known is not None:
                    known.pop(name, None)


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in values.items()}
