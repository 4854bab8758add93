"""The engine: everything that the units of one run share, and `drive`, which sees one unit to its end."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Any, Self

from core_lib.execute.book import RunBook
from core_lib.execute.brake import Brake
from core_lib.execute.caps import Caps
from core_lib.execute.driver import Around, Driver, outside
from core_lib.execute.failures import selected
from core_lib.execute.files import PlanFiles
from core_lib.execute.graph import Unit
from core_lib.execute.hooks import HookEvents
from core_lib.execute.kinds import Kinds, catalogue
from core_lib.execute.locking import UnitLocks
from core_lib.execute.memory import Memory
from core_lib.execute.parts import Pace, Parts
from core_lib.execute.ports import Cmdb, Sessions, Store
from core_lib.execute.pulse import Pulse
from core_lib.execute.stacks.view import StackView
from core_lib.execute.undoing import undo_target
from core_lib.execute.writer import GroupWriter
from core_lib.framework.models import ActionState, ActionStatus, Message, Plan, RunState, StackReview
from core_lib.framework.settings import Settings

LARGEST_POOL = 64
CMDB_THREADS = 3


class UnitResult(Message):
    """How a unit ended: number of actions by status, and how many of them changed something."""

    key: str
    target: str
    segment: int = 0
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    cancelled: int = 0
    blocked: int = 0
    pending: int = 0
    changed: int = 0

    @property
    def ok(self) -> bool:
        """Whether everything that had to be done was done."""
        return not (self.failed or self.cancelled or self.blocked or self.pending)


class Engine:
    """Executes the units of one run. Use as `async with Engine(...) as engine: await engine.drive(unit)`, units side by side.

    `run` is the run as `Runs.take` returned it; all writes are conditional on its epoch. `reviews` are the reviewed changes by
    `account/region/StackName` for an apply. `kinds` replaces the catalogue. `on_event` is called in the event loop after every
    committed transition. Opening raises FencedError when another worker has the run.
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
    ) -> None:
        self._cmdb = cmdb
        self._cmdb_threads = ThreadPoolExecutor(CMDB_THREADS, thread_name_prefix="cmdb")
        self._brake = Brake()
        self._views: dict[str, StackView] = {}
        self._writer = GroupWriter(self._commit)
        self._hook_threads = ThreadPoolExecutor(1, thread_name_prefix="hooks")
        self._hooks = HookEvents(plan, run, cmdb.events, self._hook_threads)
        listeners = [self._hooks.on_event, *([on_event] if on_event else [])]
        options, limits = run.options, settings.limits
        concurrency = options.concurrency or limits.concurrency
        book = RunBook(plan, run.run_id, self._writer, self._brake, listeners)
        self._parts = Parts(
            plan=plan,
            run=run,
            kinds=kinds if kinds is not None else catalogue(),
            book=book,
            memory=Memory(plan, run, book, cmdb.events, store),
            brake=self._brake,
            caps=Caps(
                concurrency,
                options.account_concurrency or limits.account_concurrency,
                options.region_concurrency or limits.region_concurrency,
            ),
            pace=pace or Pace(settings.polling),
            files=PlanFiles(plan, store),
            sessions=sessions,
            reviews=dict(reviews or {}),
            log=logging.getLogger("core.execute"),
            settings=settings,
            threads=ThreadPoolExecutor(min(concurrency, LARGEST_POOL), thread_name_prefix="action"),
        )
        every, lease = settings.cmdb.heartbeat_seconds, settings.cmdb.lock_lease_seconds
        self._pulse = Pulse(self._parts, cmdb.runs, every, lease, self._in_cmdb)
        self._parts.assure = self._pulse.assure

    @property
    def states(self) -> dict[str, ActionState]:
        """All rows known so far, by action id. Actions without a row are pending."""
        return self._parts.book.states()

    @property
    def counts(self) -> dict[str, int]:
        """Number of actions by status, and `changed`."""
        return self._parts.book.counts()

    @property
    def cancelled(self) -> bool:
        """Whether the run is being cancelled."""
        return self._brake.cancelled

    def cancel(self) -> None:
        """Stop in an orderly way: nothing new starts, what runs is stopped or awaited. Call it in the engine's event loop."""
        self._brake.cancel()

    async def __aenter__(self) -> Self:
        run = self._parts.run
        self._parts.book.fill(await self._in_cmdb(self._cmdb.ledger.load, run.run_id))
        self._parts.chosen = selected(self._parts.plan, self._parts.book.states(), run.options.only)
        await self._pulse.start()
        return self

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

    async def drive(self, unit: Unit, around: Around | None = None) -> UnitResult:
        """See every action of the unit to its end. The units named in `unit.upstream_units` have ended before.

        `around(action, work)` may wrap single actions: it must await `work()` once. Raises FencedError and errors of the CMDB;
        everything that happens to actions is in the ledger and in the result instead.
        """
        self._brake.raise_fatal()
        view = self._view(unit.target)
        locks = UnitLocks(self._parts, self._cmdb.locks, unit.target)
        driver = Driver(self._parts, unit, locks, view, around)
        await self._learn(outside(self._parts, driver.todo))
        try:
            wanted = driver.todo if self._brake.stops_new_work(unit.target) is None else driver.begun
            if wanted and not self._parts.run.options.dry_run:
                await locks.take(wanted)
                view.renew(now=locks.waited)
            await driver.run()
            if unit.target in self._brake.closed_targets:
                await undo_target(self._parts, unit.target, locks, view)
        finally:
            await locks.release(driver.actions)
        return self._result(unit)

    def _view(self, key: str) -> StackView:
        """The one view of a target's stacks, fresh enough for a unit that begins now."""
        if key not in self._views:
            target = self._parts.plan.target_by_key[key]
            client = partial(self._parts.sessions.client, "cloudformation", target)
            self._views[key] = StackView(key, client, self._cmdb.stacks, self._parts.run.epoch)
        self._views[key].renew()
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

    def _result(self, unit: Unit) -> UnitResult:
        counts: Counter[str] = Counter()
        for identity in unit.action_ids:
            state = self._parts.book.state(identity)
            counts[(state.status if state else ActionStatus.PENDING).value] += 1
            counts["changed"] += bool(state and state.status is ActionStatus.SUCCEEDED and state.changed)
        return UnitResult(key=unit.key, target=unit.target, segment=unit.segment, **counts)
