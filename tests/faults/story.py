"""One representative plan, and the picture of what it left: the same after every kind of trouble as without any."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any

import boto3

from core_lib.execute import Engine, units
from core_lib.framework.models import Cause, Options, Plan, Retry, RunState
from core_lib.helper import AwsSessions
from tests.builders.memory_cmdb import WorkerKilledError
from tests.builders.plans import action, plan_of
from tests.integration.execute.conftest import Rehearsal, parameter

OTHER_REGION = "us-east-1"
STACKS = ("net", "app", "spoke")
PATIENT = Retry(attempts=15, on=(Cause.TRANSIENT, Cause.THROTTLED))
READS = ("describe_", "list_", "get_", "meta", "close", "can_paginate")


def story(rehearsal: Rehearsal) -> Plan:
    """Two chained stacks that hand on an output, a condition that is false, and a stack in another region that waits for them."""
    here, there = rehearsal.target, f"{rehearsal.account}/{OTHER_REGION}"
    for name in STACKS:
        rehearsal.put(f"{name}.json", parameter(f"/story/{name}"))
    net, app = f"net@{here}", f"app@{here}"

    def stack(name: str, target: str, *after: str, **more: Any) -> Any:
        given = {"Parameters": more.pop("parameters")} if "parameters" in more else {}
        spec = {"StackName": name, "Template": f"{name}.json", **given}
        return action(name, "AWS::CreateStack", target=target, after=after, spec=spec, retry=PATIENT, **more)

    return plan_of(
        [
            stack("net", here, parameters={"Value": "one"}),
            stack("app", here, "net", parameters={"Value": "{{ outputs.net.Name }}"}, references={"net": net}),
            action("never", after=["app"], target=here, condition="outputs.app.Value == 'else'", references={"app": app}),
            stack("spoke", there, app, parameters={"Value": "{{ outputs.app.Value }}"}, references={"app": app}),
        ],
        files=rehearsal.files,
    )


@dataclass(frozen=True)
class Picture:
    """What a run left: rows by name (status, attempt, outputs), stacks (status, parameter, how often their resource was made)."""

    rows: dict[str, tuple[str, int, Any]]
    stacks: dict[str, tuple[str, str, int]]
    locks: int


CALM = Picture(
    rows={
        "net": ("succeeded", 1, {"Name": "/story/net", "Value": "one"}),
        "app": ("succeeded", 1, {"Name": "/story/app", "Value": "/story/net"}),
        "spoke": ("succeeded", 1, {"Name": "/story/spoke", "Value": "/story/net"}),
        "never": ("skipped", 1, {}),
    },
    stacks={
        "net": ("CREATE_COMPLETE", "one", 1),
        "app": ("CREATE_COMPLETE", "/story/net", 1),
        "spoke": ("CREATE_COMPLETE", "/story/net", 1),
    },
    locks=0,
)


def picture(rehearsal: Rehearsal, run_id: str) -> Picture:
    """Look at the ledger, the cloud and the locks."""
    rows = {row.action_id.partition("@")[0]: row for row in rehearsal.cmdb.ledger.load(run_id).values()}
    stacks = {}
    for region in (rehearsal.target.partition("/")[2], OTHER_REGION):
        client = boto3.client(
            "cloudformation", endpoint_url=rehearsal.cloud.endpoint, region_name=region,
            aws_access_key_id=rehearsal.account, aws_secret_access_key="x",
        )  # fmt: skip
        for stack in client.describe_stacks()["Stacks"]:
            events = client.describe_stack_events(StackName=stack["StackName"])["StackEvents"]
            made = sum((e["LogicalResourceId"], e["ResourceStatus"]) == ("Item", "CREATE_COMPLETE") for e in events)
            stacks[stack["StackName"]] = stack["StackStatus"], stack["Parameters"][0]["ParameterValue"], made
    outputs = {name: {key: row.outputs.get(key) for key in ("Name", "Value") if key in row.outputs} for name, row in rows.items()}
    return Picture(
        {name: (row.status.value, row.attempt, outputs[name]) for name, row in rows.items()},
        stacks,
        len(rehearsal.cmdb.lock_inventory.page().items),
    )


async def work(rehearsal: Rehearsal, plan: Plan, run: RunState, grim: Grim | None = None) -> None:
    """One worker of the run; with `grim` it may die."""
    sessions: AwsSessions = AwsSessions(rehearsal.settings, correlation_id=run.run_id)
    if grim is not None:
        sessions = DeadlySessions(rehearsal, run, grim)
    taken = rehearsal.cmdb.runs.take(run.run_id)
    async with Engine(plan, rehearsal.cmdb, sessions, rehearsal.store, rehearsal.settings, taken) as engine:
        ended: dict[str, asyncio.Task[Any]] = {}

        async def after(unit: Any) -> None:
            await asyncio.gather(*(ended[key] for key in unit.upstream_units))
            await engine.drive(unit)

        for unit in units(plan):
            ended[unit.key] = asyncio.create_task(after(unit))
        results = await asyncio.gather(*ended.values(), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


class Grim:
    """Kills a worker before or after its n-th step outside: a commit to the ledger, or a call that changes something in AWS."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.at = at
        self.after = after
        self.steps = 0
        self.dead = False

    def step(self, call: Any, *args: Any, **kwargs: Any) -> Any:
        """Make the call, if the worker lives."""
        self.alive()
        self.steps += 1
        last = self.steps == self.at
        if last and not self.after:
            self._die()
        answer = call(*args, **kwargs)
        if last:
            self._die()
        return answer

    def alive(self) -> None:
        """The dead do nothing."""
        if self.dead:
            raise WorkerKilledError

    def _die(self) -> None:
        self.dead = True
        raise WorkerKilledError


class DeadlySessions(AwsSessions):
    """Sessions whose changing calls go through `grim`, and whose other calls the dead do not make."""

    def __init__(self, rehearsal: Rehearsal, run: RunState, grim: Grim) -> None:
        super().__init__(rehearsal.settings, correlation_id=run.run_id)
        self._grim = grim

    def client(self, service: str, target: Any = None, *, region: str | None = None) -> Any:
        """As `AwsSessions.client`."""
        made = super().client(service, target, region=region)
        return _Deadly(made, self._grim) if target is not None else made


class _Deadly:
    def __init__(self, client: Any, grim: Grim) -> None:
        self._client = client
        self._grim = grim

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        self._grim.alive()
        if name.startswith(READS):
            return found
        return lambda **arguments: self._grim.step(found, **arguments)


async def killed(rehearsal: Rehearsal, plan: Plan, run: RunState, grim: Grim) -> None:
    """A worker that `grim` watches: its ledger, its locks and its calls. Afterwards nothing of it acts any more."""
    cmdb = rehearsal.cmdb
    write, release = cmdb.ledger.write, cmdb.locks.release

    def guarded_release(*args: Any, **kwargs: Any) -> None:
        grim.alive()
        release(*args, **kwargs)

    cmdb.ledger.write = lambda *args, **kwargs: grim.step(write, *args, **kwargs)  # type: ignore[method-assign]
    cmdb.locks.release = guarded_release  # type: ignore[method-assign]
    try:
        with contextlib.suppress(WorkerKilledError):
            await work(rehearsal, plan, run, grim)
    finally:
        cmdb.ledger.write, cmdb.locks.release = write, release  # type: ignore[method-assign]


def registered(rehearsal: Rehearsal, plan: Plan) -> RunState:
    """The run of a plan."""
    return rehearsal.register(plan, Options(tolerance=0))
