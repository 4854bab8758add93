"""The stations of an execution outside of its maps: open, settle, relay, close, broken."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from core_lib.framework.errors import RunStateError
from core_lib.framework.models import ActionState, ActionStatus, ErrorInfo, Plan, RunState, RunStatus
from core_lib.helper import ArtefactStore
from core_lib.report import final_status
from core_lib.runner.stepfunctions.messages import Arrival, BatchEnd, BatchItem, Journey
from core_lib.runner.stepfunctions.problems import Problem
from core_lib.runner.stepfunctions.tools import Bench, Tools

MOST_INLINE = 8
"""An inline map writes into the history of the execution itself, which ends at 25,000 events. More batches are distributed."""
MOST_ROUNDS = 200
MOST_IDLE = 3


def open_run(tools: Tools, journey: Journey) -> Journey:
    """Cut the plan into batches and lay out the first map. Nothing is executed yet.

    Raises:
        RunStateError: the run has ended meanwhile.
    """
    bench = tools.bench(journey)
    size, share = _sizes(bench)
    batches = bench.batches(size)
    if bench.run.status.ended:
        raise RunStateError(f"the run is {bench.run.status.value}", where=journey.run_id)
    return _laid_out(
        bench, journey.but(size=size, share=share, since=journey.since or datetime.now(UTC)), [batch.number for batch in batches]
    )


def settle(tools: Tools, journey: Journey) -> Journey:
    """After a map: which batches have not ended, and whether the execution goes on with them or hands over.

    Raises:
        RunStateError: passes keep failing and nothing moves any more.
    """
    bench = tools.bench(journey)
    if len(journey.results) != journey.items:
        raise RunStateError(f"the map told of {len(journey.results)} batches, not of {journey.items}", where=journey.run_id)
    left = [result for result in journey.results if not result.ended]
    progress = sum(state.version for state in bench.cmdb.ledger.load(journey.run_id).values())
    broken = [result for result in left if result.error]
    idle = journey.idle + 1 if broken and progress == journey.progress else 0
    if idle >= MOST_IDLE:
        raise _stuck(bench.run, broken)
    ahead = journey.but(progress=progress, idle=idle)
    if left and (journey.way == "inline" or journey.round >= MOST_ROUNDS):
        return ahead.but(way="relay", batches=(), results=(), items=0)
    return _laid_out(bench, ahead, [result.batch for result in left])


def relay(tools: Tools, journey: Journey) -> Arrival:
    """Start the execution that goes on with the run, in the same epoch."""
    bench = tools.bench(journey)
    arn = tools.executions.start(bench.run, journey.relays + 1, **_carried(journey))
    if bench.run.execution != arn:
        bench.cmdb.runs.amend(bench.run.run_id, epoch=bench.run.epoch, execution=arn)
    return Arrival(run_id=journey.run_id, status="relayed", message=arn)


def close(tools: Tools, journey: Journey) -> Arrival:
    """Record how the run ended, and keep its end state as an artefact."""
    bench = tools.bench(journey)
    states = bench.cmdb.ledger.load(journey.run_id)
    status = final_status(bench.plan, states, cancelled=bench.run.cancel_requested)
    counts = count(bench.plan, states)
    ended = bench.runner.end(bench.run, status, counts)
    bench.runner.export(ended, bench.plan, states)
    told = ", ".join(f"{number} {name}" for name, number in counts.items())
    return Arrival(run_id=journey.run_id, status=status.value, message=told)


def broken(tools: Tools, journey: Journey, problem: Problem) -> Arrival:
    """The execution cannot go on: the run failed, and its record says why. A run that somebody else has is left alone."""
    runs = tools.cmdb.for_client(journey.client).runs
    run = runs.get(journey.run_id)
    info = problem.info(journey.run_id)
    if run.epoch == journey.epoch and not run.status.ended:
        kept = run.error if run.error is not None and problem.vague else info
        runs.transition(journey.run_id, RunStatus.FAILED, epoch=run.epoch, error=kept)
    return Arrival(run_id=journey.run_id, status="broken", message=f"{info.code} {info.message}"[:2000])


def count(plan: Plan, states: Mapping[str, ActionState]) -> dict[str, int]:
    """Number of actions by status, and how many changed anything; nothing is said about what there is none of."""
    counts: Counter[str] = Counter()
    for action in plan.actions:
        state = states.get(action.id)
        counts[(state.status if state else ActionStatus.PENDING).value] += 1
        counts["changed"] += bool(state and state.status is ActionStatus.SUCCEEDED and state.changed)
    return {name: number for name, number in counts.items() if number}


def _carried(journey: Journey) -> dict[str, int | str]:
    """What the next execution of the same epoch has to know."""
    since = journey.since or datetime.now(UTC)
    return {"Progress": journey.progress, "Idle": journey.idle, "Since": since.isoformat()}


def _sizes(bench: Bench) -> tuple[int, int]:
    """Accounts per batch, and each batch's share of the concurrency: a run that may do little at once has few batches."""
    total = bench.run.options.concurrency or bench.settings.limits.concurrency
    accounts = len({target.account for target in bench.plan.targets}) or 1
    size = max(bench.settings.stepfunctions.batch_size, -(-accounts // total))
    return size, max(1, total // -(-accounts // size))


def _laid_out(bench: Bench, journey: Journey, numbers: Iterable[int]) -> Journey:
    """The journey with its next map over these batches, as items of the state itself or as a file that Step Functions reads."""
    items = tuple(BatchItem(batch=number) for number in numbers)
    until = int(time.time() + bench.settings.stepfunctions.round_seconds)
    ahead = journey.but(
        round=journey.round + 1, until=until, items=len(items), results=(), batches=items, bucket="", key="", way="inline"
    )
    if not items:
        return ahead.but(way="close")
    place = s3_place(bench.store)
    if len(items) <= MOST_INLINE or place is None:
        return ahead
    folder = f"{bench.plan.deployment.key_prefix('artefacts')}/runs/{bench.run.run_id}"
    name = f"{folder}/batches-{journey.epoch}.{journey.relays}.{ahead.round}.json"
    bench.store.put(name, json.dumps([item.as_dict() for item in items]).encode(), content_type="application/json")
    bucket, prefix = place
    return ahead.but(way="distributed", batches=(), bucket=bucket, key=f"{prefix}{name}")


def s3_place(store: ArtefactStore) -> tuple[str, str] | None:
    """Bucket and key prefix of a store on S3, None of any other: Step Functions reads items of a distributed map from S3 only."""
    if not store.location.startswith("s3://"):
        return None
    bucket, _, prefix = store.location.removeprefix("s3://").partition("/")
    return bucket, f"{prefix.rstrip('/')}/" if prefix else ""


def _stuck(run: RunState, broken: Iterable[BatchEnd]) -> RunStateError:
    known: ErrorInfo | None = run.error
    names = ", ".join(f"{result.batch} ({result.error})" for result in broken)
    why = f": {known.code} {known.message}" if known else ""
    return RunStateError(
        f"passes over these batches keep failing: {names}{why}", where=run.run_id, hint=known.hint if known else None
    )
