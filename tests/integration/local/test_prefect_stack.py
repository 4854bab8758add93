"""Prefect's part of the stack: deployments are registered and served, also after its processes were killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deployments.local import Ports, StackStatus, UpOptions, down, environment, status, up
from deployments.local.members import PROJECT_ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FLOW = """
import boto3
from prefect import flow

@flow
def probe(name: str = "x") -> str:
    boto3.client("ssm").put_parameter(Name="/" + name, Value="1", Type="String")
    return name
"""
PROJECT = """
name: probe
build: []
push: []
pull: []
definitions:
  limits: {probes: 3}
deployments:
- {name: here, entrypoint: "probe_flow.py:probe", work_pool: {name: core}}
"""
RUN = """
import sys
from prefect.deployments import run_deployment
run = run_deployment("probe/here", parameters={"name": sys.argv[1]}, timeout=120, poll_interval=0.5)
sys.exit(0 if run.state.is_completed() else 1)
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A whole stack that serves one small flow."""
    project = tmp_path_factory.mktemp("project")
    (project / "probe_flow.py").write_text(FLOW)
    (project / "prefect.yaml").write_text(PROJECT)
    folder = tmp_path_factory.mktemp("stack") / "state"
    up(UpOptions(state_dir=folder, ports=Ports(gateway=0, prefect=0), project=project))
    yield folder
    down(folder)


def run_flow(folder: Path, name: str) -> int:
    """Start the deployment through the server, as the CLI would; 0 when it completed."""
    settings = {**os.environ, **environment(folder), "PYTHONPATH": str(PROJECT_ROOT)}
    return subprocess.run([sys.executable, "-c", RUN, name], env=settings, check=False).returncode


def parameter(folder: Path, name: str) -> str:
    import boto3

    settings = environment(folder)
    client = boto3.client(
        "ssm",
        endpoint_url=settings["AWS_ENDPOINT_URL"],
        region_name=settings["AWS_DEFAULT_REGION"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
    )
    return str(client.get_parameter(Name=f"/{name}")["Parameter"]["Value"])


def healed(folder: Path, name: str, killed: int, seconds: float = 90) -> StackStatus:
    """Wait until a member runs under another pid and the stack is healthy."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        state = status(folder)
        if state.healthy and next(member.pid for member in state.members if member.name == name) != killed:
            return state
        time.sleep(0.3)
    raise AssertionError(f"{name} did not heal: {status(folder)}")


def test_stack_when_up_then_the_ui_answers_and_limits_are_set(stack: Path) -> None:
    state = status(stack)
    assert state.healthy
    assert state.prefect_ui is not None
    page = httpx.get(state.prefect_ui, follow_redirects=True)
    assert page.status_code == 200
    assert "<html" in page.text
    limits = httpx.post(f"{state.prefect_api}/v2/concurrency_limits/filter", json={}).json()
    assert [(limit["name"], limit["limit"]) for limit in limits if limit["name"] == "probes"] == [("probes", 3)]


def test_flow_when_started_through_the_server_then_the_worker_runs_it_against_the_embedded_cloud(stack: Path) -> None:
    assert run_flow(stack, "first") == 0
    assert parameter(stack, "first") == "1"


@pytest.mark.parametrize("name", ["worker", "prefect-server"])
def test_member_when_killed_then_runs_are_served_again(stack: Path, name: str) -> None:
    pid = next(member.pid for member in status(stack).members if member.name == name)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    healed(stack, name, pid)
    assert run_flow(stack, f"after-{name}") == 0
    assert parameter(stack, f"after-{name}") == "1"


def test_server_when_protected_then_only_the_environment_of_the_stack_gets_in(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    try:
        state = up(
            UpOptions(state_dir=folder, ports=Ports(gateway=0, prefect=0), project=tmp_path, mode="aws", protect_prefect=True)
        )
        assert state.healthy
        url = f"{state.prefect_api}/flows/filter"
        name, _, password = environment(folder)["PREFECT_API_AUTH_STRING"].partition(":")
        assert httpx.post(url, json={}).status_code == 401
        assert httpx.post(url, json={}, auth=(name, password)).status_code == 200
    finally:
        down(folder)
