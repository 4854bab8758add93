"""The engine: everything that the units of one run share, and `drive`, which sees one unit to its end."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self

from core_lib.execute.book import RunBook, now
from core_lib.execute.brake import Brake
from core_lib.execute.caps import Caps
from core_lib.execute.driver import Around, Driver, is_todo, outside, undo_reason
from core_lib.execute.failures import names_failures, selected
from core_lib.execute.files import PlanFiles
from core_lib.execute.freeze import Freeze
from core_lib.execute.graph import Unit, ranks
from core_lib.execute.hooks import HookEvents
from core_lib.execute.kinds import Kinds, catalogue
from core_lib.execute.locking import UnitLocks, known_names
from core_lib.execute.memory import Memory
from core_lib.execute.parts import Pace, Parts
from core_lib.execute.ports import Cmdb, Sessions, Store
from core_lib.execute.preflight import Preflight, PreflightReport
from core_lib.execute.pulse import Pulse
from core_lib.execute.shift import LeavingError, Shift, Waiting
from core_lib.execute.stacks.view import StackView
from core_lib.execute.undoing import undo_target, undoable
from core_lib.execute.writer import GroupWriter
from core_lib.framework.models import ActionState, ActionStatus, Message, Plan, RunState, StackReview
from core_lib.framework.settings import Settings

LARGEST_POOL = 64
CMDB_THREADS = 3
PREFLIGHT_GOOD_FOR_SECONDS = 900.0
"""How long what the pre-flight saw of a target's stacks serves its first unit: the look at all targets costs no second one."""
PAGE = 1000


class UnitResult(Message):
    """How a unit ended: number of actions by status, and how many of them changed something.

    `waiting`: it has not ended, because this worker's shift was over; seconds until the next look. `for_people`: nothing but
    people is waited for.
    """

    key: str
    target: str
    segment: int = 0
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    cancelled: int = 0
    blocked: int = 0
    pending: int = 0
    running: int = 0
    changed: int = 0
    waiting: float | None = None
    for_people: bool = False

    @property
    def ok(self) -> bool:
        """Whether everything that had to be done was done."""
        return not (self.failed or self.cancelled or self.blocked or self.pending or self.running)


class Engine:
    """Executes the units of one run. Use as `async with Engine(...) as engine: await engine.drive(unit)`, units side by side.

    `run` is the run as `Runs.take` returned it; all writes are conditional on its epoch. `reviews` are the reviewed changes by
    `account/region/StackName` for an apply. `kinds` replaces the catalogue. `on_event` is called in the event loop after every
    committed transition. `shift` limits how long this worker stays (see `Shift`); `only` are the ids of the actions that it is
    about, when it is one of many workers of a large plan: it reads no other rows. `clock` tells the time for freeze windows.
    Opening raises FencedError when another worker has the run.
    """

    def __init__(
        self,
        plan: Plan,
        cmdb: Cmdb,
        sessions: Sessions,
        store: Store,
        settings: Settings,
        run: RunState,
        on_event: Callable[[ActionState], None] | None = None,
        *,
        reviews: Mapping[str, StackReview] | None = None,
        kinds: Kinds | None = None,
        pace: Pace | None = None,
        shift: Shift | None = None,
        only: Iterable[str] | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._cmdb = cmdb
        self._cmdb_threads = ThreadPoolExecutor(CMDB_THREADS, thread_name_prefix="cmdb")
        self._brake = Brake()
        self._only = None if only is None else tuple(only)
        self._views: dict[str, StackView] = {}
        self._looked_at: set[str] = set()
        self._writer = GroupWriter(self._commit)
        self._hook_threads = ThreadPoolExecutor(1, thread_name_prefix="hooks")
        self._hooks = HookEvents(plan, run, cmdb.events, self._hook_threads)
        listeners = [self._hooks.on_event, *([on_event] if on_event else [])]
        options, limits = run.options, settings.limits
        concurrency = options.concurrency or limits.concurrency
        known = kinds if kinds is not None else catalogue()
        book = RunBook(plan, run, self._writer, self._brake, listeners)
        memory = Memory(plan, run, book, cmdb, store, whole=only is None)
        self._parts = Parts(
            plan=plan,
            run=run,
            kinds=known,
            book=book,
            memory=memory,
            brake=self._brake,
            ranks=ranks(plan.actions),
            caps=Caps(
                concurrency,
                options.account_concurrency or limits.account_concurrency,
                options.region_concurrency or limits.region_concurrency,
            ),
            pace=pace or Pace(settings.polling),
            files=PlanFiles(plan, store),
            sessions=sessions,
            freeze=Freeze(plan, run, known, memory, clock),
            reviews=dict(reviews or {}),
            log=logging.getLogger("core.execute"),
            settings=settings,
            threads=ThreadPoolExecutor(min(concurrency, LARGEST_POOL), thread_name_prefix="action"),
            shift=shift or Shift(),
            whole=only is None,
        )
        every, lease = settings.cmdb.heartbeat_seconds, settings.cmdb.lock_lease_seconds
        self._pulse = Pulse(self._parts, cmdb.runs, every, lease, self._in_cmdb)
        self._parts.assure = self._pulse.assure

    @property
    def plan(self) -> Plan:
        """The plan that is executed."""
        return self._parts.plan

    @property
    def shift(self) -> Shift:
        """How long this worker stays."""
        return self._parts.shift

    @property
    def longest_wait(self) -> float:
        """Seconds that may pass between two shifts of a run before others take it for dead; a third of the lease."""
        return self._pulse.lease / 3

    @property
    def look_again(self) -> float:
        """Seconds until something that other workers do is looked at again."""
        return self._parts.pace.look(self._parts.shift.looks)

    @property
    def written(self) -> int:
        """How many rows this worker has written."""
        return self._parts.book.written

    @property
    def states(self) -> dict[str, ActionState]:
        """All rows known so far, by action id. Actions without a row are pending."""
        return self._parts.book.states()

    @property
    def counts(self) -> dict[str, int]:
        """Number of actions by status, and `changed`."""
        return self._parts.book.counts()

    @property
    def unfinished(self) -> bool:
        """Whether this worker left something that only people can end."""
        return any(state.status is ActionStatus.RUNNING for state in self._parts.book.states().values())

    @property
    def cancelled(self) -> bool:
        """Whether the run is being cancelled."""
        return self._brake.cancelled

    def cancel(self) -> None:
        """Stop in an orderly way: nothing new starts, what runs is stopped or awaited. Call it in the engine's event loop."""
        self._brake.cancel()

    async def __aenter__(self) -> Self:
        run = self._parts.run
        if self._only is None or names_failures(run.options.only):
            rows = await self._in_cmdb(self._cmdb.ledger.load, run.run_id)
        else:
            rows = await self._in_cmdb(self._cmdb.ledger.get, run.run_id, self._only)
        self._parts.book.fill(rows)
        self._hooks.tell_again(rows.values(), lately=self._parts.shift.limited)
        self._parts.chosen = selected(self._parts.plan, self._parts.book.states(), run.options.only, run.visit)
        await self._remember_failures()
        await self._pulse.start()
        return self

    async def _remember_failures(self) -> None:
        """What failed earlier in this visit counts against the tolerance, and closes targets that are to be undone."""
        known = list(self._parts.book.states().values())
        if self._only is not None:
            known += await self._in_cmdb(self._failed_elsewhere)
        for state in known:
            if state.status is ActionStatus.FAILED and state.visit == self._parts.run.visit:
                action = self._parts.plan.action_by_id[state.action_id]
                self._parts.count_failure(action)
                if action.on_failure == "undo":
                    self._brake.close_target(action.target, undo_reason(action))

    def _failed_elsewhere(self) -> list[ActionState]:
        found: list[ActionState] = []
        cursor: str | None = None
        while True:
            page = self._cmdb.ledger.failures(self._parts.run.run_id, limit=PAGE, cursor=cursor)
            found += page.items
            cursor = page.cursor
            if cursor is None:
                return found

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None and error is not None:
            self._brake.abort(error)
        try:
            await self._writer.close()
            await self._hooks.close()
        finally:
            await self._pulse.stop()
            self._parts.threads.shutdown(wait=False, cancel_futures=True)
            self._cmdb_threads.shutdown(wait=False)
            self._hook_threads.shutdown(wait=False)

    async def preflight(self, batch: Iterable[Unit] | None = None) -> PreflightReport:
        """Look at the targets of these units (None = of the whole run) before anything is changed in them; see `Preflight`.

        What would fail has failed afterwards, in the ledger: `drive` then finds nothing left to do in such a target. Call it
        before the first `drive` of a visit. With `Options.Preflight` off it does nothing.
        """
        if not self._parts.run.options.preflight or self._parts.run.options.dry_run:
            return PreflightReport()
        ids = self._only if batch is None else [identity for unit in batch for identity in unit.action_ids]
        self._looked_at = set(self._parts.plan.target_by_key)
        return await Preflight(self._parts, self._view).run(ids)

    async def drive(self, unit: Unit, around: Around | None = None) -> UnitResult:
        """See every action of the unit to its end, or to the end of the shift. Its `upstream_units` have ended before.

        `around(action, work)` may wrap single actions: it must await `work()` once. Raises FencedError and errors of the CMDB;
        everything that happens to actions is in the ledger and in the result instead.
        """
        self._brake.raise_fatal()
        view = self._view(unit.target)
        self._looked_at.discard(unit.target)
        locks = UnitLocks(self._parts, self._cmdb.locks, unit.target)
        driver = Driver(self._parts, unit, locks, view, around)
        await self._learn(outside(self._parts, driver.todo))
        left: list[Waiting] = []
        try:
            with self._parts.shift.working():
                wanted = driver.todo if self._brake.stops_new_work(unit.target) is None else driver.begun
                if wanted and not self._parts.run.options.dry_run:
                    await locks.take(wanted)
                    view.renew(now=locks.waited)
            await driver.run()
            left = driver.left
            if not left and unit.target in self._brake.closed_targets:
                left = await undo_target(self._parts, unit.target, locks, view)
        except LeavingError as leaving:  # for the locks
            left = [leaving.waiting]
        finally:
            if all(waiting.people for waiting in left):
                await locks.release(driver.actions)
        return self._result(unit, left)

    def is_over(self, unit: Unit) -> bool:
        """Whether nothing is left to do in the unit in this visit of the run, as far as this worker knows."""
        parts = self._parts
        if any(is_todo(parts, parts.plan.action_by_id[identity]) for identity in unit.action_ids):
            return False
        return unit.target not in self._brake.closed_targets or not undoable(parts, unit.target)

    async def let_go(self, over: Iterable[Unit]) -> None:
        """Give back the locks of units that have ended: a worker may have been killed between the last row and that."""
        actions = self._parts.plan.action_by_id
        keys = {
            f"{unit.target}/{name}"
            for unit in over
            for identity in unit.action_ids
            for name in known_names(self._parts, actions[identity])
        }
        run = self._parts.run
        if keys and not run.options.dry_run:
            await self._in_cmdb(partial(self._cmdb.locks.release, run.run_id, sorted(keys), epoch=run.epoch))

    async def learn(self, unit: Unit) -> None:
        """Read how the unit's actions stand, if this worker does not see to them itself."""
        await self._learn({identity for identity in unit.action_ids if not self._parts.book.status(identity).ended})

    def _view(self, key: str) -> StackView:
        """The one view of a target's stacks, fresh enough for a unit that begins now."""
        if key not in self._views:
            target = self._parts.plan.target_by_key[key]
            client = partial(self._parts.sessions.client, "cloudformation", target)
            self._views[key] = StackView(key, client, self._cmdb.stacks, self._parts.run.epoch)
        looked_at = key in self._looked_at
        self._views[key].renew(seconds=PREFLIGHT_GOOD_FOR_SECONDS if looked_at else StackView.GOOD_FOR_SECONDS)
        return self._views[key]

    async def _learn(self, action_ids: set[str]) -> None:
        """Read from the ledger how actions ended that somebody else (another process, another visit) did."""
        if action_ids:
            self._parts.book.fill(await self._in_cmdb(self._cmdb.ledger.get, self._parts.run.run_id, sorted(action_ids)))

    async def _commit(self, states: Sequence[ActionState]) -> Sequence[ActionState]:
        write = partial(self._cmdb.ledger.write, states, epoch=self._parts.run.epoch)
        written: Sequence[ActionState] = await self._in_cmdb(write)
        return written

    async def _in_cmdb(self, function: Callable[..., Any], *args: Any) -> Any:
        """Ledger and heartbeat have threads of their own: they must not queue behind slow AWS calls."""
        return await asyncio.get_running_loop().run_in_executor(self._cmdb_threads, function, *args)

    def _result(self, unit: Unit, left: Sequence[Waiting]) -> UnitResult:
        counts: Counter[str] = Counter()
        for identity in unit.action_ids:
            state = self._parts.book.state(identity)
            counts[(state.status if state else ActionStatus.PENDING).value] += 1
            counts["changed"] += bool(state and state.status is ActionStatus.SUCCEEDED and state.changed)
        seconds = min((each.seconds for each in left), default=None)
        people = bool(left) and all(each.people for each in left)
        return UnitResult(key=unit.key, target=unit.target, segment=unit.segment, waiting=seconds, for_people=people, **counts)
