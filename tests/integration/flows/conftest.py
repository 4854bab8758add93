"""A Prefect server of the tests' own, and the platform pointed at it and at the embedded cloud."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker

from core_lib.db import ClientCmdb
from deployments.local import EmbeddedCloud
from deployments.local.ports import listen, port_of
from tests.integration.flows import world

START_SECONDS = 90


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Prefect's clients in background threads leave their sockets to the garbage collector; that is no fault of a test here."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"))


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a Prefect API with an empty database; one server for all tests of this process."""
    home = tmp_path_factory.mktemp("prefect")
    with listen("prefect", 0) as listener, (home / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "deployments.local.prefect_server", "--fd", str(listener.fileno())],
            env=_server_environment(home),
            pass_fds=[listener.fileno()],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        url = f"http://127.0.0.1:{port_of(listener)}/api"
        try:
            _await(url, server, home / "server.log")
            yield url
        finally:
            _let_go_of_clients()
            server.send_signal(signal.SIGINT)
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


@pytest.fixture
def platform(aws: EmbeddedCloud, prefect_api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddedCloud:
    """The environment of a process of the platform: cloud, Prefect, an artefact store in a folder, quick polling."""
    for name, value in {
        "CORE_PREFECT__API_URL": prefect_api,
        "CORE_ARTEFACTS__LOCATION": str(tmp_path / "artefacts"),
        "CORE_POLLING__INITIAL_SECONDS": "0.2",
        "CORE_CMDB__HEARTBEAT_SECONDS": "0.5",
        "CORE_LOG__LEVEL": "WARNING",
        "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    return aws


@pytest.fixture
def acme(platform: EmbeddedCloud) -> Iterator[ClientCmdb]:
    """A client with three workload accounts, into which the platform may assume its role."""
    members = world.accounts(3)
    for member in members:
        platform.add_role(member.id, "OrganizationAccountAccessRole", trusts=os.environ["AWS_ACCESS_KEY_ID"])
    with world.registered(members) as cmdb:
        yield cmdb


def _let_go_of_clients() -> None:
    """End Prefect's background clients of this process while their server is there, and collect their sockets quietly."""
    APILogWorker.drain_all(timeout=10)
    EventsWorker.drain_all(timeout=10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


def _server_environment(home: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "AWS_"))}
    return inherited | {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
        "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "200",
    }


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the Prefect server ended: {log.read_text()[-2000:]}")
        try:
            if httpx.get(f"{url}/health", timeout=5).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"the Prefect server did not start within {START_SECONDS} s")
