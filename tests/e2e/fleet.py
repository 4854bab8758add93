"""A small fleet: a hub, and a chain of three stacks in every account and region; runs over it, and what they leave behind.

The chain passes outputs on (`base` to `app` to `edge`), and `edge` needs an output of the hub in another account, so a run has
actions that wait for others in their own target and across targets.
"""

from __future__ import annotations

import json
import os
import random
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from core_lib.db import ClientCmdb, merge_layers
from core_lib.deployspec import compile_deployspec
from core_lib.framework.models import (
    Account,
    ActionState,
    DeploymentDetails,
    InlineSpec,
    Options,
    PackageDetails,
    Plan,
    RunState,
    Task,
    TaskPayload,
)
from core_lib.framework.package import Package
from core_lib.helper import FolderStore
from core_lib.runner import Runner
from deployments.local import EmbeddedCloud

ROLE = "OrganizationAccountAccessRole"
HOME = "eu-west-1"
REGIONS = ("eu-west-1", "us-east-1")
CHAIN = ("base", "app", "edge")
GATE = "Gate"
DETAILS = DeploymentDetails(portfolio="payments", app="ledger", branch="main", build="7")


def template(name: str, *, gated: bool = False) -> str:
    """One SSM parameter that holds the template's parameter. A gated stack stays in progress until it is let go."""
    item = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": f"/fleet/{name}", "Type": "String", "Value": {"Ref": "Value"}}}
    signal = {"ResourceSignal": {"Count": 1, "Timeout": "PT60S"}}
    gate = {GATE: {"Type": "AWS::CloudFormation::WaitCondition", "DependsOn": "Item", "CreationPolicy": signal}}
    return json.dumps(
        {
            "Parameters": {"Value": {"Type": "String"}},
            "Resources": {"Item": item} | (gate if gated else {}),
            "Outputs": {"Name": {"Value": {"Ref": "Item"}}, "Value": {"Value": {"Ref": "Value"}}},
        }
    )


def stack(name: str, value: str, *more: str) -> str:
    """An entry of a deployspec that makes the stack `name` of `name.json`."""
    lines = [f"- Name: {name}", "  Kind: AWS::CreateStack", *(f"  {line}" for line in more), "  Spec:"]
    lines += [f"    StackName: {name}", f"    Template: {name}.json", f'    Parameters: {{Value: "{value}"}}']
    return "\n".join(lines) + "\n"


def fleet_spec(hub: str, value: str = "one", regions: Sequence[str] = REGIONS) -> str:
    """The hub in one account, and the chain everywhere."""
    chain = (
        stack("base", value)
        + stack("app", "{{ outputs.base.Name }}/" + value)
        + stack("edge", "{{ outputs.app.Value }}{{ outputs.hub.Name }}")
    )
    only = f"Targets: {{Accounts: [{hub}], Regions: [{HOME}]}}"
    where = f"Targets: {{OrganizationalUnits: [/workloads], Regions: [{', '.join(regions)}]}}\n"
    return where + "Actions:\n" + stack("hub", value, only) + chain


@dataclass
class Fleet:
    """Accounts of one client, and runs over them. The environment of this process leads to its cloud and its CMDB."""

    cloud: EmbeddedCloud
    cmdb: ClientCmdb
    store: FolderStore
    accounts: tuple[Account, ...]
    templates: dict[str, str] = field(default_factory=dict)

    @classmethod
    def made(cls, cloud: EmbeddedCloud, cmdb: ClientCmdb, store: Path, count: int) -> Fleet:
        """So many fresh accounts into which the platform may assume its role."""
        first = random.SystemRandom().randrange(200_000_000, 999_000_000) * 1000
        accounts = tuple(Account(id=f"{first + n}", name=f"team-{n}", organizational_unit="/workloads") for n in range(count))
        for account in accounts:
            cloud.add_role(account.id, ROLE, trusts=os.environ["AWS_ACCESS_KEY_ID"])
        names = ("hub", *CHAIN)
        return cls(cloud, cmdb, FolderStore(store), accounts, {f"{name}.json": template(name) for name in names})

    def compiled(self, spec: str) -> tuple[TaskPayload, Plan]:
        """A deployment of this spec, its files in the store."""
        files = {"deployspec.yaml": spec, **self.templates}
        payload = TaskPayload(
            client=self.cmdb.client,
            task=Task.DEPLOY,
            deployment_details=DETAILS,
            package=PackageDetails(inline=InlineSpec(files=files)),
            correlation_id=f"r-{uuid.uuid4().hex[:12]}",
        )
        compilation = compile_deployspec(
            payload, package=Package.from_files(files), facts=merge_layers([]), accounts=self.accounts, linter=None
        )
        for key, body in compilation.files.items():
            self.store.put(key, body)
        return payload, compilation.plan(Task.DEPLOY)

    def register(self, spec: str, who: str = "ann", **options: Any) -> RunState:
        """A run of this spec that waits for a worker."""
        payload, plan = self.compiled(spec)
        payload = payload.but(options=Options(**options))
        return Runner(self.cmdb, self.store).register(payload, plan, requested_by=who)

    def client(self, service: str, account: str, region: str) -> Any:
        """Direct access to a target, as somebody outside of the platform has it."""
        return boto3.client(
            service, endpoint_url=self.cloud.endpoint, region_name=region, aws_access_key_id=account, aws_secret_access_key="x"
        )

    def stacks(self) -> dict[str, dict[str, Any]]:
        """Every living stack of the fleet by `account/region/name`."""
        found = {}
        for account in self.accounts:
            for region in REGIONS:
                for each in self.client("cloudformation", account.id, region).describe_stacks()["Stacks"]:
                    found[f"{account.id}/{region}/{each['StackName']}"] = each
        return found

    def open_gates(self) -> int:
        """Let go every gated stack that is waiting; how many there were."""
        waiting = [
            key
            for key, each in self.stacks().items()
            if each["StackStatus"] == "CREATE_IN_PROGRESS" and GATE in self.templates[f"{each['StackName']}.json"]
        ]
        opened = 0
        for key in waiting:
            account, region, name = key.split("/")
            client = self.client("cloudformation", account, region)
            resources = client.describe_stack_resources(StackName=name)["StackResources"]
            if "Item" in {each["LogicalResourceId"] for each in resources if each["ResourceStatus"] == "CREATE_COMPLETE"}:
                client.signal_resource(StackName=name, LogicalResourceId=GATE, UniqueId=uuid.uuid4().hex, Status="SUCCESS")
                opened += 1
        return opened

    def neutral(self, text: str) -> str:
        """The same text without account numbers."""
        for number, account in enumerate(self.accounts):
            text = text.replace(account.id, f"account-{number}")
        return text


@dataclass(frozen=True)
class Picture:
    """What a run left: how it ended, its rows, and the stacks of the fleet. Equal for runs that ended the same way."""

    status: str
    counts: dict[str, int]
    rows: dict[str, tuple[Any, ...]]
    stacks: dict[str, tuple[Any, ...]]


def picture(fleet: Fleet, run_id: str) -> Picture:
    """Ledger and cloud after a run."""
    run = fleet.cmdb.runs.get(run_id)
    rows = {fleet.neutral(key): _row(fleet, state) for key, state in fleet.cmdb.ledger.load(run_id).items()}
    stacks = {fleet.neutral(key): _stack(each) for key, each in fleet.stacks().items()}
    return Picture(run.status.value, run.counts, rows, stacks)


def _row(fleet: Fleet, state: ActionState) -> tuple[Any, ...]:
    outputs = fleet.neutral(json.dumps(state.outputs, sort_keys=True))
    return state.status.value, state.attempt, state.changed, state.message, state.error, outputs


def _stack(each: dict[str, Any]) -> tuple[Any, ...]:
    parameters = {item["ParameterKey"]: item["ParameterValue"] for item in each.get("Parameters", [])}
    outputs = {item["OutputKey"]: item["OutputValue"] for item in each.get("Outputs", [])}
    return each["StackStatus"], tuple(sorted(parameters.items())), tuple(sorted(outputs.items()))


def assert_made_once(fleet: Fleet) -> None:
    """No stack was created twice, no resource was made twice, no lock is left."""
    assert_existed_once(fleet)
    living = fleet.stacks()
    for key in living:
        account, region, name = key.split("/")
        events = fleet.client("cloudformation", account, region).describe_stack_events(StackName=name)["StackEvents"]
        made = Counter(event["LogicalResourceId"] for event in events if event["ResourceStatus"] == "CREATE_COMPLETE")
        assert set(made.values()) == {1}, f"{key}: {made}"


def assert_executed_once(fleet: Fleet) -> None:
    """CloudFormation has agreed to execute one change set for each stack since the last reset of the calls."""
    executed = Counter(
        f"{call['account']}/{call['region']}"
        for call in fleet.cloud.log(5000)
        if call["operation"] == "ExecuteChangeSet" and call["status"] == 200
    )
    assert executed == Counter(key.rpartition("/")[0] for key in fleet.stacks())


def assert_existed_once(fleet: Fleet) -> None:
    """There never was another stack of the same name; no lock is left."""
    living = fleet.stacks()
    for key, each in living.items():
        account, region, name = key.split("/")
        listed = fleet.client("cloudformation", account, region).list_stacks()["StackSummaries"]
        ids = [entry["StackId"] for entry in listed if entry["StackName"] == name]
        assert ids == [each["StackId"]], f"{key} existed more than once: {ids}"
    assert fleet.cmdb.locks.holders(living) == {}


def assert_agree(fleet: Fleet, run_id: str) -> None:
    """Every succeeded row has the outputs of its stack, and the CMDB remembers the stack that exists."""
    living = fleet.stacks()
    for state in fleet.cmdb.ledger.load(run_id).values():
        name, _, target = state.action_id.partition("@")
        each = living[f"{target}/{name}"]
        outputs = {item["OutputKey"]: item["OutputValue"] for item in each.get("Outputs", [])}
        assert (state.status, state.outputs) == ("succeeded", outputs), state
        assert fleet.cmdb.stacks.get_many(target)[name].stack_id == each["StackId"]
