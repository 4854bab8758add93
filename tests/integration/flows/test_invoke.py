"""One payload through every stage: compiled, registered, executed, reported, and visible in Prefect."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import TaskRunFilter, TaskRunFilterName
from prefect.client.schemas.objects import FlowRun, TaskRun
from prefect.settings import PREFECT_API_URL, temporary_settings

from core_lib.db import ClientCmdb
from core_lib.framework.models import Options, RunStatus, Task
from flows import door
from tests.integration.flows import world


def ask(api: str, question: Callable[[Any], Any]) -> Any:
    """Put a question to Prefect's API."""
    with temporary_settings(updates={PREFECT_API_URL: api}), get_client(sync_client=True) as client:
        return question(client)


def flow_run(api: str, identity: str) -> FlowRun:
    found: FlowRun = ask(api, lambda client: client.read_flow_run(UUID(identity)))
    return found


def task_runs(api: str, names: list[str]) -> list[TaskRun]:
    """The task runs of these names, when Prefect has recorded them all."""
    wanted = TaskRunFilter(name=TaskRunFilterName(any_=names))
    for _ in range(60):
        found: list[TaskRun] = ask(api, lambda client: client.read_task_runs(task_run_filter=wanted))
        if len(found) >= len(names) and all(run.state and run.state.is_final() for run in found):
            return found
        time.sleep(0.5)
    raise AssertionError(f"Prefect did not record {names}")


def test_invoke_when_a_spec_is_deployed_then_ledger_prefect_and_store_agree(
    acme: ClientCmdb, prefect_api: str, tmp_path: Path
) -> None:
    payload = world.payload(acme.client, {"deployspec.yaml": world.noop_spec(2)})
    end = door.run_here(payload)

    assert end.completed, end.message
    run = acme.runs.get(end.run_id)
    assert run.status is RunStatus.SUCCEEDED
    assert run.counts["succeeded"] == 6
    assert run.flow_run_id == end.flow_run_id
    assert {state.status for state in acme.ledger.load(run.run_id).values()} == {"succeeded"}

    shown = flow_run(prefect_api, str(end.flow_run_id))
    assert shown.name == f"deploy prn:payments:ledger:main:7 {run.run_id}"
    assert {acme.client, "prn:payments:ledger:main:7", "deploy", run.run_id} <= set(shown.tags)

    actions = task_runs(prefect_api, [f"step-1@{member.id}/eu-west-1" for member in acme.accounts.all()])
    assert {task.state_name for task in actions} == {"Completed"}

    stored = tmp_path / "artefacts" / "artefacts" / "payments" / "ledger" / "main" / "7"
    assert json.loads((stored / "deploy.state").read_text())["Run"]["Status"] == "succeeded"
    assert json.loads((stored / "deploy.actions").read_text())["Hash"] == run.plan_hash
    assert [event.status for event in acme.events.list(run.prn).items] == ["succeeded"]


def test_invoke_when_a_run_is_large_then_prefect_shows_targets_instead_of_actions(
    acme: ClientCmdb, prefect_api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORE_PREFECT__TASK_PER_ACTION_UP_TO", "5")
    end = door.run_here(world.payload(acme.client, {"deployspec.yaml": world.noop_spec(2, ["eu-west-3"])}))
    assert end.completed
    targets = task_runs(prefect_api, [f"{member.id}/eu-west-3" for member in acme.accounts.all()])
    assert {task.state.message for task in targets if task.state} == {"2 succeeded; 0 changed something"}


def test_invoke_when_artifacts_are_looked_for_then_plan_progress_and_summary_are_there(
    acme: ClientCmdb, prefect_api: str
) -> None:
    end = door.run_here(world.payload(acme.client, {"deployspec.yaml": world.noop_spec(1)}))

    async def read() -> list[Any]:
        async with get_client() as client:
            return await client.read_artifacts(limit=200)

    with temporary_settings(updates={PREFECT_API_URL: prefect_api}):
        mine = [item for item in asyncio.run(read()) if item.description and end.run_id in item.description]
    assert {item.key.split("-")[0] for item in mine} == {"plan", "progress", "summary"}
    assert next(item.data for item in mine if item.key.startswith("progress")) == 100.0


def test_invoke_when_the_spec_is_wrong_then_the_run_says_what_and_where_and_nothing_ran(acme: ClientCmdb) -> None:
    spec = "Targets: {OrganizationalUnits: [/workloads], Regions: [eu-west-1]}\nActions:\n  - {Name: a, Kind: Nonsense}\n"
    end = door.run_here(world.payload(acme.client, {"deployspec.yaml": spec}))

    assert end.state == "failed"
    assert end.message is not None
    assert end.message.startswith("CORE-2005 deployspec.yaml:3")
    assert "Traceback" not in end.message
    run = acme.runs.get(end.run_id)
    assert run.status is RunStatus.FAILED
    assert run.error is not None
    assert run.error.code == "CORE-2005"
    assert acme.ledger.load(end.run_id) == {}


def test_invoke_when_the_task_is_not_handled_then_the_hint_lists_what_is(acme: ClientCmdb) -> None:
    end = door.run_here(world.payload(acme.client, {"deployspec.yaml": world.noop_spec(1)}, Task.RELEASE))
    assert end.state == "failed"
    assert "handled: package, upload, compile, plan, apply, deploy, teardown" in str(end.message)


@pytest.mark.parametrize("task", [Task.COMPILE, Task.DEPLOY])
def test_invoke_when_nothing_is_to_be_executed_then_no_run_is_registered(acme: ClientCmdb, task: Task) -> None:
    options = Options(dry_run=task is Task.DEPLOY)
    end = door.run_here(world.payload(acme.client, {"deployspec.yaml": world.noop_spec(1)}, task, options=options))
    assert end.completed
    assert acme.runs.find(end.run_id) is None


def test_invoke_when_the_package_is_uploaded_then_it_can_be_deployed_by_its_key(acme: ClientCmdb) -> None:
    payload = world.payload(acme.client, {"deployspec.yaml": world.noop_spec(1)}, Task.UPLOAD)
    end = door.run_here(payload)
    assert end.completed
    assert end.message is not None
    again = payload.but(task=Task.DEPLOY, package={"Key": end.message})
    assert door.run_here(again).completed


def test_invoke_when_a_correlation_id_is_used_twice_then_the_second_is_refused(acme: ClientCmdb) -> None:
    payload = world.payload(acme.client, {"deployspec.yaml": world.noop_spec(1)}, correlation_id="release-42")
    assert door.run_here(payload).completed
    end = door.run_here(payload)
    assert end.state == "failed"
    assert str(end.message).startswith("CORE-3002")
    assert acme.runs.get("release-42").status is RunStatus.SUCCEEDED
