"""`core stepfunctions` and `core worker stepfunctions`, as an operator types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from core_lib.framework.models import RunStatus
from tests.builders.plans import action, plan_of
from tests.integration.stepfunctions.conftest import Plant


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No local platform is near."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CORE_STATE_DIR", str(tmp_path / "none"))


def core(plant: Plant, *arguments: str) -> tuple[int, Any]:
    result = CliRunner().invoke(app, [*arguments, "--client", plant.cmdb.client, "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_status_and_redrive_when_a_run_was_executed_then_its_execution_is_shown(plant: Plant) -> None:
    run = plant.carried_out(plan_of([action("app")]))
    assert core(plant, "stepfunctions", "status", run.run_id) == (0, {"Execution": run.execution, "Status": "SUCCEEDED"})
    assert core(plant, "stepfunctions", "stop", run.run_id) == (0, {"Execution": run.execution, "Stopped": False})


def test_status_when_the_run_has_no_execution_then_it_is_refused(plant: Plant) -> None:
    run = plant.registered(plan_of([action("app")]))
    plant.cmdb.runs.amend(run.run_id, epoch=run.epoch, execution=None)
    code, answer = core(plant, "stepfunctions", "status", run.run_id)
    assert (code, answer["Error"]["Code"]) == (4, "CORE-5005")


def test_stop_when_the_execution_runs_then_it_is_aborted_and_the_run_left_as_it_is(plant: Plant) -> None:
    target = f"{next(iter(plant.cmdb.accounts.all())).id}/eu-west-1"
    run = plant.registered(plan_of([action("ask", "SYSTEM::Approval", target=target, spec={"Approvers": ["bob"]})]))
    plant.executions.start(run)
    assert core(plant, "stepfunctions", "stop", run.run_id) == (0, {"Execution": run.execution, "Stopped": True})
    _, shown = core(plant, "stepfunctions", "status", run.run_id)
    assert (shown["Status"], shown["Error"], shown["Cause"]) == ("ABORTED", "Stopped", "core stepfunctions stop")
    assert plant.cmdb.runs.get(run.run_id).status is RunStatus.RUNNING


def test_install_when_done_again_then_it_is_the_same_state_machine(plant: Plant) -> None:
    first = core(plant, "stepfunctions", "install")
    assert first[0] == 0
    assert core(plant, "stepfunctions", "install") == first
    assert first[1]["StateMachine"].endswith(f":stateMachine:{plant.settings.cmdb.table_prefix}runs")


def test_worker_when_it_is_terminated_then_it_ends_cleanly_and_soon(plant: Plant) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "worker", "stepfunctions", "--name", "mine"],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"},
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert process.stderr is not None
    lines = [process.stderr.readline()]
    while "polling" not in lines[-1]:
        assert process.poll() is None, lines
        lines.append(process.stderr.readline())
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
