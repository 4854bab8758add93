"""kill -9 of an activity worker in the middle of a pass: Step Functions misses its heartbeats, and another worker goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from core_lib.framework.models import ActionStatus, RunStatus
from core_lib.framework.settings import load_settings
from core_lib.helper import AwsSessions
from core_lib.runner.stepfunctions import Executions
from deployments.stepfunctions import install
from tests.builders.plans import action
from tests.contract.backends import HOME, REGION, name
from tests.parity.conftest import Arena
from tests.parity.executors import StateMachine
from tests.parity.site import opened

STEPS = 300
PATIENCE = 220.0
"""45 s until heartbeats are missed; and once more, because the emulator may give the task to the dead worker's last poll."""


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """`core worker stepfunctions`, as an operator starts it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "worker", "stepfunctions", "--concurrency", "1"], env=os.environ | environment
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@pytest.mark.timeout(300)
def test_worker_when_it_is_killed_in_a_pass_then_another_one_goes_on_and_no_step_is_lost(arena: Arena) -> None:
    if arena.backend.name == "embedded":
        pytest.skip("MiniStack knows no heartbeats of activities")
    own = {"stepfunctions.activity": name("steps"), "stepfunctions.state_machine": name("runs")}
    settings = load_settings(
        {
            "cmdb.table_prefix": arena.settings.cmdb.table_prefix, "stepfunctions.shift_seconds": 60, "limits.pacing": False,
            "artefacts.location": arena.settings.artefacts.location, **own,
        }
    )  # fmt: skip
    environment = {
        "CORE_CMDB__TABLE_PREFIX": settings.cmdb.table_prefix, "CORE_ARTEFACTS__LOCATION": settings.artefacts.location,
        "CORE_STEPFUNCTIONS__ACTIVITY": own["stepfunctions.activity"], "CORE_STEPFUNCTIONS__SHIFT_SECONDS": "60",
        "CORE_AWS__REGION": REGION, "AWS_ACCESS_KEY_ID": HOME, "CORE_STATE_DIR": "/nonexistent",
    }  # fmt: skip
    with opened(arena.backend, arena.cmdb, settings, arena.sessions) as site, AwsSessions(settings) as sessions:
        install(settings, sessions)
        names = [f"step-{number}" for number in range(STEPS)]
        chain = [
            action(each, target=site.target(0), after=names[number - 1 : number] if number else ())
            for number, each in enumerate(names)
        ]
        run = site.written(*chain)
        with worker(environment) as first:
            end = StateMachine(Executions(settings, sessions), PATIENCE).begin(site, run)
            until(lambda: len(site.cmdb.ledger.load(run.run_id)) >= 5)
            first.send_signal(signal.SIGKILL)
            first.wait()
        before = site.cmdb.ledger.load(run.run_id)
        assert len(before) < STEPS
        with worker(environment):
            assert end().status is RunStatus.SUCCEEDED
        after = site.cmdb.ledger.load(run.run_id)
    assert len(after) == STEPS
    assert {row.attempt for row in after.values()} == {1}
    ended = [key for key, row in before.items() if row.status is ActionStatus.SUCCEEDED]
    assert all(after[key] == before[key] for key in ended)
