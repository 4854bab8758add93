"""The engine with nothing replaced: embedded cloud, real CMDB, assumed roles, a store in a folder."""

from __future__ import annotations

import hashlib
import json
import random
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from core_lib.db import ClientCmdb, Cmdb
from core_lib.execute import Engine, UnitResult, units
from core_lib.framework.models import ActionState, FileRef, Options, Plan, RunState, RunStatus, StackReview, Task
from core_lib.framework.settings import Settings, load_settings
from core_lib.helper import AwsSessions, FolderStore
from deployments.local import EmbeddedCloud
from tests.builders.plans import plan_of

ROLE = "OrganizationAccountAccessRole"
REGION = "eu-west-1"


def parameter(name: str = "/demo/value", **more: Any) -> dict[str, Any]:
    """A template with one SSM parameter whose value is the template's parameter `Value`."""
    return {
        "Parameters": {"Value": {"Type": "String", "Default": "one"}},
        "Resources": {
            "Item": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": name, "Type": "String", "Value": {"Ref": "Value"}}}
        }
        | more,
        "Outputs": {"Name": {"Value": {"Ref": "Item"}}, "Value": {"Value": {"Ref": "Value"}}},
    }


def never_ready(seconds: int = 1) -> dict[str, Any]:
    """Resources that wait for a signal nobody sends: the stack fails after so many seconds."""
    return {
        "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        "Wait": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "DependsOn": ["Item", "Handle"],
            "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": str(seconds)},
        },
    }


@dataclass
class Rehearsal:
    """One target account, one client, and runs over it."""

    cloud: EmbeddedCloud
    cmdb: ClientCmdb
    store: FolderStore
    settings: Settings
    account: str
    folder: Path
    overrides: dict[str, Any]
    files: dict[str, FileRef] = field(default_factory=dict)

    @property
    def target(self) -> str:
        return f"{self.account}/{REGION}"

    @property
    def cloudformation(self) -> Any:
        """Direct access to the target, as somebody outside of the platform has it."""
        return self.direct("cloudformation")

    def direct(self, service: str) -> Any:
        return boto3.client(
            service, endpoint_url=self.cloud.endpoint, region_name=REGION, aws_access_key_id=self.account,
            aws_secret_access_key="x",
        )  # fmt: skip

    def put(self, path: str, content: Mapping[str, Any]) -> str:
        """A file of the plan."""
        body = json.dumps(content, sort_keys=True).encode()
        digest = hashlib.sha256(body).hexdigest()
        self.store.put(f"files/{digest}", body)
        self.files[path] = FileRef(path=path, key=f"files/{digest}", sha256=digest, size=len(body))
        return path

    def register(self, plan: Plan, options: Options | None = None) -> RunState:
        run = RunState(
            run_id=f"r-{uuid.uuid4().hex[:12]}", client="acme", prn="prn:web:shop", task=Task.DEPLOY, status=RunStatus.PENDING,
            plan_hash=plan.hash, plan_key="-", options=options or Options(), created_at=datetime.now(UTC), requested_by="ann",
        )  # fmt: skip
        return self.cmdb.runs.create(run)

    def engine(self, plan: Plan, run: RunState, **more: Any) -> Engine:
        sessions = AwsSessions(self.settings, correlation_id=run.run_id)
        return Engine(plan, self.cmdb, sessions, self.store, self.settings, self.cmdb.runs.take(run.run_id), **more)

    async def run(
        self,
        *actions: Any,
        options: Options | None = None,
        reviews: Mapping[str, StackReview] | None = None,
    ) -> Outcome:
        """Execute these actions in a new run."""
        return await self.carry_out(plan_of(actions, files=self.files), options=options, reviews=reviews)

    async def carry_out(
        self, plan: Plan, *, options: Options | None = None, reviews: Mapping[str, StackReview] | None = None
    ) -> Outcome:
        """Execute a plan in a new run."""
        run = self.register(plan, options)
        async with self.engine(plan, run, reviews=reviews) as engine:
            results = [await engine.drive(unit) for unit in units(plan)]
        return Outcome(results, self.cmdb.ledger.load(run.run_id), run.run_id)


@dataclass
class Outcome:
    """What a run left in the ledger."""

    results: list[UnitResult]
    rows: dict[str, ActionState]
    run_id: str

    def __getitem__(self, name: str) -> ActionState:
        return next(row for row in self.rows.values() if row.action_id.startswith(f"{name}@"))

    @property
    def reviews(self) -> dict[str, StackReview]:
        """Reviews as an apply gets them."""
        found = {}
        for row in self.rows.values():
            if "Review" in row.outputs:
                review = StackReview.model_validate(row.outputs["Review"])
                found[f"{row.action_id.partition('@')[2]}/{review.stack_name}"] = review
        return found


@pytest.fixture
def rehearsal(aws: EmbeddedCloud, account_id: str, tmp_path: Path) -> Iterator[Rehearsal]:
    account = str(random.SystemRandom().randrange(200_000_000_000, 999_999_999_999))
    overrides = {
        "aws.region": REGION,
        "cmdb.table_prefix": f"t{uuid.uuid4().hex[:8]}-",
        "polling.initial_seconds": 0.05,
        "polling.longest_seconds": 0.3,
        "limits.pacing": False,
    }
    settings = load_settings(overrides)
    folder = tmp_path / "artefacts"
    with Cmdb(settings) as cmdb:
        cmdb.create_tables("acme")
        made = Rehearsal(aws, cmdb.for_client("acme"), FolderStore(folder), settings, account, folder, overrides)
        aws.add_role(account, ROLE, trusts=account_id)
        aws.reset_calls()
        yield made
