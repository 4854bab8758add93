"""Registering runs and finding them again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from core_lib.db import ClientCmdb, Event, Events
from core_lib.framework.errors import MovedError, RunStateError
from core_lib.framework.models import (
    ActionState,
    ErrorInfo,
    Options,
    Plan,
    Prn,
    RunState,
    RunStatus,
    StackReview,
    Task,
    TaskPayload,
)
from core_lib.helper import ArtefactStore
from core_lib.report import export_states, stack_reviews
from core_lib.runner.correlation import new_run_id
from core_lib.runner.stored_plans import plan_key, read_plan


def needs_review(plan: Plan) -> bool:
    """Whether the plan executes change sets that a person has reviewed."""
    return any(action.kind.endswith("::ApplyChangeSet") for action in plan.actions)


class Runner:
    """Runs of one client: the record in the CMDB, the plan in the artefact store."""

    def __init__(self, cmdb: ClientCmdb, store: ArtefactStore) -> None:
        self._cmdb = cmdb
        self._store = store

    def register(
        self, payload: TaskPayload, plan: Plan, *, flow_run_id: str | None = None, requested_by: str | None = None
    ) -> RunState:
        """Store the plan and create the run record, status pending. The run is named by the payload's correlation id,
        or by a new one.

        Raises:
            ConflictError: a run of that name exists.
            ArtefactError: the plan cannot be stored.
        """
        prefix = plan.deployment.key_prefix("artefacts")
        key = plan_key(plan)
        text = plan.to_json().encode()
        self._store.put(key, text, content_type="application/json")
        self._store.put(f"{prefix}/{plan.task}.actions", text, content_type="application/json")
        run = RunState(
            run_id=payload.correlation_id or new_run_id(),
            client=payload.client,
            prn=str(payload.prn),
            task=payload.task,
            status=RunStatus.PENDING,
            plan_hash=plan.hash,
            plan_key=key,
            options=payload.options,
            executor=payload.executor,
            flow_run_id=flow_run_id,
            requested_by=requested_by or payload.requested_by,
            created_at=datetime.now(UTC),
            target_count=len(plan.targets),
            action_count=len(plan.actions),
        )
        return self._cmdb.runs.create(run)

    def refused(
        self, payload: TaskPayload, run_id: str, status: RunStatus, error: ErrorInfo, flow_run_id: str | None = None
    ) -> RunState:
        """Record a request that never became a plan, so that whoever asked can find out why. There is nothing to resume.

        Raises:
            ConflictError: a run of that name exists.
        """
        moment = datetime.now(UTC)
        run = RunState(
            run_id=run_id,
            client=payload.client,
            prn=str(payload.prn),
            task=payload.task,
            status=status,
            plan_hash="",
            plan_key="",
            options=payload.options,
            executor=payload.executor,
            flow_run_id=flow_run_id,
            requested_by=payload.requested_by,
            created_at=moment,
            ended_at=moment,
            error=error,
        )
        return self._cmdb.runs.create(run)

    def load(self, run_id: str) -> tuple[RunState, Plan]:
        """A run and its plan.

        Raises:
            NotFoundError: no such run.
            RunStateError: the stored plan is not the one the run was registered with.
        """
        run = self._cmdb.runs.get(run_id)
        return run, self._plan(run)

    def reviewed(self, options: Options, prn: str, plan_hash: str | None) -> dict[str, StackReview]:
        """What the plan run of this PRN named by `Options.ReviewedRun` found, by `account/region/StackName`.

        `plan_hash` is the hash that today's compile gives the plan (None = not compiled again); it must be the reviewed one.

        Raises:
            RunStateError: there is no finished plan run of that name for this deployment.
            MovedError: another plan was approved, or the package or the facts changed since.
            NotFoundError: no such run.
        """
        if options.reviewed_run is None:
            raise RunStateError(
                "apply executes a reviewed plan, and Options.ReviewedRun names none",
                where=prn,
                hint="run the plan task first and pass its run id",
            )
        run, plan = self.load(options.reviewed_run)
        if run.task is not Task.PLAN or run.prn != prn:
            raise RunStateError(f"this is a {run.task} run of {run.prn}, not a plan of {prn}", where=run.run_id)
        if run.status is not RunStatus.SUCCEEDED:
            raise RunStateError(f"the plan run is {run.status}", where=run.run_id, hint="only a complete plan can be applied")
        if options.plan_hash not in (None, run.plan_hash):
            raise MovedError(
                f"plan {options.plan_hash[:12] if options.plan_hash else ''} was approved, the run holds {run.plan_hash[:12]}",
                where=run.run_id,
                hint="review the plan again",
            )
        self._same_inputs(run, plan_hash)
        return stack_reviews(plan, self._cmdb.ledger.load(run.run_id))

    def export(self, run: RunState, plan: Plan, states: Mapping[str, ActionState]) -> str:
        """Store the end state of a run (`<task>.state` and a copy that keeps the run's name); the key of the latter.

        Raises:
            ArtefactError: it cannot be stored.
        """
        prefix = plan.deployment.key_prefix("artefacts")
        text = export_states(run, plan, states).encode()
        key = f"{prefix}/runs/{run.run_id}.state"
        for name in (key, f"{prefix}/{plan.task}.state"):
            self._store.put(name, text, content_type="application/json")
        return key

    def end(self, run: RunState, status: RunStatus, counts: Mapping[str, int] | None = None) -> RunState:
        """Record how a run ended, with its counts, and tell the event history. `run` is the run as its worker took it.

        Told again (its worker did not hear the answer), it changes nothing.

        Raises:
            FencedError: another worker has the run by now.
        """
        known = self._cmdb.runs.get(run.run_id)
        if known.epoch == run.epoch and known.status is status:
            return known
        fields = {} if counts is None else {"counts": dict(counts)}
        tell = partial(_end_told, self._cmdb.events)
        return self._cmdb.runs.transition(run.run_id, status, epoch=run.epoch, along=tell, **fields)

    def _plan(self, run: RunState) -> Plan:
        if not run.plan_key:
            raise RunStateError("the run never got a plan", where=run.run_id, hint=run.error.message if run.error else None)
        plan = read_plan(self._store, run.plan_key)
        if plan.hash != run.plan_hash:
            raise RunStateError(
                "the stored plan is not the one this run was registered with",
                where=f"{run.run_id} {run.plan_key}",
                hint="start a new run",
            )
        return plan

    @staticmethod
    def _same_inputs(run: RunState, plan_hash: str | None) -> None:
        if plan_hash is not None and plan_hash != run.plan_hash:
            raise MovedError(
                f"the package or the facts changed since the review: the plan is now {plan_hash[:12]}, "
                f"reviewed was {run.plan_hash[:12]}",
                where=run.run_id,
                hint="run the plan again and review it",
            )


def _end_told(events: Events, ended: RunState) -> dict[str, Any]:
    """The event of a run's end, to be written together with it: neither is there without the other."""
    event = Event(
        prn=Prn.parse(ended.prn),
        event_type="STATUS" if ended.status is RunStatus.SUCCEEDED else "ERROR",
        status=ended.status.value,
        message=f"{ended.task} {ended.status.value}" + _in_favour(ended),
        run_id=ended.run_id,
        actor=ended.begun_by,
        id=f"end-{ended.run_id}-{ended.epoch}",
        at=ended.ended_at or datetime.now(UTC),
    )
    return events.put_operation(event)


def _in_favour(run: RunState) -> str:
    return f", superseded by run {run.superseded_by}" if run.superseded_by and run.status is RunStatus.CANCELLED else ""
