"""Plan, look, apply: exactly what was reviewed is executed, and nothing when the world or the request is another one."""

from __future__ import annotations

import json
from contextlib import closing

from core_lib.db import ClientCmdb
from core_lib.framework.models import Options, RunStatus, Task
from core_lib.framework.settings import load_settings
from core_lib.helper import AwsSessions, open_store
from core_lib.report import PlanReview, headline, review
from core_lib.runner import Runner
from deployments.local import EmbeddedCloud
from flows import door
from tests.integration.flows import world

SPEC = """
Targets: {OrganizationalUnits: [/workloads], Regions: [eu-west-1]}
Actions:
  - Name: settings
    Kind: AWS::CreateStack
    Spec:
      StackName: settings
      Template: settings.yaml
      Parameters: {Value: VALUE}
"""
TEMPLATE = json.dumps(
    {
        "Parameters": {"Value": {"Type": "String"}},
        "Resources": {
            "Item": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Name": "/app/value", "Type": "String", "Value": {"Ref": "Value"}},
            }
        },
        "Outputs": {"Name": {"Value": {"Ref": "Item"}}},
    }
)


def files(value: str) -> dict[str, str]:
    return {"deployspec.yaml": SPEC.replace("VALUE", value), "settings.yaml": TEMPLATE}


def plan(acme: ClientCmdb, value: str) -> tuple[str, PlanReview]:
    end = door.run_here(world.payload(acme.client, files(value), Task.PLAN))
    assert end.completed, end.message
    settings = load_settings()
    with closing(AwsSessions(settings)) as sessions:
        _, compiled = Runner(acme, open_store(settings, sessions)).load(end.run_id)
    found = review(compiled, acme.ledger.load(end.run_id), run_id=end.run_id)
    assert end.message == headline(found)
    return end.run_id, found


def apply(acme: ClientCmdb, value: str, run_id: str, plan_hash: str | None = None) -> door.FlowEnd:
    options = Options(reviewed_run=run_id, plan_hash=plan_hash)
    return door.run_here(world.payload(acme.client, files(value), Task.APPLY, options=options))


def test_apply_when_the_plan_was_reviewed_then_exactly_its_change_sets_are_executed(
    acme: ClientCmdb, platform: EmbeddedCloud
) -> None:
    run_id, found = plan(acme, "one")
    assert headline(found) == "3 targets: 1 different change"
    (group,) = found.groups
    assert (group.severity, len(group.targets), group.changes[0].logical_id) == ("creates", 3, "Item")

    platform.reset_calls()
    end = apply(acme, "one", run_id, found.plan_hash)
    assert end.completed, end.message
    assert platform.count("cloudformation", "ExecuteChangeSet") == 3
    assert platform.count("cloudformation", "CreateChangeSet") == 0

    _, again = plan(acme, "one")
    assert headline(again) == "3 targets: no changes"
    assert again.unchanged == 3


def test_deploy_when_nothing_changed_then_one_cloudformation_call_per_target(acme: ClientCmdb, platform: EmbeddedCloud) -> None:
    assert door.run_here(world.payload(acme.client, files("one"))).completed
    platform.reset_calls()
    end = door.run_here(world.payload(acme.client, files("one")))
    assert end.completed
    assert acme.runs.get(end.run_id).counts.get("changed", 0) == 0
    assert platform.count("cloudformation") == 3


def test_apply_when_the_request_is_not_what_was_reviewed_then_nothing_is_executed(
    acme: ClientCmdb, platform: EmbeddedCloud
) -> None:
    run_id, _ = plan(acme, "one")
    platform.reset_calls()
    end = apply(acme, "two", run_id)
    assert end.state == "failed"
    assert str(end.message).startswith("CORE-5002")
    assert platform.count("cloudformation") == 0
    assert acme.runs.get(end.run_id).status is RunStatus.FAILED


def test_apply_when_another_plan_was_approved_then_it_is_refused(acme: ClientCmdb) -> None:
    run_id, _ = plan(acme, "one")
    end = apply(acme, "one", run_id, "0" * 64)
    assert end.state == "failed"
    assert str(end.message).startswith("CORE-5002")


def test_apply_when_no_plan_is_named_then_the_hint_says_how(acme: ClientCmdb) -> None:
    end = door.run_here(world.payload(acme.client, files("one"), Task.APPLY))
    assert end.state == "failed"
    assert "run the plan task first" in str(end.message)
