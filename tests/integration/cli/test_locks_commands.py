"""`core locks` on real tables: what is held is shown, the lock of a dead run is given back, of a living one only by force."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from core_lib.db import ClientCmdb, Cmdb, leases
from core_lib.framework.models import RunStatus
from core_lib.framework.settings import load_settings
from deployments.local import EmbeddedCloud
from tests.integration.cli.test_registry_commands import core
from tests.unit.db.builders import a_run

KEY = "111111111111/eu-west-1/net"


@pytest.fixture
def acme(aws: EmbeddedCloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClientCmdb]:
    """A client with one running run that holds a stack, and one that waits for it."""
    monkeypatch.setenv("CORE_STATE_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("CORE_CMDB__TABLE_PREFIX", f"t{uuid.uuid4().hex[:8]}-")
    monkeypatch.setenv("CORE_CLIENT", "acme")
    monkeypatch.chdir(tmp_path)
    with Cmdb(load_settings()) as cmdb:
        cmdb.create_tables("acme")
        made = cmdb.for_client("acme")
        for name in ("run-one", "run-two"):
            made.runs.create(a_run(name))
            made.runs.take(name)
            made.runs.transition(name, RunStatus.RUNNING, epoch=1)
        made.locks.acquire("run-one", 1, [KEY], "ada")
        made.runs.heartbeat("run-two", 1, {}, {KEY: "run-one"})
        yield made


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    real, real_steady = leases.now, leases.steady
    monkeypatch.setattr(leases, "now", lambda: real() + timedelta(seconds=seconds))
    monkeypatch.setattr(leases, "steady", lambda: real_steady() + seconds)


def events(acme: ClientCmdb) -> list[Any]:
    return [(event.status, event.message) for event in acme.events.list("prn:payments:ledger:main:7").items]


def test_list_and_show_when_a_stack_is_held_then_they_tell_by_whom_and_who_waits(acme: ClientCmdb) -> None:
    code, document = core("locks", "list")
    (held,) = document["Locks"]
    assert (code, held["Key"], held["RunId"], held["Alive"], held["Waiting"]) == (0, KEY, "run-one", True, ["run-two"])
    shown = CliRunner().invoke(app, ["locks", "show", KEY])
    assert shown.exit_code == 0
    assert "run-one of ada (running)" in shown.output
    assert "waiting    run-two" in shown.output
    table = CliRunner().invoke(app, ["locks", "list"])
    assert KEY in table.output
    assert "alive" in table.output


def test_release_when_the_holder_lives_then_it_takes_force_and_a_reason(acme: ClientCmdb) -> None:
    code, document = core("locks", "release", KEY)
    assert (code, document["Error"]["Code"]) == (4, "CORE-5001")
    assert core("locks", "release", KEY, "--force")[0] == 2
    assert KEY in acme.locks.holders([KEY])
    code, document = core("locks", "release", KEY, "--force", "--reason", "it hangs")
    assert (code, document["RunId"]) == (0, "run-one")
    assert acme.locks.holders([KEY]) == {}
    assert events(acme) == [("LOCK_RELEASED", f"the lock on {KEY} was taken from the run, which was alive: it hangs")]


def test_release_when_the_holder_is_dead_then_it_takes_nothing_more(acme: ClientCmdb, monkeypatch: pytest.MonkeyPatch) -> None:
    later(monkeypatch, 61)
    code, _ = core("locks", "release", KEY)
    assert code == 0
    code, document = core("locks", "list")
    assert (code, document["Locks"]) == (0, [])
    assert core("locks", "show", KEY)[0] == 7
