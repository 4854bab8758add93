"""Runs: registration, state machine, epochs, heartbeats, cancel requests, lists."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core_lib.db import ClientCmdb, Cmdb
from core_lib.db.tables import RunRow
from core_lib.framework.errors import (
    ConflictError,
    FencedError,
    InputError,
    IsolationError,
    LockedError,
    NotFoundError,
    PrnError,
    RunStateError,
)
from core_lib.framework.models import ErrorInfo, Options, RunStatus
from tests.unit.db.builders import EARLY, a_run

RUN = "20261101-080000-aaaaaa"


def test_run_when_created_then_everything_comes_back(acme: ClientCmdb) -> None:
    run = a_run(options=Options(tolerance="5%"), requested_by="ada", action_count=3)
    created = acme.runs.create(run)
    assert acme.runs.get(RUN) == created == run.model_copy(update={"version": 1})


def test_run_when_its_name_is_taken_then_it_is_refused(acme: ClientCmdb) -> None:
    acme.runs.create(a_run())
    with pytest.raises(ConflictError, match=RUN):
        acme.runs.create(a_run(requested_by="somebody else"))


def test_run_when_created_twice_because_an_answer_was_lost_then_it_is_one_run(acme: ClientCmdb) -> None:
    assert acme.runs.create(a_run()) == acme.runs.create(a_run())


def test_run_of_another_client_when_created_then_isolation_refuses_it(acme: ClientCmdb) -> None:
    with pytest.raises(IsolationError):
        acme.runs.create(a_run(client="other"))


def test_run_of_another_client_when_asked_for_then_it_does_not_exist(cmdb: Cmdb, acme: ClientCmdb) -> None:
    cmdb.create_tables("other")
    acme.runs.create(a_run())
    with pytest.raises(NotFoundError):
        cmdb.for_client("other").runs.get(RUN)
    assert cmdb.for_client("other").runs.list().items == ()


def test_client_when_its_name_is_no_name_then_it_is_refused(cmdb: Cmdb) -> None:
    with pytest.raises(PrnError):
        cmdb.for_client("a/b")


def test_tables_of_a_client_when_they_do_not_exist_then_the_error_says_so(cmdb: Cmdb) -> None:
    with pytest.raises(NotFoundError, match="table"):
        cmdb.for_client("nobody").runs.get(RUN)


def test_transition_when_the_run_starts_and_ends_then_times_are_filled_in(acme: ClientCmdb) -> None:
    acme.runs.create(a_run())
    running = acme.runs.transition(RUN, RunStatus.RUNNING, flow_run_id="flow-1")
    assert running.started_at
    assert running.flow_run_id == "flow-1"
    ended = acme.runs.transition(RUN, RunStatus.FAILED, error=ErrorInfo(code="CORE-4003", message="boom"), counts={"failed": 1})
    assert ended == acme.runs.get(RUN)
    assert ended.ended_at
    assert ended.started_at == running.started_at
    assert ended.counts == {"failed": 1}
    assert ended.error
    assert ended.error.message == "boom"
    resumed = acme.runs.transition(RUN, RunStatus.RUNNING, error=None)
    assert resumed.ended_at is None
    assert resumed.error is None


def test_transition_when_the_status_may_not_follow_then_it_is_refused(acme: ClientCmdb) -> None:
    acme.runs.create(a_run())
    acme.runs.transition(RUN, RunStatus.RUNNING)
    acme.runs.transition(RUN, RunStatus.SUCCEEDED)
    with pytest.raises(RunStateError, match="succeeded and cannot become running"):
        acme.runs.transition(RUN, RunStatus.RUNNING)


def test_transition_when_the_worker_is_stale_then_it_is_fenced(acme: ClientCmdb) -> None:
    acme.runs.create(a_run())
    first = acme.runs.take(RUN)
    acme.runs.take(RUN)
    with pytest.raises(FencedError):
        acme.runs.transition(RUN, RunStatus.RUNNING, epoch=first.epoch)


def test_transition_when_a_field_does_not_change_that_way_then_it_is_an_error(acme: ClientCmdb) -> None:
    acme.runs.create(a_run())
    with pytest.raises(TypeError, match="epoch_"):
        acme.runs.transition(RUN, RunStatus.RUNNING, epoch_=3)


def test_take_when_called_again_then_the_epoch_goes_up_and_the_first_worker_is_fenced(acme: ClientCmdb) -> None:
    acme.runs.create(a_run())
    first = acme.runs.take(RUN)
    second = acme.runs.take(RUN)
    assert (first.epoch, second.epoch) == (1, 2)
    assert acme.runs.heartbeat(RUN, 2, {"running": 1}).counts == {"running": 1}
    with pytest.raises(FencedError):
        acme.runs.heartbeat(RUN, 1, {"running": 2})
    assert acme.runs.get(RUN).counts == {"running": 1}


def test_take_when_the_run_has_succeeded_then_there_is_nothing_to_take(acme: ClientCmdb) -> None:
    acme.runs.create(a_run())
    acme.runs.transition(RUN, RunStatus.SUCCEEDED)
    with pytest.raises(RunStateError):
        acme.runs.take(RUN)


def test_take_if_idle_when_another_worker_is_alive_then_it_is_refused(acme: ClientCmdb) -> None:
    acme.runs.create(a_run())
    acme.runs.take(RUN, only_if_idle=True)
    with pytest.raises(LockedError):
        acme.runs.take(RUN, only_if_idle=True)


def test_cancel_when_requested_while_running_then_the_next_heartbeat_tells(acme: ClientCmdb) -> None:
    acme.runs.create(a_run())
    acme.runs.take(RUN)
    acme.runs.transition(RUN, RunStatus.RUNNING, epoch=1)
    assert not acme.runs.heartbeat(RUN, 1).cancel_requested
    assert acme.runs.request_cancel(RUN).status is RunStatus.CANCELLING
    assert acme.runs.heartbeat(RUN, 1).cancel_requested
    assert acme.runs.transition(RUN, RunStatus.CANCELLED, epoch=1).status is RunStatus.CANCELLED
    with pytest.raises(RunStateError):
        acme.runs.request_cancel(RUN)


def test_cancel_when_requested_before_a_worker_comes_then_taking_the_run_keeps_it(acme: ClientCmdb) -> None:
    acme.runs.create(a_run())
    acme.runs.request_cancel(RUN)
    assert acme.runs.take(RUN).cancel_requested


def test_transition_when_a_cancel_comes_between_then_neither_is_lost(acme: ClientCmdb, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.runs.create(a_run())
    acme.runs.transition(RUN, RunStatus.RUNNING)
    read = acme.runs._read

    def read_then_cancel(run_id: str) -> RunRow:
        row = read(run_id)
        monkeypatch.setattr(acme.runs, "_read", read)
        acme.runs.request_cancel(RUN)
        return row

    monkeypatch.setattr(acme.runs, "_read", read_then_cancel)
    assert acme.runs.transition(RUN, RunStatus.RUNNING).cancel_requested
    assert acme.runs.get(RUN).status is RunStatus.CANCELLING


def test_cancel_when_the_cancelled_run_is_resumed_then_it_is_forgotten(acme: ClientCmdb) -> None:
    acme.runs.create(a_run())
    acme.runs.request_cancel(RUN)
    acme.runs.transition(RUN, RunStatus.CANCELLED)
    assert not acme.runs.take(RUN).cancel_requested


def test_alive_when_the_heartbeat_is_old_then_the_run_is_not(acme: ClientCmdb) -> None:
    acme.runs.create(a_run())
    taken = acme.runs.take(RUN)
    assert taken.heartbeat_at
    assert acme.runs.alive(taken)
    assert not acme.runs.alive(taken.but(heartbeat_at=taken.heartbeat_at - timedelta(seconds=61)))
    assert not acme.runs.alive(taken.but(status=RunStatus.FAILED))


def test_list_when_there_are_many_runs_then_pages_go_newest_first(acme: ClientCmdb) -> None:
    for number in range(7):
        acme.runs.create(a_run(f"run-{number}", created_at=EARLY + timedelta(minutes=number)))
    seen: list[str] = []
    cursor = None
    while True:
        page = acme.runs.list(limit=3, cursor=cursor)
        seen += [run.run_id for run in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == [f"run-{number}" for number in reversed(range(7))]


def test_list_when_asked_for_a_prn_then_only_its_runs_come(acme: ClientCmdb) -> None:
    acme.runs.create(a_run("run-1"))
    acme.runs.create(a_run("run-2", prn="prn:payments:ledger:main:8"))
    assert [run.run_id for run in acme.runs.list("prn:payments:ledger:main:8").items] == ["run-2"]


def test_cursor_when_changed_or_of_another_list_then_it_is_refused(acme: ClientCmdb) -> None:
    for number in range(3):
        acme.runs.create(a_run(f"run-{number}", created_at=EARLY + timedelta(minutes=number)))
    cursor = acme.runs.list(limit=1).cursor
    assert cursor
    for bad in (cursor[:-4], "x" + cursor[1:], "!!", "", cursor.swapcase()):
        with pytest.raises(InputError):
            acme.runs.list(limit=1, cursor=bad)
    with pytest.raises(InputError):
        acme.runs.list("prn:payments:ledger:main:7", limit=1, cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_page_when_its_size_is_out_of_bounds_then_it_is_refused(acme: ClientCmdb, limit: int) -> None:
    with pytest.raises(InputError):
        acme.runs.list(limit=limit)
