"""One action from its start to its end: steps, waiting, retries, timeout, cancelling, undoing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core_lib.execute.action import Action, ActionContext, ClientFactory
from core_lib.execute.book import UNDOING, blank, ended_with, now
from core_lib.execute.parts import Parts, reviews_in
from core_lib.execute.runtime import Bound, NotYetKnownError, RuntimeValues
from core_lib.execute.shift import LeavingError, Waiting
from core_lib.execute.stacks.view import StackView
from core_lib.execute.steps import Again, Done, Failed, Step
from core_lib.framework.errors import CoreError, FencedError
from core_lib.framework.models import ActionState, ActionStatus, Cause, ErrorInfo, Message, PlanAction, Target, Task
from core_lib.helper import classify, error_info, steady

WINDING = "core:winding-down"
TIMEOUT_HINT = "raise the action's Timeout, or look at what it waits for"


@dataclass(frozen=True)
class _Slip:
    """A step that raised: whether the call took effect is unknown, so the same step may be tried again with the same tokens."""

    error: ErrorInfo


@dataclass(frozen=True)
class _Lost:
    """An attempt that failed. `final`: its tries are used up."""

    error: ErrorInfo
    final: bool = False


class Winding(Message):
    """How far the stopping of an action is, for the next shift: why, until when it is waited for, whether AWS was asked."""

    reason: str
    until: datetime
    asked: bool
    error: ErrorInfo | None = None


class Worker:
    """Drives one action.

    `run` leaves an ended row, unless this process must stop writing, or a wait outlasts its shift (`waiting` tells for what).
    """

    def __init__(self, parts: Parts, action: PlanAction, view: StackView) -> None:
        self._parts = parts
        self._action = action
        self._book = parts.book
        self._kind = parts.kinds[action.kind]
        self._performer: Action[Any] = self._kind()
        self._view = view
        self._context: ActionContext[Any] | None = None
        self._began = steady()
        self.waiting: Waiting | None = None

    async def run(self) -> ActionState:
        """Work until the action has ended, or a wait outlasts the shift: then the row is still running. May be called again.

        Raises only what ends the whole worker process (FencedError, a CMDB that is gone).
        """
        self.waiting = None
        try:
            return await self._run()
        except LeavingError as leaving:
            return self._left(leaving)

    def _left(self, leaving: LeavingError) -> ActionState:
        self.waiting = leaving.waiting
        state = self._book.state(self._action.id)
        if state is None:
            raise AssertionError("nothing waits before it has a row")
        return state

    async def _run(self) -> ActionState:
        state = self._book.state(self._action.id)
        if state is not None and state.status is ActionStatus.RUNNING and UNDOING in state.scratch:
            same_visit = state.visit == self._parts.run.visit
            state = await self._undo_steps(state, str(state.scratch[UNDOING]))
            if same_visit:
                return state
        resumed = state is not None and state.status is ActionStatus.RUNNING
        ready = await self._prepare(state)
        if isinstance(ready, ActionState):
            return ready
        self._context = ready
        if not resumed:
            attempt = state.attempt + 1 if state is not None and state.started_at is not None else 1
            state = await self._record(ActionStatus.RUNNING, **blank(attempt), started_at=now())
            self._began = steady()
        if state is None:
            raise AssertionError("a resumed action has a row")
        return await self._attempts(state)

    async def undo(self, reason: str) -> ActionState:
        """Take back what the action did. It ends `cancelled`, and a resumed run does it again. It may leave as `run` does."""
        self.waiting = None
        try:
            return await self._undo(reason)
        except LeavingError as leaving:
            return self._left(leaving)

    async def _undo(self, reason: str) -> ActionState:
        state = self._book.state(self._action.id)
        if state is not None and state.status is ActionStatus.RUNNING and UNDOING in state.scratch:
            return await self._undo_steps(state, str(state.scratch[UNDOING]))
        if state is None or state.status is not ActionStatus.SUCCEEDED:
            raise AssertionError("only what succeeded is undone")
        ready = await self._prepare(state, conditional=False)
        if isinstance(ready, ActionState):
            return ready
        self._context = ready
        state = await self._record(ActionStatus.RUNNING, scratch={**state.scratch, UNDOING: reason}, ended_at=None)
        return await self._undo_steps(state, reason)

    async def refuse(self, error: ErrorInfo) -> ActionState:
        """End the action in failure before it could begin: another run has its stack."""
        self._parts.count_failure(self._action)
        return await self._record(ActionStatus.FAILED, **ended_with(error))

    async def _prepare(self, state: ActionState | None, *, conditional: bool = True) -> ActionState | ActionContext[Any]:
        """Condition and parameters; an ended row when the action is skipped or its parameters do not resolve."""
        values = RuntimeValues(self._action, self._book, planning=self._parts.plan.task is Task.PLAN)
        attempt = state.attempt if state is not None else 1
        try:
            if conditional and values.condition_holds(self._kind) is False:
                return await self._end_early(ActionStatus.SKIPPED, f"the condition is false: {self._action.condition}")
            bound = values.bind(self._kind)
        except NotYetKnownError as unknown:
            return await self._end_early(ActionStatus.SKIPPED, f"known during apply: {unknown.message}")
        except CoreError as error:
            failure = error_info(error, self._action.id)
            fields = blank(attempt) | {"started_at": now()} | ended_with(failure)
            self._parts.count_failure(self._action)
            return await self._record(ActionStatus.FAILED, **fields)
        if self._parts.run.options.dry_run:
            return await self._end_early(ActionStatus.SKIPPED, "dry run: nothing is executed")
        return context_for(self._parts, self._action, bound, self._view, attempt)

    async def _end_early(self, status: ActionStatus, message: str) -> ActionState:
        return await self._record(status, message=message, error=None, outputs={}, variables={}, scratch={}, ended_at=now())

    async def _attempts(self, state: ActionState) -> ActionState:
        """All attempts of this visit: a failure whose cause the action retries begins a new attempt with new tokens."""
        known = state.visit == self._parts.run.visit
        tried = state.tries if known else 1
        if WINDING in state.scratch:
            winding = Winding.model_validate(state.scratch[WINDING])
            scratch = {key: value for key, value in state.scratch.items() if key != WINDING}
            state = state.model_copy(update={"scratch": scratch})
            if known:
                return await self._wind_on(state, winding, Again(after=0))
        while True:
            outcome = await self._steps(state)
            if isinstance(outcome, ActionState):
                return outcome
            retry = self._action.retry
            if outcome.final or outcome.error.cause not in retry.on or tried >= retry.attempts or self._must_stop():
                return await self._fail(outcome.error)
            self._parts.log.info("%s failed and is tried again: %s", self._action.id, outcome.error.message)
            current = self._book.state(self._action.id) or state
            tried += 1
            again = blank(current.attempt + 1) | {"tries": tried}
            await self._rest(self._parts.pace.retry(tried - 1), keep=again)
            if self._must_stop():
                return await self._fail(outcome.error)
            state = await self._record(ActionStatus.RUNNING, **again)

    async def _steps(self, state: ActionState) -> ActionState | _Lost:
        """One attempt: an ended row, or the failure that ended the attempt."""
        method = "check" if state.scratch else "start"
        looks = self._parts.shift.looks
        slips = state.slips if state.visit == self._parts.run.visit else 0
        while True:
            if self._parts.brake.cancelled and method == "start" and not slips:
                return await self._end_early(ActionStatus.CANCELLED, "cancelled before it started")
            step = await self._call(method, state)
            if isinstance(step, Done):
                return await self._succeed(step)
            if isinstance(step, Failed):
                return _Lost(self._failure(step))
            if isinstance(step, _Slip):
                slips += 1
                if step.error.cause not in self._action.retry.on or slips >= self._action.retry.attempts:
                    return _Lost(step.error, final=True)
                ended = await self._pause(state, self._parts.pace.retry(slips), slips=slips)
            else:
                slips, method = 0, "check"
                kept = await self._keep(state, step)
                looks = 0 if kept is not state else looks
                state = kept
                delay = self._parts.pace.look(looks) if step.after is None else step.after
                looks += 1
                ended = await self._pause(state, delay, people=step.parked)
            if ended is not None:
                return ended

    async def _pause(self, state: ActionState, delay: float, *, people: bool = False, slips: int = 0) -> ActionState | None:
        """Wait for the next look; an ended row when the run was cancelled or the action's time is over.

        Waiting for people is left to the caller: it needs no worker.
        """
        limit = self._action.timeout
        limit = self._action.timeout
        remaining = limit.total_seconds() - self._spent(state) if limit and state.started_at else None
        wait = delay if remaining is None else min(delay, max(remaining, 0))
        if people and not self._parts.brake.cancelled and (remaining is None or remaining > 0):
            raise LeavingError(Waiting(wait, people=True))
        if remaining is None or remaining > 0:
            await self._rest(wait, keep={"slips": slips} if slips else None)
        if remaining is not None and remaining <= delay and not self._parts.brake.cancelled:
            reason = f"timed out after {limit}"
            timed_out = ErrorInfo(
                code="CORE-4003", message=reason, where=self._action.target, hint=TIMEOUT_HINT, cause=Cause.TIMEOUT
            )
            return await self._wind_down(state, reason, timed_out)
        return await self._wind_down(state, "cancelled") if self._parts.brake.cancelled else None

    def _spent(self, state: ActionState) -> float:
        """Seconds of the action's time that are over. While no worker was there, time stood still."""
        since = self._parts.shift.since
        if since is None:  # one worker all the time: by a clock that nobody sets
            return steady() - self._began
        return (now() - max(state.started_at or since, since)).total_seconds()

    async def _wind_down(self, state: ActionState, reason: str, error: ErrorInfo | None = None) -> ActionState:
        """Stop the action if it can be stopped, else see it to its end within the grace; never leaves it running.

        It ends as what really happened: `succeeded` when it came to its end after all, else `cancelled`, or failed with `error`.
        """
        step = await self._call("cancel", state)
        if isinstance(step, Done):
            return await self._stopped(reason, step.message, error)
        winding = Winding(reason=reason, until=now() + self._parts.pace.grace, asked=not isinstance(step, _Slip), error=error)
        return await self._wind_on(state, winding, step)

    async def _wind_on(self, state: ActionState, winding: Winding, step: Step | _Slip) -> ActionState:
        reason, error = winding.reason, winding.error
        deadline = steady() + (winding.until - now()).total_seconds()
        asked = winding.asked
        looks = 0
        while steady() < deadline:
            if isinstance(step, Again):
                state = await self._keep(state, step)
            remaining = deadline - steady()
            delay = step.after if isinstance(step, Again) and step.after is not None else self._parts.pace.look(looks)
            left = winding.model_copy(update={"asked": asked}).as_dict()
            await self._rest(
                min(delay, max(remaining, 0)), through_cancel=True, keep={"scratch": {**state.scratch, WINDING: left}}
            )
            if not asked:  # a look would go on with what is to be stopped
                step = await self._call("cancel", state)
                asked = not isinstance(step, _Slip)
                if isinstance(step, Done):
                    return await self._stopped(reason, step.message, error)
            else:
                step = await self._call("check", state)
                if isinstance(step, Done):
                    return await self._succeed(step)
            if isinstance(step, Failed):
                return await self._stopped(reason, step.message, error)
            looks += 1
        return await self._stopped(reason, f"it was still going on after {self._parts.pace.grace}", error)

    async def _stopped(self, reason: str, detail: str | None, error: ErrorInfo | None) -> ActionState:
        message = f"{reason}: {detail}" if detail else reason
        if error is not None:
            return await self._fail(error.model_copy(update={"message": message}))
        return await self._record(ActionStatus.CANCELLED, message=message, ended_at=now())

    async def _undo_steps(self, state: ActionState, reason: str) -> ActionState:
        looks = slips = 0
        if self._context is None:
            ready = await self._prepare(state, conditional=False)
            if isinstance(ready, ActionState):
                return ready
            self._context = ready
        while True:
            step = await self._call("undo", state)
            if isinstance(step, Done):
                message = f"undone because {reason}" if step.changed else f"{step.message or 'not undone'} ({reason})"
                fields: dict[str, Any] = {"changed": None, "outputs": {}, "variables": {}, "scratch": {}}
                return await self._record(ActionStatus.CANCELLED, message=message, ended_at=now(), **fields)
            if isinstance(step, Failed):
                failure = self._failure(step)
                return await self._fail(failure.model_copy(update={"message": f"undo failed: {failure.message}"}))
            if isinstance(step, _Slip):
                slips += 1
                if slips >= self._action.retry.attempts:
                    return await self._fail(step.error)
                delay = self._parts.pace.retry(slips)
            else:
                kept = await self._keep(state, replace(step, scratch={**(step.scratch or state.scratch), UNDOING: reason}))
                looks = 0 if kept is not state else looks + 1
                state = kept
                delay = self._parts.pace.look(looks) if step.after is None else step.after
            await self._rest(delay, through_cancel=True)

    async def _rest(self, seconds: float, *, through_cancel: bool = False, keep: Mapping[str, Any] | None = None) -> None:
        """Wait. Raises LeavingError when that outlasts the shift; then the row has the fields `keep` for the next one."""
        wakes_at_once = self._parts.brake.cancelled and not through_cancel
        if self._parts.shift.ends_within(seconds) and not wakes_at_once:
            if keep:
                await self._record(ActionStatus.RUNNING, **keep)
            raise LeavingError(Waiting(seconds))
        await self._parts.brake.sleep(seconds, through_cancel=through_cancel)

    async def _call(self, method: str, state: ActionState) -> Step | _Slip:
        """One step, in a thread. Whatever it raises becomes a slip: nothing an action does may take the engine down."""
        if self._context is None:
            raise AssertionError("a context is made before the first step")
        context = replace(self._context, scratch=state.scratch, attempt=state.attempt)
        await self._parts.assure()
        try:
            return await self._parts.call(getattr(self._performer, method), context)
        except FencedError:
            raise
        except Exception as error:
            if classify(error) is Cause.PERMANENT and not isinstance(error, CoreError):
                self._parts.log.debug("%s %s raised", self._action.id, method, exc_info=error)
            return _Slip(error_info(error, self._action.target))

    async def _keep(self, state: ActionState, step: Again) -> ActionState:
        """Commit a changed scratch before anything else happens."""
        scratch = state.scratch if step.scratch is None else dict(step.scratch)
        if scratch == state.scratch and not state.slips:
            return state
        return await self._record(ActionStatus.RUNNING, scratch=scratch, message=step.message, slips=0)

    async def _succeed(self, step: Done) -> ActionState:
        outputs = dict(step.outputs) if self._action.save_outputs or "Review" in step.outputs else {}
        state = await self._record(
            ActionStatus.SUCCEEDED, outputs=outputs, variables=dict(step.variables), changed=step.changed,
            message=step.message, error=None, ended_at=now(),
        )  # fmt: skip
        if (review := reviews_in(outputs)) is not None:
            self._parts.reviews[f"{self._action.target}/{review.stack_name}"] = review
        return state

    async def _fail(self, error: ErrorInfo) -> ActionState:
        self._parts.count_failure(self._action)
        return await self._record(ActionStatus.FAILED, **ended_with(error))

    async def _record(self, status: ActionStatus, **fields: Any) -> ActionState:
        return await self._book.record(self._action, status, **fields)

    def _failure(self, step: Failed) -> ErrorInfo:
        return ErrorInfo(code=step.code, message=step.message, where=self._action.target, hint=step.hint, cause=step.cause)

    def _must_stop(self) -> bool:
        return self._parts.brake.cancelled or self._parts.brake.stops_new_work(self._action.target) is not None


def context_for(parts: Parts, action: PlanAction, bound: Bound, view: StackView, attempt: int) -> ActionContext[Any]:
    """What an action is given."""
    target = parts.plan.target_by_key[action.target]
    stack = getattr(bound.params, "stack_name", None)
    return ActionContext(
        params=bound.params, target=target, run_id=parts.run.run_id, action_id=action.id, attempt=attempt, scratch={},
        client=clients_for(parts, target), files=parts.files.read, file_url=parts.files.url, file_sha256=parts.files.sha256,
        file_ref=parts.files.ref, stacks=view, run=parts.memory, log=parts.log, settings=parts.settings,
        force=parts.run.options.force, review=parts.reviews.get(f"{target.key}/{stack}"), unresolved=bound.unresolved,
    )  # fmt: skip


def clients_for(parts: Parts, target: Target) -> ClientFactory:
    """The clients of an action: in its target, in another region of it, or in another account."""

    def client(service: str, *, region: str | None = None, account: str | None = None) -> Any:
        place = target
        if account is not None and account != target.account:
            known = next((other for other in parts.plan.targets if other.account == account), None)
            place = Target(
                account=account, region=region or target.region,
                deploy_role=known.deploy_role if known else None, external_id=known.external_id if known else None,
            )  # fmt: skip
        return parts.sessions.client(service, place, region=region)

    return client
