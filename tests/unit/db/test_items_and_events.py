"""Items with their parents and history; events; stack records; the account directory."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core_lib.db import ClientCmdb, Event, StackRecord
from core_lib.framework.errors import ConflictError, InputError, NotFoundError
from core_lib.framework.models import Account, Level, Prn
from tests.unit.db.builders import EARLY, details

BUILD = Prn("payments", "ledger", "main", "7")


def test_item_when_registered_then_its_parents_are_too(acme: ClientCmdb) -> None:
    item = acme.items.register(details(component="db"), status="RUNNING")
    assert (item.item_type, item.status, item.parent_prn) == (Level.COMPONENT, "RUNNING", BUILD)
    assert [str(acme.items.get(prn).prn) for prn in item.prn.ancestors()] == [
        "prn:payments", "prn:payments:ledger", "prn:payments:ledger:main", "prn:payments:ledger:main:7",
        "prn:payments:ledger:main:7:db",
    ]  # fmt: skip
    assert acme.items.get(BUILD).status is None


def test_item_when_registered_again_then_it_keeps_its_version_unless_something_changes(acme: ClientCmdb) -> None:
    acme.items.register(details(), status="RUNNING")
    assert acme.items.register(details(), status="RUNNING").version == 1
    assert acme.items.register(details()).version == 1
    assert acme.items.register(details(), status="DONE").version == 2


def test_branch_when_its_short_name_is_taken_then_the_error_names_both_branches(acme: ClientCmdb) -> None:
    acme.items.register(details(branch="feature/Login"))
    with pytest.raises(ConflictError, match=r"'feature/Login' and 'feature\.login'"):
        acme.items.register(details(branch="feature.login"))
    acme.items.register(details(branch="feature/Login", build="8"))
    assert [item.name for item in acme.items.children("prn:payments:ledger").items] == ["feature/Login"]


def test_item_when_updated_then_its_history_keeps_every_version(acme: ClientCmdb) -> None:
    acme.items.register(details(), status="A")
    acme.items.update(BUILD, status="B", message="m")
    page = acme.items.history(BUILD, limit=1)
    rest = acme.items.history(BUILD, cursor=page.cursor)
    assert [(item.version, item.status) for item in (*page.items, *rest.items)] == [(2, "B"), (1, "A")]


def test_item_when_updated_from_an_old_version_then_it_is_refused(acme: ClientCmdb) -> None:
    acme.items.register(details())
    acme.items.update(BUILD, status="B")
    with pytest.raises(ConflictError, match="version 2"):
        acme.items.update(BUILD, version=1, status="C")


def test_item_when_unknown_then_it_is_not_found(acme: ClientCmdb) -> None:
    with pytest.raises(NotFoundError):
        acme.items.update(BUILD, status="B")


def test_component_when_it_fails_then_its_build_is_marked_failed(acme: ClientCmdb) -> None:
    component = acme.items.register(details(component="db"))
    acme.items.set_status(component.prn, "DEPLOY_FAILED", "no quota")
    build = acme.items.get(BUILD)
    assert (build.status, build.message) == ("DEPLOY_FAILED", "component db: no quota")


def test_build_when_released_then_its_branch_says_so(acme: ClientCmdb) -> None:
    acme.items.register(details())
    branch = acme.items.release(BUILD)
    assert branch.released_build
    assert branch.released_build.prn == BUILD
    with pytest.raises(NotFoundError):
        acme.items.release(branch.prn)


def test_children_when_listed_then_they_come_newest_first_in_pages(acme: ClientCmdb) -> None:
    for build in ("1", "2", "3"):
        acme.items.register(details(build=build))
    page = acme.items.children("prn:payments:ledger:main", limit=2)
    rest = acme.items.children("prn:payments:ledger:main", limit=2, cursor=page.cursor)
    assert [item.name for item in (*page.items, *rest.items)] == ["3", "2", "1"]
    assert [item.name for item in acme.items.children().items] == ["payments"]


def test_events_when_appended_then_they_come_in_the_order_of_time(acme: ClientCmdb) -> None:
    for second in (3, 1, 2):
        acme.events.append(Event(prn=BUILD, at=EARLY + timedelta(seconds=second), status=f"S{second}", details={"n": second}))
    acme.events.append(Event(prn=Prn("payments"), at=EARLY, status="other"))
    page = acme.events.list(BUILD, limit=2)
    rest = acme.events.list(BUILD, limit=2, cursor=page.cursor)
    assert [event.status for event in (*page.items, *rest.items)] == ["S1", "S2", "S3"]
    assert [event.status for event in acme.events.list(BUILD, newest_first=True, limit=1).items] == ["S3"]
    assert [event.status for event in acme.events.list(BUILD, after=EARLY + timedelta(seconds=1)).items] == ["S2", "S3"]


def test_event_when_appended_twice_then_it_is_one_event_and_never_replaced(acme: ClientCmdb) -> None:
    event = Event(prn=BUILD, at=EARLY, id="e1", status="A")
    acme.events.append(event)
    acme.events.append(event)
    with pytest.raises(ConflictError):
        acme.events.append(event.but(status="B"))
    assert [found.status for found in acme.events.list(BUILD).items] == ["A"]


def test_event_list_when_the_cursor_is_of_another_prn_then_it_is_refused(acme: ClientCmdb) -> None:
    for second in range(3):
        acme.events.append(Event(prn=BUILD, at=EARLY + timedelta(seconds=second)))
    cursor = acme.events.list(BUILD, limit=1).cursor
    with pytest.raises(InputError):
        acme.events.list("prn:payments", cursor=cursor)


def test_stack_records_when_put_then_a_target_gives_its_own_only(acme: ClientCmdb) -> None:
    record = StackRecord(
        target="111111111111/eu-west-1",
        stack_name="net",
        fingerprint="f",
        stack_id="arn",
        parameters={"A": "1"},
        outputs={"Vpc": "v"},
    )
    acme.stacks.put(record)
    acme.stacks.put(record.but(stack_name="app"))
    acme.stacks.put(record.but(target="222222222222/eu-west-1"))
    assert acme.stacks.get_many(record.target) == {"net": record, "app": record.but(stack_name="app")}
    acme.stacks.delete(record.target, "net")
    assert list(acme.stacks.get_many(record.target)) == ["app"]


def test_accounts_when_put_then_they_come_back_in_order(acme: ClientCmdb) -> None:
    accounts = [
        Account(id=f"{number:012}", name=f"a{number}", tags={"tier": "1"}, regions=("eu-west-1",)) for number in range(60)
    ]
    acme.accounts.put_many(reversed(accounts))
    assert acme.accounts.all() == accounts
    assert acme.accounts.get(accounts[7].id) == accounts[7]
    page = acme.accounts.list(limit=50)
    assert [*page.items, *acme.accounts.list(limit=50, cursor=page.cursor).items] == accounts
    with pytest.raises(NotFoundError, match="999999999999"):
        acme.accounts.get("999999999999")
