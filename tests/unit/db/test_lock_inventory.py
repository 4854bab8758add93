"""The inventory of locks: who holds what, alive or dead, who waits, and what a release does."""

from __future__ import annotations

import pytest

from core_lib.db import ClientCmdb
from core_lib.framework.errors import FencedError, LockedError, NotFoundError
from core_lib.framework.models import RunStatus
from tests.unit.db.builders import a_run
from tests.unit.db.test_locks import APP, NET, Clock

PRN = "prn:payments:ledger:main:7"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def two(acme: ClientCmdb) -> ClientCmdb:
    """Run `one` holds a stack, run `two` waits for it."""
    for name in ("one", "two"):
        acme.runs.create(a_run(f"run-{name}"))
        acme.runs.take(f"run-{name}")
        acme.runs.transition(f"run-{name}", RunStatus.RUNNING, epoch=1)
    acme.locks.acquire("run-one", 1, [NET], "ada")
    acme.runs.heartbeat("run-two", 1, {}, {NET: "run-one"})
    return acme


def test_page_when_stacks_are_held_then_each_names_its_run_and_those_that_wait(two: ClientCmdb) -> None:
    two.locks.acquire("run-two", 1, [APP], "bob")
    held = {lock.key: lock for lock in two.lock_inventory.page().items}
    assert {key: (lock.run_id, lock.holder, lock.alive, lock.waiting) for key, lock in held.items()} == {
        NET: ("run-one", "ada", True, ("run-two",)),
        APP: ("run-two", "bob", True, ()),
    }
    assert held[NET].prn == PRN


def test_page_when_there_are_more_than_fit_then_the_cursor_leads_to_the_rest(two: ClientCmdb) -> None:
    two.locks.acquire("run-two", 1, [APP], "bob")
    first = two.lock_inventory.page(limit=1)
    second = two.lock_inventory.page(limit=1, cursor=first.cursor)
    assert {lock.key for lock in (*first.items, *second.items)} == {NET, APP}


def test_waiting_when_the_run_goes_on_or_dies_then_it_is_not_shown_any_more(two: ClientCmdb, clock: Clock) -> None:
    two.runs.heartbeat("run-two", 1, {}, {})
    assert two.lock_inventory.get(NET).waiting == ()
    two.runs.heartbeat("run-two", 1, {}, {NET: "run-one"})
    clock.forward(61)
    two.runs.heartbeat("run-one", 1)
    assert two.lock_inventory.get(NET).waiting == ()


def test_release_when_the_holder_is_dead_then_the_lock_is_free_its_worker_fenced_and_the_history_knows(
    two: ClientCmdb, clock: Clock
) -> None:
    clock.forward(61)
    assert not two.lock_inventory.get(NET).alive
    two.lock_inventory.release(NET, by="eve", reason="its host burned down")
    assert two.locks.holders([NET]) == {}
    with pytest.raises(FencedError):
        two.runs.heartbeat("run-one", 1)
    (event,) = two.events.list(PRN).items
    assert (event.status, event.actor, event.run_id) == ("LOCK_RELEASED", "eve", "run-one")
    assert "its host burned down" in str(event.message)


def test_release_when_the_holder_lives_then_it_is_refused(two: ClientCmdb) -> None:
    with pytest.raises(LockedError, match="run-one of ada is alive") as refused:
        two.lock_inventory.release(NET, by="eve")
    assert "core runs cancel run-one" in str(refused.value.hint)
    assert NET in two.locks.holders([NET])
    assert two.events.list(PRN).items == ()


def test_release_when_forced_then_the_living_holder_is_fenced_off_and_can_be_resumed(two: ClientCmdb) -> None:
    two.lock_inventory.release(NET, by="eve", reason="it hangs", force=True)
    with pytest.raises(FencedError):
        two.runs.heartbeat("run-one", 1)
    assert two.events.list(PRN).items[0].event_type == "WARN"
    resumed = two.runs.take("run-one")
    two.locks.acquire("run-one", resumed.epoch, [NET], "ada")


def test_release_when_nobody_holds_it_then_that_is_said(acme: ClientCmdb) -> None:
    with pytest.raises(NotFoundError, match="nobody holds this lock"):
        acme.lock_inventory.release(NET, by="eve")
