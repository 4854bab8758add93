"""A site: a client with its accounts, in which a scenario runs; what is left there afterwards, in words that two sites share."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from core_lib.db import AppFact, ClientCmdb, ClientFact, Cmdb, PortfolioFact, ZoneFact
from core_lib.deployspec import compile_deployspec
from core_lib.framework.models import Account, DeploymentDetails, Options, Plan, PlanAction, RunState, Task, TaskPayload
from core_lib.framework.package import Package
from core_lib.framework.settings import Settings
from core_lib.helper import ArtefactStore, AwsSessions, open_store
from core_lib.runner import Runner
from tests.builders.plans import plan_of
from tests.contract.backends import HOME, REGION, Backend

DETAILS = DeploymentDetails(portfolio="web", app="shop", branch="main", build="7")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DIGEST = re.compile(r"[0-9a-f]{10,64}")  # of contents in which the client's name is
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?: UTC|Z|\+00:00)")
_STACK_ID = re.compile(r"(:(?:stack|changeSet)/[A-Za-z0-9-]+/)[0-9a-zA-Z-]+")
NOTE = json.dumps(
    {
        "Parameters": {"Name": {"Type": "String"}, "Value": {"Type": "String", "Default": "one"}},
        "Resources": {
            "Note": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Name": {"Ref": "Name"}, "Type": "String", "Value": {"Ref": "Value"}},
            }
        },
        "Outputs": {"Value": {"Value": {"Ref": "Value"}}},
    }
)


@dataclass
class Site:
    """Three accounts `hub`, `one`, `two` (and more, that no call may reach), one client, its runs in the order they came."""

    backend: Backend
    cmdb: ClientCmdb
    store: ArtefactStore
    settings: Settings
    accounts: list[Account]
    runs: list[str] = field(default_factory=list)

    @property
    def runner(self) -> Runner:
        return Runner(self.cmdb, self.store)

    def target(self, number: int) -> str:
        return f"{self.accounts[number].id}/{REGION}"

    def compiled(self, spec: str, task: Task = Task.DEPLOY, options: Options | None = None, **files: str) -> RunState:
        """A registered run of this deployspec; templates are given as `note="..."` for `note.json`."""
        package = {f"{name}.json": text for name, text in ({"note": NOTE} | files).items()}
        payload = self.payload(task, options)
        compilation = compile_deployspec(
            payload, package=Package.from_files({"deployspec.yaml": spec, **package}), facts=self.cmdb.facts(DETAILS),
            accounts=self.accounts, linter=None,
        )  # fmt: skip
        for key, body in compilation.files.items():
            self.store.put(key, body)
        return self.registered(payload, compilation.plan(task))

    def written(self, *actions: PlanAction, options: Options | None = None) -> RunState:
        """A registered run of these actions."""
        return self.registered(self.payload(Task.DEPLOY, options), plan_of(actions).but(client=self.cmdb.client).sealed())

    def payload(self, task: Task, options: Options | None) -> TaskPayload:
        run_id = f"run-{len(self.runs) + 1}-{uuid.uuid4().hex[:8]}"
        return TaskPayload(
            client=self.cmdb.client, task=task, deployment_details=DETAILS, options=options or Options(), correlation_id=run_id
        )

    def registered(self, payload: TaskPayload, plan: Plan) -> RunState:
        run = self.runner.register(payload, plan, requested_by="ann")
        self.runs.append(run.run_id)
        return run

    def remains(self) -> dict[str, Any]:
        """What is left: rows, run records, events, stacks and parameters in the cloud, stack records, locks."""
        found = {
            "runs": [self._run(run_id) for run_id in self.runs],
            "cloud": {account.name: self._cloud(account.id) for account in self.accounts if account.name in NAMES},
            "records": [self._records(account) for account in self.accounts],
            "locks": [lock.key for lock in self.cmdb.lock_inventory.page().items],
            "events": sorted(self._events()),
        }
        shared: dict[str, Any] = json.loads(self._anonymous(json.dumps(found, sort_keys=True, default=str)))
        return shared

    def _run(self, run_id: str) -> dict[str, Any]:
        run = self.cmdb.runs.get(run_id)
        return {
            "status": run.status, "counts": run.counts, "epoch": run.epoch, "visit": run.visit, "cancelled": run.cancel_requested,
            "error": run.error.as_dict() if run.error else None, "options": run.options.as_dict(),
            "ended": run.ended_at is not None,
            "rows": {key: _row(state) for key, state in self.cmdb.ledger.load(run_id).items()},
            "exported": len(self._exported(run)),
        }  # fmt: skip

    def _exported(self, run: RunState) -> list[Any]:
        key = f"{DETAILS.key_prefix('artefacts')}/runs/{run.run_id}.state"
        return list(json.loads(self.store.get(key))["Actions"]) if self.store.exists(key) else []

    def _cloud(self, account: str) -> dict[str, Any]:
        stacks = self.backend.client("cloudformation", account).describe_stacks()["Stacks"]
        ssm = self.backend.client("ssm", account)
        return {
            "stacks": sorted(
                (
                    stack["StackName"], stack["StackStatus"],
                    sorted((each["ParameterKey"], each["ParameterValue"]) for each in stack.get("Parameters", [])),
                    sorted((tag["Key"], tag["Value"]) for tag in stack.get("Tags", [])),
                )
                for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"
            ),
            "parameters": sorted((each["Name"], _value(ssm, each["Name"])) for each in ssm.describe_parameters()["Parameters"]),
        }  # fmt: skip

    def _records(self, account: Account) -> dict[str, Any]:
        records = self.cmdb.stacks.get_many(f"{account.id}/{REGION}")
        return {
            name: {"fingerprint": bool(record.fingerprint), "parameters": record.parameters, "outputs": record.outputs}
            for name, record in records.items()
        }

    def _events(self) -> Iterator[str]:
        for prn in DETAILS.prn.ancestors():
            for event in self.cmdb.events.list(prn).items:
                yield f"{prn} {event.event_type} {event.status} {event.details.get('Action')} {event.message}"

    def _anonymous(self, text: str) -> str:
        for number, run_id in enumerate(self.runs):
            text = text.replace(run_id, f"RUN-{number}")
        for account in self.accounts:
            text = text.replace(account.id, account.name.upper())
        text = _STACK_ID.sub(r"\1ID", _UUID.sub("UUID", text.replace(self.cmdb.client, "CLIENT")))
        return _MOMENT.sub("MOMENT", _DIGEST.sub("DIGEST", text))


NAMES = ("hub", "one", "two")


def _row(state: Any) -> dict[str, Any]:
    return {
        "status": state.status, "attempt": state.attempt, "changed": state.changed, "message": state.message,
        "outputs": state.outputs, "variables": state.variables,
        "error": [state.error.code, state.error.message, state.error.cause] if state.error else None,
    }  # fmt: skip


def _value(ssm: Any, name: str) -> str:
    return str(ssm.get_parameter(Name=name)["Parameter"]["Value"])


@contextmanager
def opened(backend: Backend, cmdb: Cmdb, settings: Settings, sessions: AwsSessions, extra: int = 0) -> Iterator[Site]:
    """A site of its own. `extra` accounts exist in the directory only."""
    client = f"c{uuid.uuid4().hex[:10]}"
    cmdb.create_tables(client)
    own = cmdb.for_client(client)
    own.registry.put(ClientFact(client=client))
    own.registry.put(PortfolioFact(portfolio="web"))
    own.registry.put(AppFact(portfolio="web", app="shop", zone="z", region="home"))
    zone = {"Zone": "z", "AccountFacts": {"AwsAccountId": HOME}, "RegionFacts": {"home": {"AwsRegion": REGION}}}
    own.registry.put(ZoneFact.model_validate(zone))
    real = [Account(id=backend.member_account(), name=name, organizational_unit=f"/{name}") for name in NAMES]
    far = [Account(id=f"9{number:011}", name=f"far-{number:03}", organizational_unit="/far") for number in range(extra)]
    own.accounts.put_many([*real, *far])
    yield Site(backend, own, open_store(settings, sessions), settings, [*real, *far])
