"""Superseding: only a newer run takes an older one's place, of a chain the newest wins, and the record says who did it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core_lib.db import ClientCmdb, Precedence, StackHeldError
from core_lib.framework.models import Options, RunState, RunStatus
from tests.unit.db.builders import EARLY, a_run

NET = "111111111111/eu-west-1/net"


@pytest.fixture
def three(acme: ClientCmdb) -> tuple[RunState, RunState, RunState]:
    """Three running runs of one deployment, asked for one after the other."""
    return begun(acme, "run-1"), begun(acme, "run-2", 1), begun(acme, "run-3", 2)


def begun(acme: ClientCmdb, name: str, minutes: int = 0, **fields: object) -> RunState:
    acme.runs.create(a_run(name, created_at=EARLY + timedelta(minutes=minutes), **fields))
    acme.runs.take(name)
    return acme.runs.transition(name, RunStatus.RUNNING, epoch=1)


def test_lock_when_held_then_the_error_carries_the_holder(acme: ClientCmdb, three: tuple[RunState, ...]) -> None:
    acme.locks.acquire("run-1", 1, [NET], "ada")
    with pytest.raises(StackHeldError) as refused:
        acme.locks.acquire("run-2", 1, [NET], "bob")
    assert (refused.value.holder.run_id, refused.value.holder.stack) == ("run-1", NET)


def test_supersede_when_the_holder_is_older_then_it_is_asked_to_cancel_and_its_record_says_by_whom(
    acme: ClientCmdb, three: tuple[RunState, ...]
) -> None:
    assert acme.locks.supersede("run-1", three[1]) is Precedence.MAKES_WAY
    asked = acme.runs.get("run-1")
    assert (asked.status, asked.cancel_requested, asked.superseded_by) == (RunStatus.CANCELLING, True, "run-2")
    ended = acme.runs.transition("run-1", RunStatus.CANCELLED, epoch=1)
    assert ended.superseded_by == "run-2"


def test_supersede_when_asked_again_then_the_record_is_not_written_again(acme: ClientCmdb, three: tuple[RunState, ...]) -> None:
    acme.locks.supersede("run-1", three[1])
    before = acme.runs.get("run-1").version
    assert acme.locks.supersede("run-1", three[1]) is Precedence.MAKES_WAY
    assert acme.runs.get("run-1").version == before


def test_supersede_when_the_holder_is_newer_then_it_is_left_alone(acme: ClientCmdb, three: tuple[RunState, ...]) -> None:
    assert acme.locks.supersede("run-3", three[1]) is Precedence.NEWER
    assert not acme.runs.get("run-3").cancel_requested


def test_supersede_when_three_runs_want_the_stack_then_the_newest_wins_whatever_the_order(
    acme: ClientCmdb, three: tuple[RunState, ...]
) -> None:
    acme.locks.supersede("run-1", three[1])
    assert acme.locks.supersede("run-1", three[2]) is Precedence.MAKES_WAY
    assert acme.runs.get("run-1").superseded_by == "run-3"
    assert acme.runs.get("run-2").superseded_by == "run-3", "who was to follow the holder makes way as well"
    assert acme.locks.supersede("run-1", three[1]) is Precedence.NEWER, "and must not come back"
    assert not acme.runs.get("run-3").cancel_requested


def test_supersede_when_the_holder_deploys_something_else_then_only_force_asks_it(acme: ClientCmdb) -> None:
    begun(acme, "run-other", prn="prn:payments:other:main:7")
    newer = begun(acme, "run-2", 1)
    assert acme.locks.supersede("run-other", newer) is Precedence.FOREIGN
    assert not acme.runs.get("run-other").cancel_requested
    forced = newer.but(options=Options(force=True))
    assert acme.locks.supersede("run-other", forced) is Precedence.MAKES_WAY
    assert acme.runs.get("run-other").superseded_by == "run-2"


def test_supersede_when_the_holder_has_ended_then_nothing_is_asked(acme: ClientCmdb, three: tuple[RunState, ...]) -> None:
    acme.runs.transition("run-1", RunStatus.FAILED, epoch=1)
    assert acme.locks.supersede("run-1", three[1]) is Precedence.MAKES_WAY
    assert acme.locks.supersede("run-gone", three[1]) is Precedence.MAKES_WAY
    assert acme.runs.get("run-1").superseded_by is None


def test_superseded_run_when_resumed_then_it_is_nobodys_to_make_way_any_more(
    acme: ClientCmdb, three: tuple[RunState, ...]
) -> None:
    acme.locks.supersede("run-1", three[1])
    acme.runs.transition("run-1", RunStatus.CANCELLED, epoch=1)
    taken = acme.runs.take("run-1")
    resumed = acme.runs.transition("run-1", RunStatus.RUNNING, epoch=taken.epoch)
    assert (resumed.superseded_by, resumed.cancel_requested) == (None, False)
