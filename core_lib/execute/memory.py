"""What an action may know of its run, and leave behind: rows of other actions, events, artefacts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from core_lib.db import Event
from core_lib.execute.book import RunBook
from core_lib.execute.ports import Approvals, Cmdb, Store
from core_lib.framework.models import ActionState, Plan, Prn, RunState


def run_prefix(plan: Plan, run_id: str) -> str:
    """Where in the artefact store a run keeps what belongs to it alone."""
    return f"{plan.deployment.key_prefix('artefacts')}/runs/{run_id}"


EventType = Literal["STATUS", "DEBUG", "INFO", "WARN", "ERROR"]


class Memory:
    """`ActionContext.run`: one per engine, safe for threads."""

    def __init__(self, plan: Plan, run: RunState, book: RunBook, cmdb: Cmdb, store: Store, *, whole: bool) -> None:
        self._cmdb = cmdb
        self._whole = whole
        self._plan = plan
        self._run = run
        self._book = book
        self._store = store
        self._prefix = run_prefix(plan, run.run_id)

    @property
    def client_name(self) -> str:
        """The client (tenant) the run belongs to."""
        return self._run.client

    @property
    def prn(self) -> str:
        """The PRN of the deployment."""
        return str(self._plan.deployment.prn)

    @property
    def requested_by(self) -> str | None:
        """Who asked for the run."""
        return self._run.requested_by

    @property
    def approvals(self) -> Approvals:
        """Questions to people, and their answers."""
        return self._cmdb.approvals

    def states(self, target: str | None = None) -> Mapping[str, ActionState]:
        """The rows of the run by action id as they stand now, or only those of one target (`account/region`)."""
        return self.rows(action.id for action in self._plan.actions if target in (None, action.target))

    def rows(self, action_ids: Iterable[str]) -> Mapping[str, ActionState]:
        """The rows that exist among these, as they stand now: other workers may see to some of the actions."""
        found = {identity: self._book.state(identity) for identity in action_ids}
        unsure = [] if self._whole else [identity for identity, state in found.items() if state is None or not state.status.ended]
        fresh = self._cmdb.ledger.get(self._run.run_id, unsure) if unsure else {}
        return {identity: state for identity, state in (found | dict(fresh)).items() if state is not None}

    def append_event(
        self,
        *,
        status: str,
        message: str | None = None,
        event_type: EventType = "STATUS",
        prn: str | None = None,
        at: datetime | None = None,
        actor: str | None = None,
        key: str,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an event to the CMDB's history; the same `key` and time again is the same event.

        `at` None = when the run began. `actor` None = who asked for the run. `prn` None = the deployment's own.
        Raises ConflictError when another event has that key.
        """
        identity = hashlib.sha256("\n".join((self._run.run_id, key)).encode()).hexdigest()[:32]
        self._cmdb.events.append(
            Event(
                prn=Prn.parse(prn) if prn else self._plan.deployment.prn,
                at=at or self._run.started_at or self._run.created_at,
                event_type=event_type,
                status=status,
                message=message,
                run_id=self._run.run_id,
                actor=actor or self._run.requested_by,
                details=dict(details or {}),
                id=identity,
            )
        )

    def keep(self, name: str, body: bytes, *, first: bool = False) -> str:
        """Put an artefact below the run's own prefix in the artefact store; answers its key. `first`: what an earlier step put
        there under that name stays. Raises ArtefactError."""
        key = f"{self._prefix}/{name}"
        self._store.put(key, body, if_absent=first)
        return key

    def kept(self, name: str) -> bytes | None:
        """What was put there under this name with `keep`, in this run; None = nothing. Raises ArtefactError."""
        key = f"{self._prefix}/{name}"
        return self._store.get(key) if self._store.exists(key) else None

    def fetch(self, key: str) -> bytes:
        """Content of an artefact. Raises ArtefactError."""
        return self._store.get(key)

    def url(self, key: str) -> str:
        """A URL that CloudFormation can read an artefact from. Raises ArtefactError."""
        return self._store.url(key)
