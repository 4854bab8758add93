"""State machine and activity worker on the embedded cloud, with artefacts in S3, for one client of a fresh account."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from core_lib.db import ClientCmdb
from core_lib.framework.models import Plan, RunState, RunStatus, TaskPayload
from core_lib.framework.settings import Settings, load_settings
from core_lib.helper import ArtefactStore, AwsSessions, open_store
from core_lib.runner import Runner
from core_lib.runner.stepfunctions import ActivityWorker, Executions, Tools
from deployments.local import EmbeddedCloud
from deployments.stepfunctions import install
from tests.integration.flows import world


@dataclass
class Plant:
    """Everything that a run by Step Functions needs."""

    cloud: EmbeddedCloud
    account: str
    settings: Settings
    cmdb: ClientCmdb
    store: ArtefactStore
    sessions: AwsSessions
    executions: Executions
    tools: Tools

    def registered(self, plan: Plan) -> RunState:
        """A run of this plan, taken, its execution not started."""
        payload = TaskPayload(client=self.cmdb.client, task=plan.task, deployment_details=plan.deployment)
        run = Runner(self.cmdb, self.store).register(payload, plan.but(client=self.cmdb.client).sealed())
        taken = self.cmdb.runs.take(run.run_id)
        fields: dict[str, Any] = {"execution": self.executions.arn_of(taken)}
        return self.cmdb.runs.transition(run.run_id, RunStatus.RUNNING, epoch=taken.epoch, **fields)

    def carried_out(self, plan: Plan, seconds: float = 60) -> RunState:
        """The run when its execution is over."""
        run = self.registered(plan)
        arn = self.executions.start(run)
        deadline = time.monotonic() + seconds
        while (found := self.executions.look(arn)) is not None and found.running:
            assert time.monotonic() < deadline, self.cmdb.runs.get(run.run_id)
            time.sleep(0.2)
        return self.cmdb.runs.get(run.run_id)


@pytest.fixture
def plant(aws: EmbeddedCloud, account_id: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plant]:
    name = uuid.uuid4().hex[:8]
    for variable, value in {
        "CORE_AWS__REGION": "eu-west-1", "CORE_CMDB__TABLE_PREFIX": f"t{name}-", "CORE_POLLING__INITIAL_SECONDS": "0.1",
        "CORE_ARTEFACTS__LOCATION": f"s3://artefacts-{name}", "CORE_LIMITS__PACING": "false",
        "CORE_STEPFUNCTIONS__SHIFT_SECONDS": "2", "CORE_STEPFUNCTIONS__STOP_SECONDS": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(variable, value)
    settings = load_settings()
    tools = Tools(settings)
    members = world.accounts(2)
    for member in members:
        aws.add_role(member.id, "OrganizationAccountAccessRole", trusts=account_id)
    with world.registered(members) as cmdb, AwsSessions(settings) as sessions:
        store = open_store(settings, sessions)
        store.ensure()
        install(settings, sessions)
        worker = ActivityWorker(settings, tools, concurrency=4)
        worker.open()
        aws.reset_calls()
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        yield Plant(aws, account_id, settings, cmdb, store, sessions, Executions(settings, sessions), tools)
        worker.stop()
        thread.join(20)
        tools.close()
