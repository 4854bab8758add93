"""Plans that no package was compiled for, through the one door."""

from __future__ import annotations

from core_lib.db import ClientCmdb
from core_lib.framework.models import DeploymentDetails, Options, RunStatus, Target, Task
from core_lib.framework.settings import load_settings
from core_lib.helper import ArtefactStore, AwsSessions, open_store
from core_lib.runner import FLEET, Operation, operation_payload, operation_plan
from flows import door


def store() -> ArtefactStore:
    settings = load_settings()
    return open_store(settings, AwsSessions(settings))


def everywhere(acme: ClientCmdb) -> list[Operation]:
    members = (Target(account=member.id, region="eu-west-1") for member in acme.accounts.all())
    return [Operation("look", "SYSTEM::NoOp", target, {"Message": "seen"}) for target in members]


def test_operation_when_carried_out_then_it_is_a_run_like_any_other(acme: ClientCmdb) -> None:
    plan = operation_plan(acme.client, Task.MEDIC, FLEET, everywhere(acme))
    end = door.run_here(operation_payload(plan, store()))
    assert end.completed, end.message
    run = acme.runs.get(end.run_id)
    assert (run.status, run.task, run.prn, run.plan_hash) == (RunStatus.SUCCEEDED, Task.MEDIC, "prn:fleet", plan.hash)
    assert {(row.status.value, row.message) for row in acme.ledger.load(run.run_id).values()} == {("succeeded", "seen")}


def test_operation_when_dry_then_nothing_is_registered_or_run(acme: ClientCmdb) -> None:
    plan = operation_plan(acme.client, Task.MEDIC, FLEET, everywhere(acme))
    end = door.run_here(operation_payload(plan, store(), options=Options(dry_run=True)))
    assert end.completed
    assert acme.runs.find(end.run_id) is None


def test_operation_when_its_plan_is_for_another_deployment_then_it_is_refused_and_recorded(acme: ClientCmdb) -> None:
    payload = operation_payload(operation_plan(acme.client, Task.MEDIC, FLEET, everywhere(acme)), store())
    end = door.run_here(payload.but(deployment_details=DeploymentDetails(portfolio="payments")))
    assert end.state == "failed"
    run = acme.runs.get(end.run_id)
    assert run.error is not None
    assert run.error.code == "CORE-1001"
    assert acme.ledger.load(end.run_id) == {}
