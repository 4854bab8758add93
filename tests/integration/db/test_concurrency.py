"""Many workers at once: locks have one holder, epochs one owner, versions lose nothing."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from core_lib.db import ClientCmdb, Cmdb, LedgerConflictError
from core_lib.framework.errors import ConflictError, FencedError, LockedError, RunStateError
from core_lib.framework.models import ActionStatus, DeploymentDetails, RunStatus
from tests.unit.db.builders import a_run, a_state, details

WORKERS = 8


def together(work: Callable[[int], object], workers: int = WORKERS) -> list[object]:
    """Results (or CoreErrors) of `work(0..n)`, all started at the same moment."""
    barrier = threading.Barrier(workers)

    def one(number: int) -> object:
        barrier.wait()
        try:
            return work(number)
        except (ConflictError, FencedError, LockedError, RunStateError) as error:
            return error

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(one, range(workers)))


def running(acme: ClientCmdb, name: str) -> int:
    """Register and take a run; its epoch."""
    acme.runs.create(a_run(name))
    epoch = acme.runs.take(name).epoch
    acme.runs.transition(name, RunStatus.RUNNING, epoch=epoch)
    return epoch


def test_tables_when_created_by_several_at_once_then_they_are_there(cmdb: Cmdb) -> None:
    assert together(lambda _: cmdb.create_tables("acme"), 4) == [None] * 4
    assert cmdb.for_client("acme").runs.list().items == ()


def test_locks_when_all_want_the_same_then_exactly_one_gets_all(acme: ClientCmdb) -> None:
    keys = [f"111111111111/eu-west-1/s{number}" for number in range(5)]
    for number in range(WORKERS):
        running(acme, f"run-{number}")
    results = together(lambda number: acme.locks.acquire(f"run-{number}", 1, keys, f"w{number}"))
    winners = [number for number, result in enumerate(results) if result is None]
    assert len(winners) == 1
    assert sum(isinstance(result, LockedError) for result in results) == WORKERS - 1
    assert {lock.run_id for lock in acme.locks.holders(keys).values()} == {f"run-{winners[0]}"}


def test_locks_when_runs_come_and_go_then_there_are_never_two_holders(acme: ClientCmdb) -> None:
    keys = [f"111111111111/eu-west-1/s{number}" for number in range(6)]
    inside: dict[str, int] = dict.fromkeys(keys, 0)
    seen: list[int] = []
    guard = threading.Lock()
    for number in range(WORKERS):
        running(acme, f"run-{number}")

    def come_and_go(number: int) -> int:
        generator = random.Random(number)
        entered = 0
        for _ in range(12):
            wanted = generator.sample(keys, generator.randint(1, 4))
            try:
                acme.locks.acquire(f"run-{number}", 1, wanted, "w")
            except LockedError:
                continue
            with guard:
                for key in wanted:
                    inside[key] += 1
                    seen.append(inside[key])
            with guard:
                for key in wanted:
                    inside[key] -= 1
            acme.locks.release(f"run-{number}", wanted, epoch=1)
            entered += 1
        return entered

    entered = together(come_and_go)
    assert all(isinstance(count, int) for count in entered)
    assert set(seen) == {1}
    assert acme.locks.holders(keys) == {}


def test_locks_when_their_holder_is_dead_then_exactly_one_takes_them_over(
    acme: ClientCmdb, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = ["111111111111/eu-west-1/net", "111111111111/eu-west-1/app"]
    running(acme, "run-dead")
    acme.locks.acquire("run-dead", 1, keys, "dead")
    for number in range(4):
        running(acme, f"run-{number}")
    alive = acme.runs.alive
    monkeypatch.setattr(acme.runs, "alive", lambda run: run.run_id != "run-dead" and alive(run))
    results = together(lambda number: acme.locks.acquire(f"run-{number}", 1, keys, "w"), 4)
    assert [result for result in results if result is None] == [None]
    assert len({lock.run_id for lock in acme.locks.holders(keys).values()}) == 1
    with pytest.raises(FencedError):
        acme.ledger.write([a_state("net", "run-dead")], epoch=1)


def test_take_when_many_workers_take_a_run_then_each_has_an_epoch_and_only_the_last_may_write(acme: ClientCmdb) -> None:
    acme.runs.create(a_run("run-1"))
    epochs = sorted(int(str(result)) for result in together(lambda _: acme.runs.take("run-1").epoch))
    assert epochs == list(range(1, WORKERS + 1))
    results = together(lambda number: acme.ledger.write([a_state(f"a{number}", "run-1")], epoch=number + 1))
    assert [isinstance(result, FencedError) for result in results] == [True] * (WORKERS - 1) + [False]
    assert list(acme.ledger.load("run-1")) == [f"a{WORKERS - 1}"]


def test_take_if_idle_when_many_come_then_one_gets_the_run(acme: ClientCmdb) -> None:
    acme.runs.create(a_run("run-1"))
    results = together(lambda _: acme.runs.take("run-1", only_if_idle=True).epoch)
    assert [result for result in results if not isinstance(result, LockedError)] == [1]


def test_create_when_many_register_the_same_run_then_one_does(acme: ClientCmdb) -> None:
    results = together(lambda number: acme.runs.create(a_run("run-1", requested_by=str(number))))
    assert sum(isinstance(result, ConflictError) for result in results) == WORKERS - 1


def test_ledger_when_writers_share_rows_then_no_update_is_lost(acme: ClientCmdb) -> None:
    running(acme, "run-1")
    acme.ledger.write([a_state("shared", "run-1", scratch={"count": 0})], epoch=1)

    def count_up(number: int) -> int:
        done = 0
        while done < 5:
            state = acme.ledger.get("run-1", ["shared"])["shared"]
            own = a_state(f"own-{number}-{done}-{state.version}", "run-1")
            more = state.model_copy(update={"scratch": {"count": state.scratch["count"] + 1, "by": number}})
            try:
                acme.ledger.write([own, more], epoch=1)
                done += 1
            except LedgerConflictError as error:
                assert error.conflicts == ("shared",)  # noqa: PT017 - the error is the subject here
        return done

    assert together(count_up, 4) == [5] * 4
    assert acme.ledger.get("run-1", ["shared"])["shared"].scratch["count"] == 20


def test_ledger_when_the_run_changes_hands_midway_then_rows_are_of_one_worker_up_to_a_point(acme: ClientCmdb) -> None:
    running(acme, "run-1")
    started = threading.Event()

    def old_worker() -> int:
        state = a_state("a", "run-1", status=ActionStatus.RUNNING)
        for number in range(200):
            try:
                state = acme.ledger.write([state.model_copy(update={"scratch": {"by": 1, "n": number}})], epoch=1)[0]
            except FencedError:
                return state.version
            started.set()
        return -1

    with ThreadPoolExecutor(1) as pool:
        old = pool.submit(old_worker)
        started.wait(10)
        acme.runs.take("run-1")
        seen = acme.ledger.load("run-1")["a"]
        assert old.result(30) == seen.version
    acme.ledger.write([seen.model_copy(update={"scratch": {"by": 2}})], epoch=2)


def test_transition_when_many_change_a_run_then_every_version_is_one_change(acme: ClientCmdb) -> None:
    running(acme, "run-1")
    before = acme.runs.get("run-1").version
    together(lambda number: acme.runs.transition("run-1", RunStatus.RUNNING, flow_run_id=str(number)), 4)
    assert acme.runs.get("run-1").version == before + 4


def test_items_when_many_register_builds_of_one_app_then_all_are_there_once(acme: ClientCmdb) -> None:
    results = together(lambda number: acme.items.register(details(build=str(number % 3))).version)
    assert results == [1] * WORKERS
    assert sorted(item.name for item in acme.items.children("prn:payments:ledger:main").items) == ["0", "1", "2"]


def test_branches_when_two_with_one_short_name_come_at_once_then_one_is_refused(acme: ClientCmdb) -> None:
    branches = ["feature/x", "feature.x"]
    results = together(lambda number: acme.items.register(DeploymentDetails(portfolio="p", app="a", branch=branches[number])), 2)
    assert sum(isinstance(result, ConflictError) for result in results) == 1


def test_items_when_many_update_one_then_the_history_has_no_gap(acme: ClientCmdb) -> None:
    item = acme.items.register(details())
    together(lambda number: acme.items.update(item.prn, status=str(number)), 4)
    versions = [entry.version for entry in acme.items.history(item.prn).items]
    assert versions == [5, 4, 3, 2, 1]
