"""Locks: all or none, living and dead holders, fencing of the dead."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core_lib.db import ClientCmdb, StackRecord, rows
from core_lib.framework.errors import FencedError, LockedError
from core_lib.framework.models import RunStatus
from core_lib.helper import steady
from tests.unit.db.builders import a_run, a_state

NET = "111111111111/eu-west-1/net"
APP = "111111111111/eu-west-1/app"


class Clock:
    """The time as the CMDB sees it: the clock on the wall, and the one that nobody sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._passed = self._set = 0.0
        real, real_steady = rows.now, steady
        for module in ("leases", "runs", "locks"):
            monkeypatch.setattr(f"core_lib.db.{module}.now", lambda: real() + timedelta(seconds=self._passed + self._set))
        monkeypatch.setattr("core_lib.db.leases.steady", lambda: real_steady() + self._passed)

    def forward(self, seconds: float) -> None:
        """Time passes."""
        self._passed += seconds

    def jump(self, seconds: float) -> None:
        """Somebody sets the clock on the wall."""
        self._set += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def two(acme: ClientCmdb) -> ClientCmdb:
    """Two running runs, `one` and `two`."""
    for name in ("one", "two"):
        acme.runs.create(a_run(f"run-{name}"))
        acme.runs.take(f"run-{name}")
        acme.runs.transition(f"run-{name}", RunStatus.RUNNING, epoch=1)
    return acme


def test_locks_when_free_then_they_are_taken_and_given_back(two: ClientCmdb) -> None:
    two.locks.acquire("run-one", 1, [NET, APP], "ada")
    held = two.locks.holders([NET, APP, "free"])
    assert {key: (lock.run_id, lock.epoch, lock.holder) for key, lock in held.items()} == dict.fromkeys(
        [NET, APP], ("run-one", 1, "ada")
    )
    two.locks.release("run-one", [NET, APP, "free"])
    assert two.locks.holders([NET, APP]) == {}


def test_locks_when_a_living_run_holds_one_then_none_is_taken_and_the_holder_is_named(two: ClientCmdb) -> None:
    two.locks.acquire("run-one", 1, [NET], "ada")
    with pytest.raises(LockedError, match="run-one of ada") as refused:
        two.locks.acquire("run-two", 1, [APP, NET], "bob")
    assert refused.value.where == NET
    assert two.locks.holders([APP]) == {}


def test_locks_when_the_same_run_asks_again_then_it_keeps_them(two: ClientCmdb) -> None:
    two.locks.acquire("run-one", 1, [NET], "ada")
    two.locks.acquire("run-one", 1, [NET, APP], "ada")
    assert len(two.locks.holders([NET, APP])) == 2


def test_locks_when_the_run_is_resumed_then_the_new_epoch_takes_them_over(two: ClientCmdb) -> None:
    two.locks.acquire("run-one", 1, [NET], "ada")
    resumed = two.runs.take("run-one")
    two.locks.acquire("run-one", resumed.epoch, [NET], "ada")
    assert two.locks.holders([NET])[NET].epoch == 2


def test_locks_when_the_worker_is_stale_then_it_is_fenced(two: ClientCmdb) -> None:
    two.runs.take("run-one")
    with pytest.raises(FencedError):
        two.locks.acquire("run-one", 1, [NET], "ada")
    assert two.locks.holders([NET]) == {}


def test_locks_when_the_holder_has_ended_then_another_run_takes_them(two: ClientCmdb) -> None:
    two.locks.acquire("run-one", 1, [NET], "ada")
    two.runs.transition("run-one", RunStatus.FAILED, epoch=1)
    two.locks.acquire("run-two", 1, [NET, APP], "bob")
    assert two.locks.holders([NET])[NET].run_id == "run-two"


def test_locks_when_the_holder_is_silent_but_within_its_lease_then_they_hold(two: ClientCmdb, clock: Clock) -> None:
    two.locks.acquire("run-one", 1, [NET], "ada")
    clock.forward(55)
    with pytest.raises(LockedError):
        two.locks.acquire("run-two", 1, [NET], "bob")


def test_locks_when_the_holder_is_dead_then_it_is_fenced_off_before_they_change_hands(two: ClientCmdb, clock: Clock) -> None:
    two.locks.acquire("run-one", 1, [NET], "ada")
    clock.forward(61)
    two.locks.acquire("run-two", 1, [NET], "bob")
    assert two.locks.holders([NET])[NET].run_id == "run-two"
    with pytest.raises(FencedError):
        two.runs.heartbeat("run-one", 1)
    with pytest.raises(FencedError):
        two.ledger.write([a_state("net", "run-one")], epoch=1)
    with pytest.raises(FencedError):
        two.locks.acquire("run-one", 1, [APP], "ada")


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_locks_when_the_clock_is_set_while_the_holder_lives_then_they_hold(two: ClientCmdb, clock: Clock, jump: float) -> None:
    two.locks.acquire("run-one", 1, [NET], "ada")
    clock.forward(50)
    clock.jump(jump)
    two.runs.heartbeat("run-one", 1)
    clock.jump(-jump)
    clock.forward(50)
    with pytest.raises(LockedError):
        two.locks.acquire("run-two", 1, [NET], "bob")


def test_locks_when_the_clock_of_the_one_who_wants_them_is_set_forward_then_the_holder_is_not_taken_for_dead(
    two: ClientCmdb, clock: Clock
) -> None:
    two.locks.acquire("run-one", 1, [NET], "ada")
    clock.jump(3600)
    with pytest.raises(LockedError):
        two.locks.acquire("run-two", 1, [NET], "bob")


def test_locks_when_the_dead_run_is_resumed_then_it_waits_for_the_new_holder(two: ClientCmdb, clock: Clock) -> None:
    two.locks.acquire("run-one", 1, [NET], "ada")
    clock.forward(61)
    two.locks.acquire("run-two", 1, [NET], "bob")
    two.runs.heartbeat("run-two", 1)
    resumed = two.runs.take("run-one")
    assert resumed.epoch == 3
    with pytest.raises(LockedError, match="run-two"):
        two.locks.acquire("run-one", resumed.epoch, [NET], "ada")


def test_release_when_another_run_holds_one_then_it_stays(two: ClientCmdb) -> None:
    two.locks.acquire("run-one", 1, [NET], "ada")
    two.locks.acquire("run-two", 1, [APP], "bob")
    two.locks.release("run-one", [NET, APP])
    assert list(two.locks.holders([NET, APP])) == [APP]


def test_release_when_a_stale_worker_gives_back_then_the_resumed_run_keeps_its_locks(two: ClientCmdb) -> None:
    two.locks.acquire("run-one", 1, [NET], "ada")
    resumed = two.runs.take("run-one")
    two.locks.acquire("run-one", resumed.epoch, [NET], "ada")
    two.locks.release("run-one", [NET], epoch=1)
    assert NET in two.locks.holders([NET])


def test_locks_when_more_than_a_transaction_holds_then_all_or_none_still_counts(two: ClientCmdb) -> None:
    keys = [f"111111111111/eu-west-1/s{number:03}" for number in range(150)]
    two.locks.acquire("run-one", 1, [keys[0]], "ada")
    two.locks.acquire("run-two", 1, [keys[-1]], "bob")
    with pytest.raises(LockedError):
        two.locks.acquire("run-one", 1, keys, "ada")
    assert sorted(two.locks.holders(keys)) == [keys[0], keys[-1]]
    two.locks.release("run-two", [keys[-1]])
    two.locks.acquire("run-one", 1, keys, "ada")
    assert len(two.locks.holders(keys)) == 150
    two.locks.release("run-one", keys)
    assert two.locks.holders(keys) == {}


def test_stack_record_when_the_lock_was_lost_then_it_is_not_written(two: ClientCmdb, clock: Clock) -> None:
    record = StackRecord(target="111111111111/eu-west-1", stack_name="net", fingerprint="f", stack_id="s", run_id="run-one")
    two.locks.acquire("run-one", 1, [NET], "ada")
    two.stacks.put(record, epoch=1)
    clock.forward(seconds=3600)
    two.runs.heartbeat("run-two", 1)
    two.locks.acquire("run-two", 1, [NET], "bob")
    with pytest.raises(FencedError):
        two.stacks.put(record.but(fingerprint="stale"), epoch=1)
    assert two.stacks.get_many(record.target) == {"net": record}
