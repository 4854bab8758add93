"""Locks of a unit: taken before the first of its actions begins, given back when the unit is over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from core_lib.db import Precedence, StackHeldError
from core_lib.execute.parts import Parts
from core_lib.execute.ports import Locks
from core_lib.execute.runtime import RuntimeValues
from core_lib.execute.shift import LeavingError, Waiting
from core_lib.framework.errors import CoreError, LockedError
from core_lib.framework.models import ErrorInfo, PlanAction
from core_lib.helper import error_info

LONGEST_LATE_WAIT_LOOKS = 120


class UnitLocks:
    """The locks of one unit.

    All of them are taken in one go, so that runs never wait for each other in a ring. A stack whose name is known only at run
    time is locked just before its action; as others are held by then, waiting for it has an end. `waited` tells that another
    run was at one of the stacks, so that nothing seen before is true any more.
    """

    def __init__(self, parts: Parts, locks: Locks, target: str) -> None:
        self._parts = parts
        self._locks = locks
        self._target = target
        self._held: set[str] = set()
        self.refusal: ErrorInfo | None = None
        self.waited = False

    async def take(self, actions: Iterable[PlanAction]) -> None:
        """Take the locks of every stack that is named in the plan. `refusal` tells when another run keeps one.

        Raises LeavingError when waiting for one outlasts the shift.
        """
        names = {name for action in actions for name in stack_names(self._parts, action) if "{{" not in name}
        if names:
            self.refusal = await self._acquire(names, None)

    async def take_late(self, name: str) -> ErrorInfo | None:
        """Take the lock of one more stack; the refusal, if another run keeps it. Raises LeavingError as `take`."""
        if f"{self._target}/{name}" in self._held:
            return None
        return await self._acquire({name}, LONGEST_LATE_WAIT_LOOKS)

    async def release(self, actions: Iterable[PlanAction]) -> None:
        """Give everything back, also what an earlier worker of this run held for these actions.

        A worker that lost its run leaves the locks to the one that has it now.
        """
        if self._parts.run.epoch > 1 or self._parts.shift.limited:
            self._held.update(f"{self._target}/{name}" for action in actions for name in known_names(self._parts, action))
        if self._held and self._parts.brake.fatal is None:
            run = self._parts.run
            await self._parts.call(lambda: self._locks.release(run.run_id, sorted(self._held), epoch=run.epoch))
            self._held.clear()

    async def _acquire(self, names: set[str], longest: int | None) -> ErrorInfo | None:
        run = self._parts.run
        keys = sorted(f"{self._target}/{name}" for name in names)
        looks = began = self._parts.shift.looks
        try:
            while True:
                try:
                    async with self._parts.lock_turn:
                        await self._parts.call(self._locks.acquire, run.run_id, run.epoch, keys, run.requested_by or run.prn)
                except LockedError as error:
                    refusal = await self._refused(error, too_long=longest is not None and looks >= longest)
                    if refusal is not None:
                        return refusal
                    if looks == began:
                        self._parts.log.info("waiting: %s", error)
                    self.waited = True
                else:
                    self._held.update(keys)
                    return None
                delay = self._parts.pace.look(looks)
                if self._parts.shift.ends_within(delay):
                    raise LeavingError(Waiting(delay))
                await self._parts.brake.sleep(delay)
                looks += 1
        finally:
            for key in keys:
                self._parts.waits.pop(key, None)

    async def _refused(self, error: LockedError, *, too_long: bool) -> ErrorInfo | None:
        """Another run holds a stack: why this run does not wait for it, or None when it does."""
        run = self._parts.run
        if run.options.when_locked == "refuse" or self._parts.brake.cancelled or too_long:
            return error_info(error)
        if isinstance(error, StackHeldError):
            self._parts.waits[error.holder.stack] = error.holder.run_id
            if run.options.when_locked == "supersede":
                precedence = await self._parts.call(self._locks.supersede, error.holder.run_id, run)
                if precedence is Precedence.NEWER:
                    return error_info(error).but(message=f"a newer run of this deployment is at it: {error.message}")
        return None


def stack_names(parts: Parts, action: PlanAction) -> list[str]:
    """Names of the stacks an action works on, as the plan writes them (an expression may still be in them)."""
    fields: tuple[str, ...] = parts.kinds[action.kind].stack_fields
    values: Mapping[str, Any] = action.spec
    return [str(values[field]) for field in fields if values.get(field)]


def known_names(parts: Parts, action: PlanAction) -> Iterator[str]:
    """Names of the stacks an action works on, as far as they are known by now."""
    for name in stack_names(parts, action):
        with suppress(CoreError):  # a name that does not resolve was never locked
            yield str(RuntimeValues(action, parts.book).resolve(name)) if "{{" in name else name
