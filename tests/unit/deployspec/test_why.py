"""Why: which layer and line set a value, the winner first; and where a whole definition goes."""

from __future__ import annotations

import pytest

from core_lib.db import merge_layers
from core_lib.deployspec import targets_of, why
from core_lib.framework.errors import CoreError, GraphError, SchemaError, TargetError
from core_lib.framework.models import Selection
from tests.unit.deployspec.builders import ACCOUNTS, FACTS, package, payload, spec_of, stack

SPEC = """\
Targets: {OrganizationalUnits: [/workloads], Regions: [eu-west-1, us-east-1]}
Parameters:
  Common: {Size: 2}
  OrganizationalUnits: {/workloads/prod: {Size: 3}}
  Accounts:
    shop-prod:
      Size: "{{ Sizes.large }}"
Actions:
  - Name: net
    Kind: CreateStack
    Condition: "{{ Environment == 'prod' }}"
    Spec:
      StackName: "{{ Portfolio }}-{{ AccountName }}"
      Template: t.yaml
      Tags: {Team: "{{ App }}"}
      Parameters: {Cidr: "{{ outputs.hub.Arn }}"}
  - Name: hub
    Kind: CreateStack
    Targets: {Accounts: [network], Regions: [eu-west-1]}
    Spec: {StackName: hub, Template: t.yaml}
"""
LAYERS = [("client acme", FACTS), ("app shop:web", {"Sizes": {"large": 5}, "Tags": {"Owner": "web"}})]


def origins(action: str, field: str) -> list[tuple[str, object, str]]:
    found = why(payload(), package=package(SPEC), facts=merge_layers(LAYERS), accounts=ACCOUNTS, action=action, field=field)
    return [(item.layer, item.value, item.where) for item in found]


def test_parameter_when_layers_overlap_then_the_winner_is_first_and_facts_are_named() -> None:
    assert origins("net@shop-prod/us-east-1", "Parameters.Size") == [
        ("file: account shop-prod", 5, "deployspec.yaml:7:7"),
        ("the expression", "{{ Sizes.large }}", "deployspec.yaml:7:7"),
        ("fact Sizes.large (app shop:web)", 5, "facts"),
        ("file: unit /workloads/prod", 3, "deployspec.yaml:4:43"),
        ("file: Common", 2, "deployspec.yaml:3:12"),
        ("default of the template", 1, "t.yaml"),
    ]


def test_parameter_when_no_target_is_given_then_the_first_is_looked_at() -> None:
    assert origins("net", "Parameters.Size")[0] == ("file: account shop-prod", 5, "deployspec.yaml:7:7")
    assert origins("net@shop-test/eu-west-1", "Parameters.Size")[0] == ("file: Common", 2, "deployspec.yaml:3:12")


def test_parameter_when_it_comes_from_outputs_then_the_run_time_is_named() -> None:
    assert origins("net", "Parameters.Cidr")[1] == ("run time: outputs", "hub.Arn", "known when the run gets there")


def test_tag_when_action_and_facts_set_it_then_layers_are_listed() -> None:
    assert origins("net", "Tags.Team")[0] == ("net: Spec.Tags", "web", "deployspec.yaml:15:14")
    assert origins("net", "Tags.Owner") == [
        ("fact Tags.Owner (app shop:web)", "web", "facts"),
        ("fact Tags.Owner, hidden (client acme)", "platform", "facts"),
    ]
    assert origins("net", "Tags.Portfolio") == [("fact Portfolio (client acme)", "shop", "facts")]


def test_tag_when_a_fact_has_its_name_but_is_no_tag_then_it_is_not_listed() -> None:
    with pytest.raises(SchemaError, match="no layer sets the tag 'Sizes'"):
        origins("net", "Tags.Sizes")


def test_field_when_the_target_decides_then_the_target_is_named() -> None:
    found = origins("net@bank-prod/eu-west-1", "stack_name")
    assert found[0] == ("net: Spec", "shop-bank-prod", "deployspec.yaml:13:7")
    assert ("fact AccountName (target)", "bank-prod", "000000000012/eu-west-1") in found


def test_field_when_nobody_wrote_it_then_the_default_is_named() -> None:
    assert origins("net", "TerminationProtection") == [("default of AWS::CreateStack", None, "AWS::CreateStack")]
    assert origins("net", "Retry.Attempts") == [("default of an action", 3, "deployspec.yaml:9:5")]


def test_field_when_it_belongs_to_the_frame_then_its_line_is_named() -> None:
    assert origins("net", "Condition") == [("net: Condition", "{{ Environment == 'prod' }}", "deployspec.yaml:11:5")]


@pytest.mark.parametrize(
    ("action", "field", "kind", "text"),
    [
        ("nett", "StackName", GraphError, "did you mean 'net'"),
        ("net@audit/eu-west-1", "StackName", TargetError, "has no target audit/eu-west-1"),
        ("net", "StackNam", SchemaError, "did you mean 'StackName'"),
        ("net", "Parameters.Sise", SchemaError, "did you mean 'Size'"),
        ("net", "Tags.Ownr", SchemaError, "did you mean 'Owner'"),
    ],
)
def test_why_when_something_is_unknown_then_the_nearest_is_named(
    action: str, field: str, kind: type[CoreError], text: str
) -> None:
    with pytest.raises(kind, match=text):
        origins(action, field)


def test_targets_of_when_actions_go_to_different_places_then_reasons_name_them() -> None:
    found = targets_of(payload(), package=package(SPEC), facts=merge_layers(LAYERS), accounts=ACCOUNTS)
    reasons = {entry.account_name: (entry.included, entry.reason, entry.regions) for entry in found.explanations}
    assert reasons["network"] == (True, "named as 'network' (for hub)", ("eu-west-1",))
    assert reasons["shop-test"] == (True, "in the unit /workloads (for net)", ("eu-west-1", "us-east-1"))
    assert reasons["old-prod"] == (False, "account is suspended", ())
    assert reasons["audit"] == (False, "nothing selects it", ())
    assert len(found) == 7


def test_targets_of_when_the_payload_narrows_then_the_reason_says_so() -> None:
    narrow = payload(targets=Selection(accounts=("shop-prod",)))
    files = package(spec_of(stack("net"), targets="{Accounts: [shop-prod, audit], Regions: [eu-west-1]}"))
    found = targets_of(narrow, package=files, facts=merge_layers(LAYERS), accounts=ACCOUNTS)
    assert {entry.account_name: entry.reason for entry in found.explanations}["audit"] == "this run is narrowed to other accounts"
