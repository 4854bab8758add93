"""Runs that are stopped, cancelled, killed, and go on: no step is lost, none is done twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core_lib.db import ClientCmdb
from core_lib.framework.errors import RunStateError
from core_lib.framework.models import ActionStatus, Options, RunStatus, Task
from deployments.local import EmbeddedCloud
from flows import door
from tests.integration.flows import world

RUN = "run-to-interrupt"
STEPS = 12
# Every commit of the ledger takes its time, so that a chain of actions that do nothing lasts for seconds.
SLOW_LEDGER = [{"match": {"service": "dynamodb", "operation": "TransactWriteItems"}, "delay": 0.4}]


@pytest.fixture
def slow(platform: EmbeddedCloud) -> Iterator[EmbeddedCloud]:
    platform.faults(SLOW_LEDGER)
    yield platform
    platform.faults([])


@contextmanager
def started(acme: ClientCmdb, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A flow process in the middle of its run."""
    payload = world.payload(acme.client, {"deployspec.yaml": world.noop_spec(STEPS)}, correlation_id=RUN)
    request = folder / "payload.json"
    request.write_text(json.dumps(payload.as_dict()))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.flows.carry_out", str(request)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy(),
    )  # fmt: skip
    try:
        until(lambda: len(acme.ledger.load(RUN)) >= 4, process)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def until(true: Callable[[], bool], process: subprocess.Popen[str] | None = None, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if process is not None and process.poll() is not None:
            raise AssertionError(f"the flow process ended: {process.communicate()}")
        if time.monotonic() > deadline:
            raise AssertionError("it did not happen in time")
        time.sleep(0.1)


def rows(acme: ClientCmdb) -> dict[str, Any]:
    return {key: state.status for key, state in acme.ledger.load(RUN).items()}


def test_sigterm_when_a_run_is_under_way_then_it_winds_down_and_is_cancelled(
    acme: ClientCmdb, slow: EmbeddedCloud, tmp_path: Path
) -> None:
    with started(acme, tmp_path) as process:
        process.send_signal(signal.SIGTERM)
        out, error = process.communicate(timeout=60)
    assert out.startswith("cancelled cancelled; go on with: core runs resume run-to-interrupt"), error[-2000:]
    run = acme.runs.get(RUN)
    assert run.status is RunStatus.CANCELLED
    assert ActionStatus.RUNNING not in rows(acme).values()
    assert ActionStatus.CANCELLED in rows(acme).values()

    slow.faults([])
    assert door.resume_here(acme.client, RUN).completed
    assert set(rows(acme).values()) == {ActionStatus.SUCCEEDED}
    assert acme.runs.get(RUN).epoch == 2


def test_cancel_run_when_a_worker_is_on_it_then_the_flow_run_ends_cancelled(
    acme: ClientCmdb, slow: EmbeddedCloud, tmp_path: Path
) -> None:
    with started(acme, tmp_path) as process:
        door.cancel_run(acme.client, RUN)
        out, error = process.communicate(timeout=60)
    assert out.startswith("cancelled"), error[-2000:]
    assert acme.runs.get(RUN).status is RunStatus.CANCELLED
    with pytest.raises(RunStateError, match="already ended"):
        door.cancel_run(acme.client, RUN)


def test_resume_when_the_worker_was_killed_then_nothing_is_lost_or_done_again(
    acme: ClientCmdb, slow: EmbeddedCloud, tmp_path: Path
) -> None:
    with started(acme, tmp_path) as process:
        process.kill()
        process.wait()
    slow.faults([])
    before = acme.ledger.load(RUN)
    assert acme.runs.get(RUN).status is RunStatus.RUNNING

    refused = door.resume_here(acme.client, RUN)
    assert refused.state == "failed"
    assert str(refused.message).startswith("CORE-5001"), "the dead worker's heartbeat is still young"
    assert acme.runs.get(RUN).status is RunStatus.RUNNING

    assert door.resume_here(acme.client, RUN, take_over=True).completed
    after = acme.ledger.load(RUN)
    assert len(after) == 3 * STEPS
    assert {state.status for state in after.values()} == {ActionStatus.SUCCEEDED}
    done = [key for key, state in before.items() if state.status is ActionStatus.SUCCEEDED]
    assert done
    assert all(after[key] == before[key] for key in done)
    run = acme.runs.get(RUN)
    assert (run.status, run.epoch) == (RunStatus.SUCCEEDED, 2)


def test_resume_when_the_run_has_succeeded_then_it_is_refused(acme: ClientCmdb, platform: EmbeddedCloud) -> None:
    end = door.run_here(world.payload(acme.client, {"deployspec.yaml": world.noop_spec(1)}))
    again = door.resume_here(acme.client, end.run_id)
    assert again.state == "failed"
    assert "the run has succeeded" in str(again.message)
    assert acme.runs.get(end.run_id).status is RunStatus.SUCCEEDED


def test_resume_when_it_is_a_dry_run_then_nothing_is_executed(acme: ClientCmdb, slow: EmbeddedCloud, tmp_path: Path) -> None:
    with started(acme, tmp_path) as process:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    before = acme.ledger.load(RUN)
    end = door.resume_here(acme.client, RUN, Options(dry_run=True))
    assert end.completed
    assert "nothing was executed" in str(end.message)
    assert acme.ledger.load(RUN) == before


def test_teardown_when_the_confirmation_is_not_the_prn_then_nothing_happens(acme: ClientCmdb) -> None:
    payload = world.payload(acme.client, {"deployspec.yaml": world.noop_spec(1)}, Task.TEARDOWN, correlation_id=RUN)
    end = door.teardown_here(payload, "prn:payments:other")
    assert end.state == "failed"
    assert str(end.message).startswith("CORE-1001 confirm")
    assert acme.runs.find(RUN) is None
