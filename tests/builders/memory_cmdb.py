"""A client CMDB in memory with the conditional semantics of the real one, and a way to die at any ledger write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from core_lib.db import Precedence, StackRecord, check_decision
from core_lib.db.paging import Page
from core_lib.framework.errors import ConflictError, FencedError, LockedError
from core_lib.framework.models import (
    ActionState,
    ActionStatus,
    Approval,
    ApprovalStatus,
    Decision,
    Options,
    RunState,
    RunStatus,
    Task,
    Verdict,
)


class WorkerKilledError(BaseException):
    """The process is gone: no clean-up runs that would not run after kill -9."""


class MemoryLedger:
    """Rows with versions; `transitions` is everything ever written, in order."""

    def __init__(self, runs: MemoryRuns) -> None:
        self._runs = runs
        self._rows: dict[str, ActionState] = {}
        self._lock = threading.Lock()
        self.transitions: list[ActionState] = []
        self.groups: list[int] = []
        self.before_write: Callable[[Sequence[ActionState]], None] = lambda states: None
        self.after_write: Callable[[Sequence[ActionState]], None] = lambda states: None

    def load(self, run_id: str) -> dict[str, ActionState]:
        with self._lock:
            return {key: state for key, state in self._rows.items() if state.run_id == run_id}

    def get(self, run_id: str, action_ids: Iterable[str]) -> dict[str, ActionState]:
        wanted = set(action_ids)
        return {key: state for key, state in self.load(run_id).items() if key in wanted}

    def failures(self, run_id: str, *, limit: int = 100, cursor: str | None = None) -> Page[ActionState]:
        failed = [state for state in self.load(run_id).values() if state.status is ActionStatus.FAILED]
        return Page(tuple(failed), None)

    def write(self, states: Sequence[ActionState], *, epoch: int) -> list[ActionState]:
        self.before_write(states)
        with self._lock:
            self._runs.check(epoch)
            for state in states:
                known = self._rows.get(state.action_id)
                if (known.version if known else 0) != state.version:
                    raise ConflictError("changed by somebody else", where=state.action_id)
            written = [state.model_copy(update={"version": state.version + 1}) for state in states]
            self._rows.update((state.action_id, state) for state in written)
            self.transitions += written
            self.groups.append(len(written))
        self.after_write(written)
        return written


class MemoryRuns:
    """One run."""

    def __init__(self, run: RunState) -> None:
        self.run = run
        self.beats: list[dict[str, int]] = []
        self.waits: list[dict[str, str]] = []

    def take(self, *, same_visit: bool = False) -> RunState:
        """A new worker takes the run over."""
        visit = self.run.visit + (not same_visit)
        self.run = self.run.but(epoch=self.run.epoch + 1, visit=visit, cancel_requested=False)
        return self.run

    def check(self, epoch: int) -> None:
        if epoch != self.run.epoch:
            raise FencedError("another worker has taken the run over", where=self.run.run_id)

    def heartbeat(
        self, run_id: str, epoch: int, counts: dict[str, int] | None = None, waits: dict[str, str] | None = None
    ) -> RunState:
        self.check(epoch)
        self.beats.append(counts or {})
        self.waits.append(waits or {})
        return self.run

    def request_cancel(self) -> None:
        """A person cancels the run."""
        self.run = self.run.but(cancel_requested=True)


class MemoryLocks:
    """Locks by key."""

    def __init__(self) -> None:
        self.holders: dict[str, str] = {}
        self.history: list[tuple[str, tuple[str, ...]]] = []

    def acquire(self, run_id: str, epoch: int, keys: Iterable[str], holder_text: str) -> None:
        wanted = tuple(keys)
        for key in wanted:
            if self.holders.get(key, run_id) != run_id:
                raise LockedError(f"run {self.holders[key]} holds this stack", where=key)
        self.holders.update(dict.fromkeys(wanted, run_id))
        self.history.append(("acquire", wanted))

    def release(self, run_id: str, keys: Iterable[str], *, epoch: int | None = None) -> None:
        wanted = tuple(keys)
        for key in wanted:
            if self.holders.get(key) == run_id:
                del self.holders[key]
        self.history.append(("release", wanted))

    def supersede(self, holder: str, by: RunState) -> Precedence:
        return Precedence.FOREIGN


class MemoryStacks:
    """Stack records."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], StackRecord] = {}

    def get_many(self, target_key: str) -> dict[str, StackRecord]:
        return {name: record for (target, name), record in self.records.items() if target == target_key}

    def put(self, record: StackRecord, *, epoch: int | None = None) -> None:
        self.records[record.target, record.stack_name] = record

    def delete(self, target_key: str, stack_name: str) -> None:
        self.records.pop((target_key, stack_name), None)


class MemoryEvents:
    """Events by id: the same event twice is one event."""

    def __init__(self) -> None:
        self.events: dict[str, Any] = {}

    def append(self, event: Any) -> Any:
        self.events[event.id] = event
        return event


class MemoryApprovals:
    """Questions and answers."""

    def __init__(self) -> None:
        self.asked: dict[tuple[str, str, int], Approval] = {}

    def ask(self, approval: Approval) -> Approval:
        key = (approval.run_id, approval.action_id, approval.attempt)
        if key not in self.asked or self.asked[key].status is ApprovalStatus.WITHDRAWN:
            self.asked[key] = approval
        return self.asked[key]

    def get(self, run_id: str, action_id: str, attempt: int) -> Approval:
        return self.asked[run_id, action_id, attempt]

    def decide(self, action_id: str, by: str, verdict: Verdict = Verdict.APPROVED, attempt: int = 1) -> None:
        key = next(key for key in self.asked if key[1:] == (action_id, attempt))
        decision = Decision(by=by, verdict=verdict, at=datetime.now(UTC))
        check_decision(self.asked[key], decision)
        self.asked[key] = self.asked[key].model_copy(update={"decisions": (*self.asked[key].decisions, decision)})

    def withdraw(self, run_id: str, action_id: str | None = None) -> None:
        for key, approval in self.asked.items():
            if key[0] == run_id and action_id in (None, key[1]) and approval.status is ApprovalStatus.OPEN:
                self.asked[key] = approval.model_copy(update={"withdrawn": True})


class MemoryCmdb:
    """The CMDB of one client with one run in it."""

    def __init__(self, options: Options | None = None, run_id: str = "run-1") -> None:
        self.runs = MemoryRuns(
            RunState(
                run_id=run_id, client="acme", prn="prn:web:shop", task=Task.DEPLOY, status=RunStatus.RUNNING, plan_hash="",
                plan_key="plan", options=options or Options(), created_at=datetime.now(UTC), requested_by="ann", epoch=1,
                visit=1,
            )
        )  # fmt: skip
        self.ledger = MemoryLedger(self.runs)
        self.locks = MemoryLocks()
        self.stacks = MemoryStacks()
        self.events = MemoryEvents()
        self.approvals = MemoryApprovals()

    def statuses(self) -> dict[str, ActionStatus]:
        """Status of every action that has a row."""
        return {key: state.status for key, state in self.ledger.load(self.runs.run.run_id).items()}
