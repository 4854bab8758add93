"""The messages: spellings, defaults, what they refuse, and their round trips."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_snake

from core_lib.framework import models
from core_lib.framework.models import (
    Account,
    ActionSpec,
    ActionStatus,
    Cause,
    Dependency,
    DeploymentDetails,
    Level,
    Options,
    PackageDetails,
    RunStatus,
    Selection,
    Target,
    TaskPayload,
)

PAYLOAD: dict[str, Any] = {
    "Client": "acme",
    "Task": "deploy",
    "Type": "deployspec",
    "DeploymentDetails": {"Portfolio": "pay", "App": "led", "Branch": "feature/X", "Build": 7, "Tags": {"Team": "a"}},
    "Package": {"Inline": {"Files": {"deployspec.yaml": "[]"}}},
    "Facts": {"Any": {"thing": [1]}},
    "Targets": {"Accounts": ["111111111111"], "Tags": {"tier": "1"}, "Exclude": {"Regions": "eu-west-1"}},
    "Options": {"DryRun": True, "Tolerance": "5%"},
    "Executor": "prefect",
    "CorrelationId": "20261123-071500-ab12cd",
}


def _snake(value: Any, inside: str = "") -> Any:
    if isinstance(value, dict) and inside not in ("Facts", "Tags", "Files"):
        return {to_snake(key): _snake(item, key) for key, item in value.items()}
    return value


def test_payload_when_written_in_snake_case_then_it_is_the_same_message() -> None:
    assert TaskPayload.model_validate(_snake(PAYLOAD)) == TaskPayload.model_validate(PAYLOAD)


def test_payload_when_dumped_then_keys_are_pascal_case_and_it_reads_back() -> None:
    payload = TaskPayload.model_validate(PAYLOAD)
    written = payload.as_dict()
    assert set(written) == set(PAYLOAD)
    assert written["Targets"]["Tags"] == {"tier": ["1"]}
    assert TaskPayload.model_validate(written) == payload
    assert TaskPayload.model_validate_json(payload.model_dump_json()) == payload


def test_payload_when_little_is_given_then_the_defaults_are_safe() -> None:
    payload = TaskPayload.model_validate({"Client": "acme", "Task": "plan", "DeploymentDetails": {"Portfolio": "pay"}})
    assert (payload.type, payload.executor, payload.options.dry_run, payload.options.force) == (
        "deployspec",
        "prefect",
        False,
        False,
    )
    assert payload.options.tolerated(1000) == 0
    assert str(payload.prn) == "prn:pay"


@pytest.mark.parametrize(
    "change",
    [
        {"Client": "a:b"}, {"Client": ""}, {"Client": "a\n"}, {"Task": "destroy"}, {"Type": "helm"}, {"Executor": "cron"},
        {"Zork": 1},
        {"DeploymentDetails": {}}, {"DeploymentDetails": {"Portfolio": "p", "Build": "7"}},
        {"DeploymentDetails": {"Portfolio": "../p"}},
        {"DeploymentDetails": {"Portfolio": "p", "App": "a", "Branch": "///"}},
        {"DeploymentDetails": {"Portfolio": "p", "Scope": "world"}},
        {"Package": {"Key": "a", "Path": "b"}}, {"Options": {"Tolerance": "101%"}}, {"Options": {"Tolerance": -1}},
        {"Options": {"Tolerance": "²"}}, {"Options": {"Concurrency": 0}}, {"Options": {"Only": "some"}}, {"CorrelationId": "a b"},
        {"CorrelationId": "x"}, {"Targets": {"Accounts": [5]}}, {"Facts": [1]},
    ],
)  # fmt: skip
def test_payload_when_something_is_wrong_then_it_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TaskPayload.model_validate(PAYLOAD | change)


def test_message_when_assigned_to_then_it_is_refused_and_but_makes_a_checked_copy() -> None:
    options = Options()
    with pytest.raises(ValidationError):
        options.force = True  # type: ignore[misc]
    assert options.but(force=True).force
    with pytest.raises(ValidationError):
        options.but(concurrency=0)


@pytest.mark.parametrize(
    ("tolerance", "targets", "tolerated"), [(0, 100, 0), (3, 100, 3), ("7", 5, 7), ("5%", 120, 6), ("5%", 19, 0), ("100%", 9, 9)]
)
def test_tolerance_when_counted_or_in_percent_then_rounded_down(tolerance: str | int, targets: int, tolerated: int) -> None:
    assert Options(tolerance=tolerance).tolerated(targets) == tolerated


def test_deployment_when_numbers_are_written_without_quotes_then_they_are_names() -> None:
    details = DeploymentDetails.model_validate({"Portfolio": 1, "App": 2, "Branch": 2026, "Build": 7})
    assert str(details.prn) == "prn:1:2:2026:7"
    with pytest.raises(ValidationError):
        DeploymentDetails.model_validate({"Portfolio": True})


def test_deployment_when_asked_for_artefact_keys_then_as_deep_as_its_scope_and_lower_case() -> None:
    details = DeploymentDetails.model_validate({"Portfolio": "Pay", "App": "Led", "Branch": "Feature/X", "Build": "7"})
    assert details.key_prefix("artefacts") == "artefacts/pay/led/feature-x/7"
    assert details.but(scope=Level.APP).key_prefix("files") == "files/pay/led"
    assert details.effective_scope is Level.BUILD


def test_package_when_given_twice_then_both_ways_are_named() -> None:
    with pytest.raises(ValidationError, match="given once, not as key and inline"):
        PackageDetails.model_validate({"Key": "a", "Inline": {"Files": {}}})


def test_selection_when_one_value_is_given_then_it_is_a_list_of_one() -> None:
    selection = Selection.model_validate(
        {"Accounts": "audit", "OrganizationalUnits": "/x", "Regions": "eu-west-1", "Tags": {"tier": "1"}}
    )
    assert (selection.accounts, selection.organizational_units, selection.regions) == (("audit",), ("/x",), ("eu-west-1",))
    assert selection.tags == {"tier": ("1",)}


@pytest.mark.parametrize(
    "value", ["net", ["net"], {"Name": "net"}, [{"Name": "net", "Scope": "target"}], [{"name": "net"}]],
)  # fmt: skip
def test_action_when_a_dependency_is_written_in_any_form_then_it_is_the_same(value: Any) -> None:
    assert ActionSpec.model_validate({"Name": "a", "Kind": "k", "DependsOn": value}).depends_on == (Dependency(name="net"),)


def test_action_when_durations_and_retries_are_given_then_they_are_typed() -> None:
    spec = ActionSpec.model_validate(
        {
            "Name": "a",
            "Kind": "k",
            "Timeout": "PT30M",
            "Retry": {"Attempts": 2, "On": ["timeout"]},
            "After": "x*",
            "Before": ["y"],
        }
    )
    assert spec.timeout == timedelta(minutes=30)
    assert spec.retry.on == (Cause.TIMEOUT,)
    assert (spec.after, spec.before) == (("x*",), ("y",))


@pytest.mark.parametrize("name", ["", "-a", "a-", "a b", "a/b", "a@b", "a\n", "a" * 64, "é", "{{ x }}"])
def test_action_when_its_name_is_not_one_then_it_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        ActionSpec.model_validate({"Name": name, "Kind": "k"})


@pytest.mark.parametrize(
    "account", ["12345678901", "1234567890123", "12345678901a", "123456789012\n", "١٢٣٤٥٦٧٨٩٠١٢", 123456789012]
)
def test_account_id_when_not_twelve_digits_as_text_then_it_is_refused(account: object) -> None:
    for model, more in ((Target, {"Region": "eu-west-1"}), (Account, {"Name": "x"})):
        with pytest.raises(ValidationError):
            model.model_validate({"Account": account, "Id": account} | more)
        with pytest.raises(ValidationError):
            model.model_validate({("Account" if model is Target else "Id"): account} | more)


def test_target_when_named_then_its_key_is_account_and_region() -> None:
    assert Target(account="111111111111", region="eu-west-1").key == "111111111111/eu-west-1"


def test_statuses_when_asked_whether_they_have_ended_then_running_ones_have_not() -> None:
    assert [status for status in ActionStatus if not status.ended] == [ActionStatus.PENDING, ActionStatus.RUNNING]
    assert [status for status in RunStatus if status.ended] == [RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED]


MESSAGES = [
    getattr(models, name)
    for name in models.__all__
    if isinstance(getattr(models, name), type) and issubclass(getattr(models, name), BaseModel)
]


@pytest.mark.parametrize("model", MESSAGES, ids=lambda model: model.__name__)
def test_every_message_when_its_schema_is_asked_for_then_it_forbids_unknown_keys(model: type[BaseModel]) -> None:
    schema = model.model_json_schema(by_alias=True)
    own = schema if "properties" in schema else schema["$defs"][model.__name__]
    assert own.get("additionalProperties") is False or model is models.Message
    assert all(key[:1].isupper() for key in own.get("properties", {}))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*PAYLOAD, "Portfolio", "Accounts"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(ANYTHING)
def test_payload_when_given_anything_then_a_payload_or_a_validation_error(value: Any) -> None:
    for candidate in (value, PAYLOAD | value if isinstance(value, dict) else value):
        try:
            payload = TaskPayload.model_validate(candidate)
        except ValidationError:
            continue
        assert TaskPayload.model_validate(payload.as_dict()) == payload


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_payload_when_a_fact_is_no_finite_number_then_it_is_refused(number: float) -> None:
    with pytest.raises(ValidationError, match="a number must be finite"):
        TaskPayload.model_validate(PAYLOAD | {"Facts": {"Size": [{"Max": number}]}})
