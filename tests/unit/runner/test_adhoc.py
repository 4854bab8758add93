"""Operations: a list of kinds, targets and specs becomes a sealed plan, and a payload that carries it out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core_lib.framework.errors import GraphError, PayloadError, RunStateError, SchemaError, UnknownKindError
from core_lib.framework.models import DeploymentDetails, Options, PackageDetails, Target, Task
from core_lib.helper import FolderStore
from core_lib.runner import FLEET, Operation, operation_of, operation_payload, operation_plan

HUB = Target(account="111111111111", region="eu-west-1")
SPOKE = Target(account="222222222222", region="eu-west-1")


def noop(name: str, target: Target = HUB, *after: str) -> Operation:
    return Operation(name, "no-op", target, {"message": name}, after=after)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path)


def test_plan_when_made_of_operations_then_it_is_sealed_cut_into_segments_and_always_the_same() -> None:
    listed = [noop("first"), noop("second", HUB, "first"), noop("far", SPOKE, "second@111111111111/eu-west-1")]
    plan = operation_plan("acme", Task.MEDIC, FLEET, listed)
    assert plan.hash == plan.content_hash() == operation_plan("acme", Task.MEDIC, FLEET, listed).hash
    assert [(action.id, action.kind, action.segment) for action in plan.actions] == [
        ("first@111111111111/eu-west-1", "SYSTEM::NoOp", 0),
        ("second@111111111111/eu-west-1", "SYSTEM::NoOp", 0),
        ("far@222222222222/eu-west-1", "SYSTEM::NoOp", 1),
    ]
    assert plan.actions[0].spec == {"Message": "first"}
    assert [target.key for target in plan.targets] == [HUB.key, SPOKE.key]


def test_plan_when_an_operation_cannot_be_one_then_the_error_says_which() -> None:
    with pytest.raises(UnknownKindError):
        operation_plan("acme", Task.MEDIC, FLEET, [Operation("it", "AWS::Nonsense", HUB)])
    with pytest.raises(SchemaError, match="it@111111111111/eu-west-1"):
        operation_plan("acme", Task.MEDIC, FLEET, [Operation("it", "SYSTEM::NoOp", HUB, {"Nothing": 1})])
    with pytest.raises(GraphError, match="used twice"):
        operation_plan("acme", Task.MEDIC, FLEET, [noop("it"), noop("it")])


def test_payload_when_made_then_it_names_the_stored_plan_and_leads_back_to_it(store: FolderStore) -> None:
    plan = operation_plan("acme", Task.DRIFT, FLEET, [noop("it")])
    payload = operation_payload(plan, store, options=Options(tolerance="5%"), correlation_id="drift-1")
    assert (payload.type, payload.task, str(payload.prn), payload.options.tolerance) == ("operation", "drift", "prn:fleet", "5%")
    assert operation_of(payload, store) == plan


def test_plan_when_the_payload_is_for_something_else_then_it_is_refused(store: FolderStore) -> None:
    payload = operation_payload(operation_plan("acme", Task.DRIFT, FLEET, [noop("it")]), store)
    others = [
        payload.but(task=Task.MEDIC),
        payload.but(client="rival"),
        payload.but(deployment_details=DeploymentDetails(portfolio="payments")),
        payload.but(package=PackageDetails()),
    ]
    for other in others:
        with pytest.raises(PayloadError):
            operation_of(other, store)


def test_plan_when_it_was_changed_in_the_store_then_it_is_refused(store: FolderStore) -> None:
    payload = operation_payload(operation_plan("acme", Task.DRIFT, FLEET, [noop("it")]), store)
    key = str(payload.package.key)
    document = json.loads(store.get(key))
    document["Actions"][0]["Spec"] = {"Message": "another"}
    store.put(key, json.dumps(document).encode())
    with pytest.raises(RunStateError, match="changed after it was sealed"):
        operation_of(payload, store)
