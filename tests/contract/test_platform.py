"""The platform itself, without Prefect, on each backend: CMDB, artefact store, compiler, engine, report."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from core_lib.db import AppFact, ClientCmdb, ClientFact, Cmdb, PortfolioFact, ZoneFact
from core_lib.deployspec import compile_deployspec
from core_lib.execute import Engine, units
from core_lib.framework.models import Account, ActionStatus, DeploymentDetails, Options, Task, TaskPayload
from core_lib.framework.package import Package
from core_lib.framework.settings import Settings, load_settings
from core_lib.helper import ArtefactStore, AwsSessions, open_store
from core_lib.runner import Runner
from tests.contract.backends import HOME, REGION, Backend, name

SPEC = """
Targets: {OrganizationalUnits: [/teams], Regions: [eu-west-1]}
Actions:
  - Name: topic
    Kind: AWS::CreateStack
    Spec: {StackName: contract-topic, Template: topic.yaml, Parameters: {Name: "%s"}, Tags: {Team: one}}
  - Name: note
    Kind: AWS::CreateStack
    Spec: {StackName: contract-note, Template: note.yaml, Parameters: {Value: "{{ outputs.topic.TopicName }}"}}
"""
TOPIC = """
Parameters: {Name: {Type: String}}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {TopicName: !Ref Name, KmsMasterKeyId: alias/aws/sns}
Outputs: {TopicName: {Value: !GetAtt Topic.TopicName}}
"""
NOTE = """
Parameters: {Value: {Type: String}}
Resources:
  Note:
    Type: AWS::SSM::Parameter
    Properties: {Name: /contract/note, Type: String, Value: !Ref Value}
"""
DETAILS = DeploymentDetails(portfolio="web", app="shop", branch="main", build="1")


@dataclass
class Platform:
    """The rooms of the platform, on one backend."""

    backend: Backend
    client: str
    cmdb: ClientCmdb
    sessions: AwsSessions
    store: ArtefactStore
    settings: Settings
    accounts: list[Account]

    def run(self, topic: str, task: Task = Task.DEPLOY) -> dict[str, tuple[str, bool]]:
        """Compile and execute; how each action ended and whether it changed anything."""
        payload = TaskPayload(client=self.client, task=task, deployment_details=DETAILS, options=Options())
        package = Package.from_files({"deployspec.yaml": SPEC % topic, "topic.yaml": TOPIC, "note.yaml": NOTE})
        compilation = compile_deployspec(
            payload, package=package, facts=self.cmdb.facts(DETAILS), accounts=self.accounts, linter=None
        )
        plan = compilation.plan(task)
        for key, body in compilation.files.items():
            self.store.put(key, body)
        run = Runner(self.cmdb, self.store).register(payload, plan)
        return asyncio.run(self._execute(plan, run.run_id))

    async def _execute(self, plan: Any, run_id: str) -> dict[str, tuple[str, bool]]:
        taken = self.cmdb.runs.take(run_id)
        async with Engine(plan, self.cmdb, self.sessions, self.store, self.settings, taken) as engine:
            for unit in units(plan):
                await engine.drive(unit)
        failed = [state.error for state in engine.states.values() if state.status is ActionStatus.FAILED]
        assert not failed
        return {state.action_id: (state.status.value, bool(state.changed)) for state in engine.states.values()}


@contextmanager
def platform_on(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    key = "test" if backend.name == "moto" else HOME
    environment = {
        "AWS_ENDPOINT_URL": backend.endpoint, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION, "CORE_POLLING__INITIAL_SECONDS": "0.1",
        "CORE_ARTEFACTS__LOCATION": f"s3://{name('artefacts')}",
    }  # fmt: skip
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    settings, client = load_settings(), name("client")
    accounts = [Account(id=backend.member_account(), name=f"team-{n}", organizational_unit="/teams") for n in range(2)]
    with Cmdb(settings) as cmdb, AwsSessions(settings, correlation_id="contract") as sessions:
        cmdb.create_tables(client)
        own = cmdb.for_client(client)
        zone = {"Zone": "z", "AccountFacts": {"AwsAccountId": HOME}, "RegionFacts": {"home": {"AwsRegion": REGION}}}
        own.registry.put(ClientFact(client=client))
        own.registry.put(PortfolioFact(portfolio="web"))
        own.registry.put(AppFact(portfolio="web", app="shop", zone="z", region="home"))
        own.registry.put(ZoneFact.model_validate(zone))
        own.accounts.put_many(accounts)
        store = open_store(settings, sessions)
        store.ensure()
        yield Platform(backend, client, own, sessions, store, settings, accounts)


def test_platform_deploys_finds_nothing_to_do_changes_one_parameter_and_tears_down(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    with platform_on(backend, monkeypatch) as platform:
        first = platform.run("one")
        again = platform.run("one")
        changed = platform.run("two")
        gone = platform.run("two", Task.TEARDOWN)
    assert set(first.values()) == {("succeeded", True)}
    assert set(again.values()) == {("succeeded", False)}
    assert set(changed.values()) == {("succeeded", True)}
    assert set(gone.values()) == {("succeeded", True)}
    assert len(first) == len(again) == len(changed) == len(gone) == 4
    for account in platform.accounts:
        listed = backend.client("cloudformation", account.id).describe_stacks()["Stacks"]
        assert [stack for stack in listed if stack["StackStatus"] != "DELETE_COMPLETE"] == []
