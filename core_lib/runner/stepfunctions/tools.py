"""What a task needs, kept between tasks: the CMDB, sessions of recent runs, plans, reviews. Safe for threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from core_lib.db import ClientCmdb, Cmdb
from core_lib.execute import Batch, Pace, make_batches, units
from core_lib.framework.errors import FencedError
from core_lib.framework.models import Plan, RunState, StackReview
from core_lib.framework.settings import Settings
from core_lib.helper import ArtefactStore, AwsSessions, open_store
from core_lib.runner.runner import Runner, needs_review
from core_lib.runner.stepfunctions.executions import Executions
from core_lib.runner.stepfunctions.messages import Reference

K = TypeVar("K")
V = TypeVar("V")

RUNS_KEPT = 8
PLANS_KEPT = 4


class Recent(Generic[K, V]):
    """The most recently used values; a value is made once, also when several threads ask for it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def values(self) -> list[V]:
        """What is kept at present."""
        with self._lock:
            return list(self._values.values())

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value of `key`, made if it is not there."""
        with self._lock:
            if key not in self._values:
                self._values[key] = make()
            self._values.move_to_end(key)
            while len(self._values) > self._size:
                self._values.popitem(last=False)
            return self._values[key]


@dataclass(frozen=True)
class Bench:
    """One run, ready to be worked on."""

    settings: Settings
    run: RunState
    plan: Plan
    cmdb: ClientCmdb
    sessions: AwsSessions
    store: ArtefactStore
    reviews: Mapping[str, StackReview]
    kinds: Mapping[str, Any] | None
    pace: Pace

    @property
    def runner(self) -> Runner:
        """The run's record and plan."""
        return Runner(self.cmdb, self.store)

    def batches(self, size: int) -> list[Batch]:
        """The plan in batches of so many accounts; always the same ones."""
        return make_batches(units(self.plan), size)


class Tools:
    """The tools of one process. Sessions that are not used any more are closed with the last client that somebody holds."""

    def __init__(self, settings: Settings, *, kinds: Mapping[str, Any] | None = None, pace: Pace | None = None) -> None:
        self.settings = settings
        self._kinds = kinds
        self._pace = pace or Pace(settings.polling)
        self._sessions: Recent[str, AwsSessions] = Recent(RUNS_KEPT)
        self._plans: Recent[str, Plan] = Recent(PLANS_KEPT)
        self._reviews: Recent[str, Mapping[str, StackReview]] = Recent(RUNS_KEPT)

    @cached_property
    def cmdb(self) -> Cmdb:
        """The CMDB."""
        return Cmdb(self.settings)

    @cached_property
    def sessions(self) -> AwsSessions:
        """The platform's own sessions, of no run."""
        return AwsSessions(self.settings)

    @cached_property
    def executions(self) -> Executions:
        """The state machine's executions."""
        return Executions(self.settings, self.sessions)

    def bench(self, reference: Reference) -> Bench:
        """Everything about a run.

        Raises:
            FencedError: another execution or worker has the run by now.
            NotFoundError, RunStateError: there is no such run, or its plan cannot be read.
        """
        cmdb = self.cmdb.for_client(reference.client)
        run = cmdb.runs.get(reference.run_id)
        if run.epoch != reference.epoch:
            raise FencedError(f"the run is in epoch {run.epoch}, this execution in {reference.epoch}", where=run.run_id)
        sessions = self._sessions.get(run.run_id, lambda: AwsSessions(self.settings, correlation_id=run.run_id))
        store = open_store(self.settings, sessions)
        runner = Runner(cmdb, store)
        plan = self._plans.get(run.plan_hash, lambda: runner.load(run.run_id)[1])
        return Bench(
            settings=self.settings, run=run, plan=plan, cmdb=cmdb, sessions=sessions, store=store, kinds=self._kinds,
            pace=self._pace, reviews=self._reviews_of(runner, run, plan),
        )  # fmt: skip

    def close(self) -> None:
        """Close the connections."""
        for sessions in self._sessions.values():
            sessions.close()
        if "cmdb" in vars(self):
            self.cmdb.close()

    def _reviews_of(self, runner: Runner, run: RunState, plan: Plan) -> Mapping[str, StackReview]:
        if not needs_review(plan):
            return {}
        name = f"{run.client}/{run.options.reviewed_run}"
        return self._reviews.get(name, lambda: runner.reviewed(run.options, run.prn, None))
