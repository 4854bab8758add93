"""Hooks: status events that users asked for, written to the event history when an action starts, completes or fails."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterable
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Literal

from core_lib.db import Event
from core_lib.execute.ports import Events
from core_lib.framework.models import LEVELS, ActionState, ActionStatus, Cause, Hook, Level, Plan, PlanAction, Prn, RunState
from core_lib.helper import classify

LATELY = timedelta(minutes=5)
"""How far back a worker that follows others within seconds tells events again."""

Moment = Literal["running", "complete", "failed"]
_MOMENTS: dict[ActionStatus, Moment] = {
    ActionStatus.RUNNING: "running",
    ActionStatus.SUCCEEDED: "complete",
    ActionStatus.SKIPPED: "complete",
    ActionStatus.FAILED: "failed",
}
_WORDS: dict[Moment, str] = {"running": "RUNNING", "complete": "COMPLETE", "failed": "FAILED"}

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before an event is written again, when the CMDB could not be reached."""


class HookEvents:
    """Listens to transitions. Events are written beside the work; one that cannot be written is logged, it fails no action.

    An event's id and time come from the transition, so telling it twice leaves one event. A resumed run tells again what the
    ledger knows, because a worker may have died between a transition and its event.
    """

    def __init__(self, plan: Plan, run: RunState, events: Events, threads: Executor) -> None:
        self._plan = plan
        self._run = run
        self._events = events
        self._threads = threads
        self._pending: set[asyncio.Task[None]] = set()
        self._hooked = {action.id for action in plan.actions if action.hooks}
        self._log = logging.getLogger("core.execute.hooks")

    def on_event(self, state: ActionState) -> None:
        """A transition was committed."""
        if (moment := _MOMENTS.get(state.status)) is not None:
            self._tell(state, moment)

    def tell_again(self, states: Iterable[ActionState], *, lately: bool = False) -> None:
        """Tell of everything that these rows say has happened, or only of what happened `lately`."""
        since = datetime.now(UTC) - LATELY if lately else datetime.min.replace(tzinfo=UTC)
        for state in states:
            if state.started_at is not None and state.started_at >= since:
                self._tell(state, "running")
            if state.status.ended and (state.ended_at is None or state.ended_at >= since):
                self.on_event(state)

    def _tell(self, state: ActionState, moment: Moment) -> None:
        if state.action_id not in self._hooked:
            return
        action = self._plan.action_by_id[state.action_id]
        for number, hook in enumerate(action.hooks):
            if moment in hook.on:
                event = self._event(action, state, hook, moment, number)
                writing = asyncio.get_running_loop().create_task(self._write(event))
                self._pending.add(writing)
                writing.add_done_callback(self._pending.discard)

    async def close(self) -> None:
        """Wait until every event is written."""
        while self._pending:
            await asyncio.wait(set(self._pending))

    async def _write(self, event: Event) -> None:
        """Write it, also when the CMDB is away for a moment."""
        for pause in (*PAUSES, None):
            error = await asyncio.get_running_loop().run_in_executor(self._threads, self._append, event)
            if error is None:
                return
            if pause is None or classify(error) is Cause.PERMANENT:
                self._log.warning("the event %s of %s could not be written: %s", event.status, event.details.get("Action"), error)
                return
            await asyncio.sleep(pause)

    def _append(self, event: Event) -> Exception | None:
        try:
            self._events.append(event)
        except Exception as error:  # noqa: BLE001 - telling about an action must not change how it ends
            return error
        return None

    def _event(self, action: PlanAction, state: ActionState, hook: Hook, moment: Moment, number: int) -> Event:
        at = state.started_at if moment == "running" else state.ended_at
        identity = "\n".join((self._run.run_id, action.id, str(at or state.attempt), moment, str(number)))
        fields = {"at": at} if at else {}
        return Event(
            prn=self._prn(action, hook),
            event_type="ERROR" if moment == "failed" else "STATUS",
            status=hook.status or _WORDS[moment],
            message=hook.message or (None if moment == "running" else state.message),
            run_id=self._run.run_id,
            actor=self._run.requested_by,
            details={"Action": action.name, "Target": action.target, "Kind": action.kind},
            id=hashlib.sha256(identity.encode()).hexdigest()[:32],
            **fields,
        )

    def _prn(self, action: PlanAction, hook: Hook) -> Prn:
        """What the event is about."""
        prn = self._plan.deployment.prn
        if hook.component is not None and prn.level is Level.BUILD:
            return Prn(prn.portfolio, prn.app, prn.branch, prn.build, hook.component)
        return next(p for p in prn.ancestors() if p.level == action.scope) if _reaches(prn.level, action.scope) else prn


def _reaches(level: Level, scope: Level | None) -> bool:
    """Whether a PRN of this level has an ancestor (or is itself) at the scope."""
    return scope is not None and LEVELS.index(scope) <= LEVELS.index(level)
