"""Every component type that the embedded cloud can hold really deploys there: its example, stage by stage, and down again.

Compiler, engine, CMDB, roles and CloudFormation are the real ones. DNS is left out: neither emulator takes imported zones. A few
types belong to the tests of every change; all of them to the long ones (`make test-long`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from core_lib.component import Released, compile_components
from core_lib.component.library import builtin_catalogue
from core_lib.db import Facts
from core_lib.framework.models import ActionStatus, DeploymentDetails, Plan, Task, TaskPayload
from core_lib.framework.package import Package
from tests.builders.component_facts import component_facts
from tests.builders.components import example_files
from tests.integration.execute.conftest import REGION, Outcome, Rehearsal

QUICK = ("AWS::DynamoDB", "AWS::S3::Bucket", "AWS::SNS::Topic", "AWS::Serverless")
NETWORK = "acme-network"
PAGE = "platform/files/site/index.html"
KEY_STACK = "shop-web-prod-kms"
"""Stays when something that it encrypted was kept, e.g. the last snapshot of a database."""
ZONES = ("Public", "Private", "Data")
GOOD = (ActionStatus.SUCCEEDED, ActionStatus.SKIPPED)


PARTLY = (("AWS::ECS::Service", "examples/worker.yaml"), ("AWS::NetworkLoadBalancer", "examples/public.yaml"))
"""Examples that can be deployed of types that cannot as a whole."""


def deployable() -> Iterator[Any]:
    """The examples that can be deployed; the slow ones marked so."""
    types = sorted(builtin_catalogue().types.items())
    whole = [(name, "example.yaml") for name, found in types if found.file.emulator == "yes"]
    for name, file in (*whole, *PARTLY):
        yield pytest.param(name, file, marks=() if name in QUICK else pytest.mark.slow, id=name)


def network_template() -> dict[str, Any]:
    """What a network team has in an account: a VPC, three kinds of subnets, and their exports."""
    resources: dict[str, Any] = {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}}
    outputs: dict[str, Any] = {"VpcId": {"Value": {"Ref": "Vpc"}, "Export": {"Name": "acme:Main:VpcId"}}}
    for number, name in enumerate(f"{zone}{index}" for zone in ZONES for index in (1, 2, 3)):
        properties = {
            "VpcId": {"Ref": "Vpc"},
            "CidrBlock": f"10.0.{number}.0/24",
            "AvailabilityZone": f"{REGION}{'abc'[number % 3]}",
        }
        resources[name] = {"Type": "AWS::EC2::Subnet", "Properties": properties}
        outputs[f"{name}Id"] = {"Value": {"Ref": name}, "Export": {"Name": f"acme:{name}Id"}}
    return {"Resources": resources, "Outputs": outputs}


class Account:
    """A target account with a network and a bucket for the files of packages."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.rehearsal = rehearsal
        self.files = f"acme-files-{rehearsal.account}"
        where = {"LocationConstraint": REGION}
        self.s3 = rehearsal.direct("s3")
        self.s3.create_bucket(Bucket=self.files, CreateBucketConfiguration=where)
        rehearsal.cloudformation.create_stack(StackName=NETWORK, TemplateBody=json.dumps(network_template()))
        rehearsal.cloudformation.get_waiter("stack_create_complete").wait(StackName=NETWORK, WaiterConfig={"Delay": 1})

    def plan(self, task: Task, name: str, file: str = "example.yaml") -> Plan:
        """The plan of an example; its files lie where the stacks look for them. What is torn down is the released build."""
        values = component_facts(
            AwsAccountId=self.rehearsal.account, AwsRegion=REGION, Build="1", FilesBucketName=self.files,
            BuildFilesPrefix="files/shop/web/main/1",
        )  # fmt: skip
        values.pop("HostedZoneName")
        details = DeploymentDetails(portfolio="shop", app="web", branch="main", build="1")
        payload = TaskPayload(client="acme", task=task, type="pipeline", deployment_details=details)
        package = Package.from_files({PAGE: b"<p>Hello</p>", **example_files(builtin_catalogue().types[name], file)})
        released = Released("1") if task is Task.TEARDOWN else None
        made = compile_components(payload, package=package, facts=Facts(values), accounts=(), released=released, linter=None)
        for key, body in made.files.items():
            self.rehearsal.store.put(key, body)
            if key.startswith("files/"):
                self.s3.put_object(Bucket=self.files, Key=key, Body=body)
        return made.plan(task)

    @property
    def stacks(self) -> set[str]:
        """The names of all stacks but that of the network."""
        pages = self.rehearsal.cloudformation.get_paginator("describe_stacks").paginate()
        return {stack["StackName"] for page in pages for stack in page["Stacks"]} - {NETWORK}

    def reasons(self, stack: str) -> list[str]:
        """Why resources of a stack failed."""
        events = self.rehearsal.cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
        return [
            f"{stack} {event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
            for event in events
            if event["ResourceStatus"].endswith("FAILED")
        ]


@pytest.fixture
def account(rehearsal: Rehearsal) -> Account:
    return Account(rehearsal)


def troubles(outcome: Outcome, account: Account) -> list[str]:
    """What did not go well: actions, the cause first, and what CloudFormation says about the stacks that failed."""
    bad = [row for row in outcome.rows.values() if row.status not in GOOD]
    told = [f"{row.action_id} {row.status}: {row.error}" for row in sorted(bad, key=lambda row: row.error is None)]
    return told + [reason for stack in sorted(account.stacks) if bad for reason in account.reasons(stack)]


@pytest.mark.parametrize(("name", "file"), list(deployable()))
async def test_example_when_it_is_deployed_released_and_torn_down_then_nothing_is_left(
    account: Account, name: str, file: str
) -> None:
    for task in (Task.DEPLOY, Task.RELEASE):
        assert troubles(await account.rehearsal.carry_out(account.plan(task, name, file)), account) == []
    assert account.stacks
    assert troubles(await account.rehearsal.carry_out(account.plan(Task.TEARDOWN, name, file)), account) == []
    assert account.stacks <= ({KEY_STACK} if builtin_catalogue().types[name].file.retains else set())
