"""The schemas that editors use accept what the compile accepts, and mark what it refuses."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from core_lib.component.library import builtin_catalogue
from core_lib.component.property_schemas import PropertySchemas
from core_lib.component.schemas import component_schema, components_schema, vars_schema
from core_lib.framework.codecs import cfn_to_plain, load_yaml
from tests.builders.components import examples, reference_definitions
from tests.builders.definitions import CATALOGUE, table


@cache
def validator(name: str = "") -> Any:
    if name == "vars":
        return Draft202012Validator(vars_schema())
    return Draft202012Validator(components_schema(builtin_catalogue() if name else CATALOGUE))


def faults(text: str, name: str = "") -> list[str]:
    """Where the schema of a file finds fault with this text."""
    return sorted({error.json_path for error in validator(name).iter_errors(cfn_to_plain(load_yaml(text, "test")))})


@pytest.mark.parametrize(
    "schema", [components_schema(CATALOGUE), vars_schema(), component_schema(CATALOGUE.types["Test::Table"])]
)
def test_schema_is_a_valid_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)


def test_schema_of_all_types_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(components_schema(builtin_catalogue()))


@pytest.mark.parametrize(("name", "path"), examples())
def test_example_when_held_against_the_schema_then_nothing_is_marked(name: str, path: str) -> None:
    assert faults(builtin_catalogue().types[name].files[path].decode(), "all") == []


@pytest.mark.parametrize(
    "line",
    [
        "BillingMode: '{{ vars.mode }}'",
        "BillingMode: !Ref Mode",
        "AttributeDefinitions: {Fn::If: [a, b, c]}",
        "AttributeDefinitions: [{AttributeName: !Sub '${X}', AttributeType: S}]",
        "ProvisionedThroughput: {ReadCapacityUnits: '5', WriteCapacityUnits: 5}",
        "KinesisStreamSpecification: {StreamArn: {Fn::Pipeline::GetOutput: {Component: a, OutputName: b}}}",
        "Hot: '{{ vars.hot }}'",
        "Hot: true",
    ],
)
def test_property_when_it_compiles_then_it_is_not_marked(line: str) -> None:
    assert faults(table(line)) == []


@pytest.mark.parametrize(
    "line",
    [
        "BillingMod: x",
        "BillingMode: CHEAP",
        "AttributeDefinitions: 5",
        "AttributeDefinitions: [{AttributName: a}]",
        "TableName: orders",
        "Arn: x",
        "Hot: 5",
        "KinesisStreamSpecification: {StreamArn: {Fn::Pipeline::GetOutput: {Componnt: a, OutputName: b}}}",
    ],
)
def test_property_when_it_is_refused_then_it_is_marked(line: str) -> None:
    (marked,) = {path.split(".Properties")[0] for path in faults(table(line))}
    assert marked == "$.orders.Configuration.Table"


@pytest.mark.parametrize(
    "text",
    [
        "a: {Type: Test::Tabel}",
        "a: {}",
        "a: {Type: Test::Queue, DependOn: b}",
        "a_b: {Type: Test::Queue}",
        "a: {Type: Test::Table}",
        "a: {Type: Test::Table, Options: {Speed: fst}, Configuration: {Table: {}}}",
        "a: {Type: Test::Table, Configuration: {Table: {}, Alarms: {}}}",
        "a: {Type: Test::Table, Configuration: {Table: {}, LogGroup: {Pipeline::Security: {Source: a, Allow: b}}}}",
        "a: {Type: Test::Queue, Configuration: {Queue: {Pipeline::Security: {Source: a}}}}",
    ],
)
def test_component_when_it_is_refused_then_it_is_marked(text: str) -> None:
    assert faults(text)


def test_component_when_it_uses_all_there_is_then_nothing_is_marked() -> None:
    text = """
    a:
      Type: Test::FastTable
      DependsOn: [b]
      Persist: "{{ vars.persist }}"
      PersistUpdateVersion: 5
      Options: {Speed: fast, Limits: {Reads: '{{ vars.reads }}'}}
      Configuration:
        Table:
          Pipeline::Security: [{Source: [b, 10.0.0.0/8], Allow: read}]
          Pipeline::Link: {X: {Component: b, OutputName: Y}}
          DeletionPolicy: Retain
        HighAlarm:
        Freely: {Properties: {Anything: [goes]}}
    b: {Type: Test::Queue}
    """
    assert faults(text) == []


def test_vars_when_the_sections_are_maps_then_nothing_is_marked() -> None:
    assert faults("_defaults: {a: b}\nrelease-*: {a: [c]}\nx: {match: 'y'}\nz:\n", "vars") == []
    assert faults("Size: small", "vars") == ["$.Size"]
    assert faults("x: {match: [a]}", "vars") == ["$.x.match"]


def test_schema_when_a_pattern_of_cloudformation_is_not_everybodys_then_it_is_left_out() -> None:
    made = PropertySchemas()
    for name in ("AWS::Cognito::UserPool", "AWS::Events::Connection", "AWS::WAFv2::WebACL"):
        made.properties_of(name)
    Draft202012Validator.check_schema({"$defs": made.definitions})


@pytest.mark.parametrize("name", ["vpce-without-key.yaml", "site.yaml"])
def test_definition_in_an_older_form_when_held_against_the_schema_then_nothing_is_marked(name: str) -> None:
    assert faults(reference_definitions()[name].decode(), "all") == []


def test_endpoint_when_it_is_written_without_its_key_and_wrong_then_it_is_marked() -> None:
    assert faults(reference_definitions()["vpce-without-key.yaml"].decode().replace("ServiceName", "ServiceNme"), "all")
