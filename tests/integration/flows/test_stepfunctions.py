"""`Executor: stepfunctions` in a payload, and nothing else changes: the same flows, reports and commands, another engine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core_lib.db import ClientCmdb
from core_lib.framework.models import ActionStatus, Options, RunStatus
from core_lib.framework.settings import load_settings
from core_lib.helper import AwsSessions
from core_lib.runner.stepfunctions import ActivityWorker, Executions, Tools
from deployments.local import EmbeddedCloud
from deployments.stepfunctions import install
from flows import door
from tests.integration.flows import world
from tests.integration.flows.test_interruptions import SLOW_LEDGER, until

RUN = "run-by-step-functions"


@pytest.fixture
def worker(platform: EmbeddedCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[ActivityWorker]:
    """State machine, activity, and a worker that polls."""
    monkeypatch.setenv("CORE_STEPFUNCTIONS__SHIFT_SECONDS", "1")
    monkeypatch.setenv("CORE_STEPFUNCTIONS__STOP_SECONDS", "0")
    settings = load_settings()
    tools = Tools(settings)
    with AwsSessions(settings) as sessions:
        install(settings, sessions)
        install(settings, sessions)  # again: brought up to date
    made = ActivityWorker(settings, tools, concurrency=4)
    made.open()
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    yield made
    made.stop()
    thread.join(20)
    tools.close()


def request(acme: ClientCmdb, steps: int, **fields: Any) -> Any:
    files = {"deployspec.yaml": world.noop_spec(steps)}
    return world.payload(acme.client, files, executor="stepfunctions", correlation_id=RUN, **fields)


def test_invoke_when_step_functions_executes_then_run_report_and_flow_end_as_always(
    acme: ClientCmdb, worker: ActivityWorker, tmp_path: Path
) -> None:
    end = door.run_here(request(acme, 2))
    assert end.completed, end.message
    run = acme.runs.get(RUN)
    assert (run.status, run.executor, run.epoch) == (RunStatus.SUCCEEDED, "stepfunctions", 1)
    assert run.counts == {"succeeded": 6}
    assert run.execution is not None
    assert {state.status for state in acme.ledger.load(RUN).values()} == {ActionStatus.SUCCEEDED}
    state = json.loads((tmp_path / f"artefacts/artefacts/payments/ledger/main/7/runs/{RUN}.state").read_text())
    assert state["Run"]["Execution"] == run.execution
    assert len(state["Actions"]) == 6


@pytest.mark.slow
def test_flow_when_it_is_stopped_then_the_execution_goes_on_without_it(
    acme: ClientCmdb, worker: ActivityWorker, platform: EmbeddedCloud, tmp_path: Path
) -> None:
    platform.faults(SLOW_LEDGER)
    payload = tmp_path / "payload.json"
    payload.write_text(json.dumps(request(acme, 6).as_dict()))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.flows.carry_out", str(payload)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ.copy(),
    )  # fmt: skip
    try:
        until(lambda: len(acme.ledger.load(RUN)) >= 2, process)
        process.send_signal(signal.SIGTERM)
        out, error = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert "the run goes on in Step Functions" in out, error[-2000:]
    platform.faults([])
    until(lambda: acme.runs.get(RUN).status.ended)
    assert acme.runs.get(RUN).status is RunStatus.SUCCEEDED


def test_cancel_and_resume_when_step_functions_executes_then_both_work_as_always(
    acme: ClientCmdb, worker: ActivityWorker, platform: EmbeddedCloud
) -> None:
    platform.faults(SLOW_LEDGER)
    ends: list[door.FlowEnd] = []
    flow = threading.Thread(target=lambda: ends.append(door.run_here(request(acme, 8))))
    flow.start()
    until(lambda: len(acme.ledger.load(RUN)) >= 4)
    door.cancel_run(acme.client, RUN)
    flow.join(60)
    (end,) = ends
    assert end.state == "cancelled", end.message
    assert ActionStatus.RUNNING not in {state.status for state in acme.ledger.load(RUN).values()}
    first = acme.runs.get(RUN)
    assert first.status is RunStatus.CANCELLED

    platform.faults([])
    assert door.resume_here(acme.client, RUN).completed
    second = acme.runs.get(RUN)
    assert (second.status, second.epoch) == (RunStatus.SUCCEEDED, 2)
    assert second.execution != first.execution


def test_execution_when_it_is_stopped_from_outside_then_the_run_fails_with_the_reason_and_can_be_resumed(
    acme: ClientCmdb, worker: ActivityWorker, platform: EmbeddedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.following.CHECK_EVERY", 1)
    platform.faults(SLOW_LEDGER)
    ends: list[door.FlowEnd] = []
    flow = threading.Thread(target=lambda: ends.append(door.run_here(request(acme, 8))))
    flow.start()
    until(lambda: len(acme.ledger.load(RUN)) >= 3)
    with AwsSessions(load_settings()) as sessions:
        executions = Executions(load_settings(), sessions)
        arn = str(acme.runs.get(RUN).execution)
        assert executions.stop(arn, "the console was nearer")
        assert not executions.stop(arn, "again")
        assert not executions.redrive(arn), "MiniStack cannot redrive"
    flow.join(60)
    (end,) = ends
    assert end.state == "failed"
    assert "the execution is ABORTED, and the run has not ended" in str(end.message)
    assert acme.runs.get(RUN).status is RunStatus.FAILED

    platform.faults([])
    assert door.resume_here(acme.client, RUN, Options(), take_over=True).completed
    assert acme.runs.get(RUN).status is RunStatus.SUCCEEDED


def test_invoke_when_there_is_no_state_machine_then_the_flow_says_how_to_get_one(
    acme: ClientCmdb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORE_STEPFUNCTIONS__STATE_MACHINE", "nowhere")
    end = door.run_here(request(acme, 1))
    assert end.state == "failed"
    assert str(end.message).startswith("CORE-6002")
    assert acme.runs.get(RUN).status is RunStatus.FAILED
