"""A cloud with the state machine and an activity worker in it, and both executors."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from core_lib.db import Cmdb
from core_lib.execute import Pace, catalogue
from core_lib.framework.settings import Settings, load_settings
from core_lib.helper import AwsSessions, open_store
from core_lib.runner.stepfunctions import ActivityWorker, Executions, Tools
from deployments.stepfunctions import install
from tests.contract.backends import HOME, REGION, STARTERS, Backend, name
from tests.parity.corpus import SCENARIOS
from tests.parity.executors import Executor, Prefect, StateMachine
from tests.parity.site import opened
from tests.unit.execute.engines import World, scripted

FAR_ACCOUNTS = 12
SIDE_BY_SIDE = 6


@dataclass
class Arena:
    """Where scenarios run."""

    backend: Backend
    settings: Settings
    cmdb: Cmdb
    sessions: AwsSessions
    prefect: Prefect
    machine: StateMachine
    tools: Tools
    world: World = field(default_factory=World)

    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(SIDE_BY_SIDE))
    _begun: dict[tuple[str, str], Future[dict[str, Any]]] = field(default_factory=dict)

    def begin(self, scenario: str) -> None:
        """Let both executors run a scenario when it is its turn; scenarios wait more than they work, so several run at once."""
        for executor in (self.prefect, self.machine):
            self._begun[scenario, executor.name] = self.pool.submit(self._run, scenario, executor)

    def remains(self, scenario: str, executor: Executor) -> dict[str, Any]:
        """What a scenario left behind."""
        return self._begun[scenario, executor.name].result(timeout=110)

    def _run(self, scenario: str, executor: Executor) -> dict[str, Any]:
        with opened(self.backend, self.cmdb, self.settings, self.sessions, FAR_ACCOUNTS) as site:
            SCENARIOS[scenario](site, executor)
            return site.remains()


@contextmanager
def arena_on(backend: Backend) -> Iterator[Arena]:
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in {
            "AWS_ENDPOINT_URL": backend.endpoint, "AWS_ACCESS_KEY_ID": HOME, "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }.items():  # fmt: skip
            patch.setenv(variable, value)
        settings = load_settings(
            {
                "cmdb.table_prefix": f"{name('p')}-", "cmdb.heartbeat_seconds": 0.5, "polling.initial_seconds": 0.05,
                "polling.longest_seconds": 0.3, "limits.pacing": False, "stepfunctions.batch_size": 1,
                "stepfunctions.shift_seconds": 0.4, "stepfunctions.parked_seconds": 1, "artefacts.location": f"s3://{name('artefacts')}",
            }
        )  # fmt: skip
        world = World()
        kinds = {**catalogue(), "TEST::Script": scripted(world)}
        pace = Pace(settings.polling, grace=timedelta(seconds=5), retry_seconds=0.05, longest_retry_seconds=0.1)
        tools = Tools(settings, kinds=kinds, pace=pace)
        with Cmdb(settings) as cmdb, AwsSessions(settings) as sessions:
            cmdb.create_tables()
            open_store(settings, sessions).ensure()
            install(settings, sessions)
            worker = ActivityWorker(settings, tools, concurrency=8)
            worker.open()
            thread = threading.Thread(target=worker.run, daemon=True)
            thread.start()
            try:
                machine = StateMachine(Executions(settings, sessions))
                yield Arena(backend, settings, cmdb, sessions, Prefect(kinds, pace), machine, tools, world)
            finally:
                worker.stop()
                thread.join(20)
                tools.close()


@pytest.fixture(scope="session", params=["embedded", pytest.param("localstack", marks=pytest.mark.localstack)])
def arena(request: pytest.FixtureRequest) -> Iterator[Arena]:
    with STARTERS[request.param]() as backend, arena_on(backend) as made:
        for scenario in _chosen(request.session.items, request.param):
            made.begin(scenario)
        yield made
        made.pool.shutdown(cancel_futures=True)


def _chosen(items: Sequence[pytest.Item], backend: str) -> list[str]:
    """Scenarios that will be asked about on this backend, in that order."""
    asked = [item.callspec.params for item in items if hasattr(item, "callspec")]
    return [params["scenario"] for params in asked if params.get("arena") == backend and "scenario" in params]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is not None and "arena" in callspec.params:
            item.add_marker(pytest.mark.xdist_group(f"parity-{callspec.params['arena']}"))
