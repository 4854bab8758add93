"""Driving a unit: a ready queue over its actions. An action starts the moment its own dependencies have ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from core_lib.execute.graph import Unit
from core_lib.execute.locking import UnitLocks, stack_names
from core_lib.execute.parts import Parts
from core_lib.execute.runtime import RuntimeValues
from core_lib.execute.shift import LeavingError, Waiting
from core_lib.execute.stacks.view import StackView
from core_lib.execute.worker import Worker
from core_lib.framework.errors import CoreError
from core_lib.framework.models import ActionState, ActionStatus, PlanAction

Around = Callable[[PlanAction, Callable[[], Awaitable[ActionState]]], Awaitable[ActionState]]
T = TypeVar("T")
_GIVEN_UP = -(10**9)
_SATISFIED = (ActionStatus.SUCCEEDED, ActionStatus.SKIPPED)


class Driver:
    """One unit on its way."""

    def __init__(self, parts: Parts, unit: Unit, locks: UnitLocks, view: StackView, around: Around | None) -> None:
        self._parts = parts
        self._unit = unit
        self._locks = locks
        self._view = view
        self._around = around
        self.actions = [parts.plan.action_by_id[identity] for identity in unit.action_ids]
        self._todo = {action.id: action for action in self.actions if is_todo(parts, action)}
        self._waiting: dict[str, int] = {}
        self._dependents: dict[str, list[PlanAction]] = {}
        self.left: list[Waiting] = []
        for action in self._todo.values():
            started = parts.book.status(action.id) is ActionStatus.RUNNING
            inside = [] if started else [d for d in dict.fromkeys(action.depends_on) if d in self._todo]
            self._waiting[action.id] = len(inside)
            for dependency in inside:
                self._dependents.setdefault(dependency, []).append(action)

    @property
    def todo(self) -> list[PlanAction]:
        """What is left to do in this unit."""
        return list(self._todo.values())

    @property
    def begun(self) -> list[PlanAction]:
        """What an earlier worker began and did not end."""
        return [action for action in self._todo.values() if self._parts.book.status(action.id) is ActionStatus.RUNNING]

    async def run(self) -> None:
        """Work until every action of the unit has ended, or waits beyond this worker's shift; `left` tells for what."""
        try:
            async with asyncio.TaskGroup() as group:
                for identity, count in list(self._waiting.items()):
                    if count == 0:
                        self._begin(group, self._todo[identity])
        except BaseExceptionGroup as errors:
            raise first_error(errors) from None

    def _begin(self, group: asyncio.TaskGroup, action: PlanAction) -> None:
        self._parts.shift.begin_work()
        group.create_task(self._one(group, action), name=action.id).add_done_callback(lambda _: self._parts.shift.end_work())

    async def _one(self, group: asyncio.TaskGroup, action: PlanAction) -> None:
        """An action whose dependencies have ended: do it, or say why not; then let go of those that wait for it."""
        status = self._parts.book.status(action.id)
        if status is not ActionStatus.RUNNING:
            if self._parts.brake.cancelled:
                await self._give_up(action, ActionStatus.CANCELLED, "cancelled before it started")
                return
            if (reason := blocked_by(self._parts, action)) is not None:
                await self._give_up(action, ActionStatus.BLOCKED, reason, spreads=False)
                return
        state = await self._to_its_end(action)
        if state is None:
            return
        self._after(state, action)
        for dependent in self._dependents.get(action.id, ()):
            self._waiting[dependent.id] -= 1
            if self._waiting[dependent.id] == 0:
                self._begin(group, dependent)

    async def _to_its_end(self, action: PlanAction) -> ActionState | None:
        """Give the action a slot as long as it needs one. None: it never started, or this worker left before its end."""
        worker = Worker(self._parts, action, self._view)
        looked_before = False
        while True:
            try:
                async with self._parts.caps.slot(action.target, self._parts.ranks[action.id]):
                    state = await self._admitted(action, worker)
                waiting = worker.waiting
            except LeavingError as leaving:  # for a lock
                state, waiting = None, leaving.waiting
            if waiting is None:
                return state
            if not await self._stays(waiting, news=not looked_before):
                self.left.append(waiting)
                return None
            looked_before = True

    async def _stays(self, waiting: Waiting, *, news: bool) -> bool:
        """Wait for people, without a slot; False when this worker leaves."""
        shift = self._parts.shift
        shift.end_work(news=news)
        try:
            if not waiting.people or shift.may_leave_to(waiting):
                return False
            await self._parts.brake.sleep(waiting.seconds)
            return True
        finally:
            shift.begin_work()

    async def _admitted(self, action: PlanAction, worker: Worker) -> ActionState | None:
        """The action's turn has come. None when the brake was pulled while it waited for its turn, or all is frozen."""
        brake = self._parts.brake
        brake.raise_fatal()
        if self._parts.book.status(action.id) is not ActionStatus.RUNNING:
            if brake.cancelled:
                await self._give_up(action, ActionStatus.CANCELLED, "cancelled before it started")
                return None
            if (reason := await self._stopped_by(action)) is not None:
                await self._give_up(action, ActionStatus.BLOCKED, reason)
                return None
        if (refused := await self._lock(action, worker)) is not None:
            return refused
        if self._around is None:
            return await worker.run()
        await self._around(action, worker.run)
        ended = self._parts.book.state(action.id)
        if ended is None or not (ended.status.ended or worker.waiting):
            raise AssertionError(f"around() did not run {action.id} to its end")
        return ended

    async def _stopped_by(self, action: PlanAction) -> str | None:
        """Why nothing new may begin here now. Who only waits for others to end, and judges them, may begin even so."""
        if action.waits_for == "end":
            return None
        if (reason := self._parts.brake.stops_new_work(action.target)) is not None:
            return reason
        return await self._parts.call(self._parts.freeze.refusal, action) if self._parts.freeze.any else None

    async def _lock(self, action: PlanAction, worker: Worker) -> ActionState | None:
        """Make sure of the action's stacks; a failed row when another run keeps them."""
        written = stack_names(self._parts, action)
        if not written or self._parts.run.options.dry_run:
            return None
        refusal = self._locks.refusal
        late = [name for name in written if "{{" in name]
        for name in late if refusal is None else ():
            try:
                resolved = str(RuntimeValues(action, self._parts.book).resolve(name))
            except CoreError:
                break  # the worker meets the same error and records it
            refusal = refusal or await self._locks.take_late(resolved)
            self._view.renew(now=self._locks.waited)
        return await worker.refuse(refusal) if refusal is not None else None

    def _after(self, state: ActionState, action: PlanAction) -> None:
        if state.status is ActionStatus.FAILED and action.on_failure == "undo":
            self._parts.brake.close_target(action.target, undo_reason(action))

    async def _give_up(self, action: PlanAction, status: ActionStatus, reason: str, *, spreads: bool = True) -> None:
        """End an action that never started, and with it at once everything that waits for it here.

        `spreads`: the reason is as true for those that wait.
        """
        ending: dict[str, PlanAction] = {}
        stack = [action]
        while stack:
            current = stack.pop()
            if current.id not in ending and self._waiting[current.id] >= 0:
                ending[current.id] = current
                self._waiting[current.id] = _GIVEN_UP
                stack.extend(self._dependents.get(current.id, ()))
        indirect = reason if spreads else f"waits for {action.name}, which is blocked"
        await self._parts.book.record_all(ending.values(), status, lambda each: reason if each is action else indirect)


def undo_reason(action: PlanAction) -> str:
    """Why a target is undone, when this action has failed."""
    return f"{action.name} failed, this target is undone"


def is_todo(parts: Parts, action: PlanAction) -> bool:
    """Whether this visit of the run has to do something (more) about the action."""
    state = parts.book.state(action.id)
    status = state.status if state else ActionStatus.PENDING
    if status is ActionStatus.RUNNING:
        return True
    if status is ActionStatus.SUCCEEDED or ended_in_this_visit(parts, state):
        return False
    if parts.chosen is not None:
        return action.id in parts.chosen
    only = parts.run.options.only
    failed = status is ActionStatus.FAILED
    if only == "failed":
        return failed or status is ActionStatus.BLOCKED or (status is ActionStatus.CANCELLED and _was_started(state))
    return not failed if only == "unstarted" else True


def ended_in_this_visit(parts: Parts, state: ActionState | None) -> bool:
    """Whether the action came to its end, good or bad, since the run began or was resumed."""
    return state is not None and state.status.ended and state.visit == parts.run.visit


def blocked_by(parts: Parts, action: PlanAction) -> str | None:
    """Why the action cannot run: the first dependency that did not come to a good end. None = it can."""
    for dependency in action.depends_on:
        upstream = parts.plan.action_by_id[dependency]
        status = parts.book.status(dependency)
        if action.waits_for == "end" and status.ended:
            continue
        if status in _SATISFIED or (status is ActionStatus.FAILED and upstream.on_failure == "continue"):
            continue
        place = upstream.name if upstream.target == action.target else upstream.id
        verb = {ActionStatus.PENDING: "has not run", ActionStatus.RUNNING: "has not ended"}.get(status, f"is {status.value}")
        if status is ActionStatus.FAILED:
            verb = "failed"
        return f"waits for {place}, which {verb}"
    return None


def _was_started(state: ActionState | None) -> bool:
    return state is not None and state.started_at is not None


def first_error(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error of a task group: those that come after it say that the group was broken off."""
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


def outside(parts: Parts, actions: Iterable[PlanAction]) -> set[str]:
    """Dependencies beyond these actions whose end this worker has not seen itself."""
    own = {action.id: action for action in actions}
    wanted = {dependency for action in own.values() for dependency in action.depends_on if dependency not in own}
    return {dependency for dependency in wanted if not parts.book.status(dependency).ended}
