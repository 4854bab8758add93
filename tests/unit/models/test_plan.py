"""Plans: content hash, canonical text, look-ups."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core_lib.framework.models import (
    DeploymentDetails,
    FileRef,
    Plan,
    PlanAction,
    Provenance,
    SkippedTarget,
    Target,
    Task,
    action_id,
)

KEY = "111111111111/eu-west-1"


def _plan(**changes: Any) -> Plan:
    action = PlanAction(
        id=action_id("net", KEY),
        name="net",
        kind="AWS::CreateStack",
        target=KEY,
        timeout=timedelta(minutes=30),
        spec={"StackName": "net", "Parameters": {"b": "2", "a": "{{ outputs.hub.X }}"}, "Nothing": None},
        references={"hub": action_id("hub", KEY)},
    )
    values: dict[str, Any] = {
        "client": "acme",
        "task": Task.APPLY,
        "deployment": DeploymentDetails(portfolio="pay", app="led"),
        "targets": (Target(account="111111111111", region="eu-west-1"),),
        "skipped": (SkippedTarget(account="222222222222", reason="suspended"),),
        "actions": (action,),
        "files": (FileRef(path="net.yaml", key="artefacts/x", sha256="0" * 64, size=1),),
        "provenance": Provenance(compiler="deployspec/1", package_sha256="p", facts_sha256="f"),
    }
    return Plan(**(values | changes))


def test_plan_when_written_and_read_again_then_same_plan_same_bytes_same_hash() -> None:
    plan = _plan().sealed()
    again = Plan.model_validate_json(plan.to_json())
    assert again == plan
    assert again.to_json() == plan.to_json()
    assert again.content_hash() == plan.hash == plan.content_hash()


def test_plan_when_keys_come_in_another_order_then_the_hash_is_the_same() -> None:
    plan = _plan()
    action = plan.actions[0]
    turned = action.but(spec=dict(reversed(action.spec.items())))
    assert plan.but(actions=(turned,)).content_hash() == plan.content_hash()


@pytest.mark.parametrize(
    "changes",
    [
        {"client": "other"},
        {"task": Task.TEARDOWN},
        {"skipped": ()},
        {"files": ()},
        {"actions": ()},
        {"provenance": Provenance(compiler="deployspec/1", package_sha256="p", facts_sha256="other")},
        {"deployment": DeploymentDetails(portfolio="pay")},
    ],
)
def test_plan_when_any_part_differs_then_the_hash_differs(changes: dict[str, Any]) -> None:
    assert _plan(**changes).content_hash() != _plan().content_hash()


def test_plan_when_looked_into_first_then_hash_and_text_are_the_same() -> None:
    plan = _plan()
    before = plan.content_hash()
    assert plan.action_by_id[f"net@{KEY}"].name == "net"
    assert plan.target_by_key[KEY].region == "eu-west-1"
    assert plan.file_by_path["net.yaml"].key == "artefacts/x"
    assert plan.content_hash() == before
    assert plan.sealed().to_json() == _plan().sealed().to_json()
    assert "action_by_id" not in json.loads(plan.to_json())


def test_plan_when_its_version_or_a_key_is_unknown_then_it_is_refused() -> None:
    written = _plan().as_dict()
    for change in ({"FormatVersion": 2}, {"Zork": 1}):
        with pytest.raises(ValidationError):
            Plan.model_validate(written | change)


JSON_DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1), JSON_DATA, max_size=4))
def test_plan_when_specs_hold_any_data_then_it_survives_the_artefact_store(spec: dict[str, Any]) -> None:
    plan = _plan()
    plan = plan.but(actions=(plan.actions[0].but(spec=spec),)).sealed()
    again = Plan.model_validate_json(plan.to_json())
    assert again.content_hash() == plan.hash
    assert again.to_json() == plan.to_json()
