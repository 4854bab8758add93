"""Superseding: a newer run of a deployment takes the place of an older one, whose result nobody wants any more.

Runs are ordered by when they were asked for. Only a newer run supersedes an older one, never the other way round, so runs cannot
take stacks from each other by turns: of any number of runs the newest ends last.
"""

from __future__ import annotations

from enum import StrEnum

from core_lib.db.runs import Runs
from core_lib.framework.errors import RunStateError
from core_lib.framework.models import RunState


class Precedence(StrEnum):
    """How the holder of a lock stands to a run that wants to supersede it."""

    MAKES_WAY = "makes way"
    NEWER = "newer"
    FOREIGN = "foreign"


def supersede(runs: Runs, holder: str, by: RunState, *, any_deployment: bool = False) -> Precedence:
    """Ask the run `holder` to cancel in favour of `by`.

    A run that `holder` was to make way for, and that is older than `by` too, is asked as well.

    Returns:
        MAKES_WAY when it was asked (now or before) or has ended: its locks become free. NEWER when it, or a run that supersedes
        it already, is newer than `by`: then `by` is the one that is out of date. FOREIGN when it belongs to another
        deployment, which only `any_deployment` allows to supersede.
    """
    run = runs.find(holder)
    if run is None or run.status.ended:
        return Precedence.MAKES_WAY
    if run.prn != by.prn and not any_deployment:
        return Precedence.FOREIGN
    if not is_newer(by, run):
        return Precedence.NEWER
    if run.superseded_by == by.run_id:
        return Precedence.MAKES_WAY
    heir = runs.find(run.superseded_by) if run.superseded_by else None
    if heir is not None and is_newer(heir, by):
        return Precedence.NEWER
    try:
        runs.request_cancel(holder, superseded_by=by.run_id)
    except RunStateError:
        return Precedence.MAKES_WAY
    if heir is not None:
        supersede(runs, heir.run_id, by, any_deployment=any_deployment)
    return Precedence.MAKES_WAY


def is_newer(run: RunState, than: RunState) -> bool:
    """Whether `run` was asked for later; the names decide between runs of the same moment."""
    return (run.created_at, run.run_id) > (than.created_at, than.run_id)
