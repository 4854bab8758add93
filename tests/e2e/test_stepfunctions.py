"""The Step Functions executor on a whole platform of its own: `core up --stepfunctions`, and a payload that names it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core_lib.db import ClientCmdb
from core_lib.framework.models import RunStatus
from deployments.local import Ports, UpOptions, down, environment, status, up
from flows import door
from tests.integration.flows import world

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClientCmdb]:
    """A platform with the executor, and a client on it."""
    folder = tmp_path / "state"
    up(UpOptions(state_dir=folder, ports=Ports(gateway=0, prefect=0), stepfunctions=True))
    try:
        for name, value in environment(folder).items():
            monkeypatch.setenv(name, value)
        with world.registered(world.accounts(12)) as cmdb:
            from core_lib.framework.settings import load_settings
            from core_lib.helper import AwsSessions, open_store

            with AwsSessions(load_settings()) as sessions:
                open_store(load_settings(), sessions).ensure()
            yield cmdb
    finally:
        down(folder)


def test_platform_when_it_has_the_executor_then_runs_name_it_also_after_its_worker_was_killed(
    acme: ClientCmdb, tmp_path: Path
) -> None:
    folder = tmp_path / "state"
    assert carried_out(acme) is RunStatus.SUCCEEDED

    before = worker_of(folder)
    os.kill(before, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while worker_of(folder) in (before, 0) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert carried_out(acme) is RunStatus.SUCCEEDED


def carried_out(acme: ClientCmdb) -> RunStatus:
    payload = world.payload(acme.client, {"deployspec.yaml": world.noop_spec(3)}, executor="stepfunctions")
    submission = door.submit(payload)
    end = door.wait(submission, timeout=120)
    run = acme.runs.get(submission.run_id)
    assert run.execution is not None, end
    assert run.counts == {"succeeded": 36}
    return run.status


def worker_of(folder: Path) -> int:
    """Pid of the worker when it is ready, else 0."""
    member = next(each for each in status(folder).members if each.name == "stepfunctions-worker")
    return (member.pid or 0) if member.healthy else 0
