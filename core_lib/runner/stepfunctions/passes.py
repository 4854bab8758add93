"""Advance: one pass over a batch; and the look at all targets before the first one."""

from __future__ import annotations

import math
import time

from core_lib.execute import Engine, PassResult, Shift, make_pass
from core_lib.framework.errors import ConflictError, CoreError, FencedError
from core_lib.framework.models import Cause, RunState
from core_lib.helper import classify, error_info
from core_lib.runner.stepfunctions.messages import Journey, Leg
from core_lib.runner.stepfunctions.tools import Bench, Tools

MOST_PASSES = 250
WHOLE_UP_TO = 500
"""Plans of so many actions are read as a whole in every pass, so that the run record always knows its counts."""


async def look_ahead(tools: Tools, journey: Journey) -> None:
    """Look at all targets before the first pass; what would fail has failed afterwards, in the ledger. See `Engine.preflight`.

    Done again (the answer was lost), it looks at what has not failed. An execution that only goes on for another one looks at
    nothing.

    Raises:
        FencedError: another execution or worker has the run.
    """
    bench = tools.bench(journey)
    if journey.relays or bench.run.status.ended:
        return
    async with _engine(bench, bench.run, Shift(since=journey.since)) as engine:
        await engine.preflight()


async def advance(tools: Tools, leg: Leg, seconds: float) -> Leg:
    """Do what can be done for this batch within so many seconds, and say when to look again.

    A batch ends for its map when all of its actions have ended, or when the map's time is up.

    Raises:
        FencedError: another execution or worker has the run.
        ConflictError: another worker makes a pass over the same batch; its task was given up while it was still at it.
        CoreError and others: the pass broke off; the state machine tries again, the ledger knows how far it came.
    """
    bench = tools.bench(leg)
    try:
        result = await _pass(bench, leg, seconds)
    except FencedError as error:
        if bench.cmdb.runs.get(leg.run_id).epoch != leg.epoch:
            raise
        raise ConflictError(
            "another worker makes a pass over the same batch", where=f"{leg.run_id} batch {leg.batch}", hint="it is tried again"
        ) from error
    except CoreError as error:
        if classify(error) is Cause.PERMANENT:
            _note(bench.run, bench, error)
        raise
    settings = tools.settings
    parked = min(settings.stepfunctions.parked_seconds, settings.cmdb.lock_lease_seconds / 2)  # the run must look alive
    return _after(leg, result, parked)


async def _pass(bench: Bench, leg: Leg, seconds: float) -> PassResult:
    batch = next(batch for batch in bench.batches(leg.size) if batch.number == leg.batch)
    whole = len(bench.plan.actions) <= WHOLE_UP_TO
    only = None if whole else [identity for unit in batch.units for identity in unit.action_ids]
    shift = Shift(seconds, looks=leg.looks, since=leg.since)
    async with _engine(bench, _with_share(bench.run, leg.share), shift, only) as engine:
        return await make_pass(engine, batch.units)


def _engine(bench: Bench, run: RunState, shift: Shift, only: list[str] | None = None) -> Engine:
    return Engine(
        bench.plan, bench.cmdb, bench.sessions, bench.store, bench.settings, run, reviews=bench.reviews, kinds=bench.kinds,
        pace=bench.pace, only=only, shift=shift,
    )  # fmt: skip


def _after(leg: Leg, result: PassResult, parked: float) -> Leg:
    passes = leg.passes + 1
    over = result.ended or time.time() >= leg.until or passes >= MOST_PASSES
    wanted = parked if result.for_people else result.waiting or 0.0
    return leg.but(
        passes=passes,
        looks=result.looks,
        next="end" if over else "wait",
        wait=max(1, math.ceil(wanted)),
        ended=result.ended,
    )


def _with_share(run: RunState, share: int) -> RunState:
    """The run with this batch's part of its concurrency: all batches of a map work at the same time."""
    return run.but(options=run.options.but(concurrency=share))


def _note(run: RunState, bench: Bench, error: CoreError) -> None:
    """Keep the reason in the run record, where `settle` finds it should passes go on failing."""
    bench.cmdb.runs.amend(run.run_id, epoch=run.epoch, error=error_info(error))
