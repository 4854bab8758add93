"""Components held against their types and against CloudFormation's schemas; single refusals are in tests/malformed."""

from __future__ import annotations

from typing import Any

import pytest

from core_lib.component.definitions import shape_of
from core_lib.framework.errors import CompileError, CoreError, SchemaError
from tests.builders.components import built
from tests.builders.definitions import FILE, component, defined, table

WRONG = """\
zebra:
  Type: Test::Table
  DependsOn: [aple]
  Configuration:
    Table:
      Properties:
        BillingMod: PAY_PER_REQUEST
apple:
  Type: Test::Quue
"""


def refused(text: str, **facts: Any) -> CoreError:
    with pytest.raises(CoreError) as caught:
        defined(text, **facts)
    return caught.value


def test_faults_when_there_are_several_then_one_error_tells_all_in_file_order() -> None:
    error = refused(WRONG)

    assert isinstance(error, CompileError)
    assert error.where == FILE
    assert error.message.splitlines() == [
        "3 faults:",
        f"  {FILE}:3:15: zebra: DependsOn names 'aple', which is no component of the package (did you mean apple?)",
        f"  {FILE}:7:9: zebra: Table.BillingMod: there is no such property of AWS::DynamoDB::Table; did you mean BillingMode?",
        f"  {FILE}:9:3: apple: there is no component type Test::Quue (did you mean Test::Queue?)",
    ]


def test_fault_when_there_is_one_then_it_has_its_own_kind_place_and_advice() -> None:
    error = refused("a:\n  Type: Test::Quue\n")

    assert (error.where, error.hint) == (f"{FILE}:2:3", "did you mean Test::Queue?")


@pytest.mark.parametrize("value", [False, "false", "False", "warn"])
def test_properties_when_validation_is_not_enforced_then_what_is_wrong_is_a_warning(value: object) -> None:
    found = defined(table("BillingMod: x", "Hot: maybe"), EnforceValidation=value)

    assert found.components["orders"].entries["Table"].properties == {"BillingMod": "x", "Hot": "maybe"}
    assert [str(warning) for warning in found.warnings] == [
        f"{FILE}:6:9: orders: Table.BillingMod: there is no such property of AWS::DynamoDB::Table; did you mean BillingMode?",
        f"{FILE}:7:9: orders: Table.Hot: must be true or false, not text",
    ]


def test_refused_properties_when_validation_is_not_enforced_then_they_stay_refused() -> None:
    assert "TableName cannot be set" in refused(table("TableName: x"), EnforceValidation=False).message


@pytest.mark.parametrize("value", [None, True, "true", "TRUE"])
def test_properties_when_validation_is_enforced_then_what_is_wrong_fails(value: object) -> None:
    assert isinstance(refused(table("BillingMod: x"), EnforceValidation=value), SchemaError)


@pytest.mark.parametrize(
    "line",
    [
        "BillingMode: {Ref: Mode}",
        "AttributeDefinitions: {Fn::If: [Big, [], {Ref: AWS::NoValue}]}",
        "AttributeDefinitions: [{Fn::Pipeline::GetOutput: {Component: a, OutputName: b}}]",
        "ProvisionedThroughput: {ReadCapacityUnits: '5', WriteCapacityUnits: 5}",
        "DeletionProtectionEnabled: 'true'",
        "ProvisionedThroughput: {Fn::Transform: {Name: X}, ReadCapacityUnits: 1}",
    ],
)
def test_property_when_it_may_turn_out_right_then_it_is_taken(line: str) -> None:
    assert defined(table(line)).warnings == ()


def test_entries_when_they_are_loose_or_open_then_their_properties_are_not_looked_at() -> None:
    text = "a: {Type: Test::Table, Configuration: {Table: {}, Freely: {Properties: {Any: [thing]}}}}"
    assert component(text).entries["Freely"].properties == {"Any": ["thing"]}


def test_entries_when_they_have_no_resource_then_only_properties_of_ours_are_taken() -> None:
    text = "a: {{Type: Test::Table, Configuration: {{Table: {{}}, Own: {{Properties: {{{}}}}}}}}}"

    assert component(text.format("Colour: red")).entries["Own"].properties == {"Colour": "red"}
    assert "did you mean red?" in refused(text.format("Colour: rod")).message
    assert "did you mean Colour?" in refused(text.format("Color: red")).message


def test_entries_when_their_key_ends_as_a_pattern_does_then_they_have_its_rule() -> None:
    found = component("a: {Type: Test::Table, Configuration: {Table: {}, HighAlarm: {}, LowAlarm: {}}}").entries
    assert [found[key].rule.purpose for key in ("HighAlarm", "LowAlarm")] == ["An alarm."] * 2


def test_shape_when_a_part_contains_itself_then_names_are_known_at_any_depth() -> None:
    rules = shape_of("AWS::WAFv2::WebACL")
    assert rules is not None
    statement = rules.below("Rules").item.below("Statement")
    for _ in range(5):
        statement = statement.below("AndStatement").below("Statements").item

    assert statement.takes("GeoMatchStatement")
    assert not statement.takes("GeoMatchStatment")


def test_property_when_names_there_follow_a_pattern_then_the_pattern_is_told() -> None:
    variables = "Environment: {Variables: {A: one-letter}}"
    text = f"fn: {{Type: AWS::Serverless, Configuration: {{Function: {{Properties: {{{variables}}}}}}}}}"
    with pytest.raises(CoreError, match=r"Function\.Environment\.Variables\.A: a name here must fit \[a-zA-Z\]"):
        built(text)


def test_shape_when_there_is_no_such_resource_then_there_is_none() -> None:
    assert shape_of("AWS::No::Such") is None


def test_warnings_when_components_are_built_then_they_are_handed_on() -> None:
    text = "orders: {Type: AWS::DynamoDB, Configuration: {Table: {Properties: {KeySchema: [], Billing: x}}}}"
    (warning,) = built(text, EnforceValidation="warn").warnings
    assert "orders: Table.Billing: there is no such property" in warning.message
