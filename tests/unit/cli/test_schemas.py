"""The schemas that editors use accept what the platform accepts, and mark what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from cli.main import app
from cli.schemas import DOCUMENTS, deployspec_schema, document_schema
from core_lib.execute import catalogue
from core_lib.framework.codecs import load_yaml

BASELINE = Path(__file__).parents[3] / "examples" / "baseline" / "deployspec.yaml"


def faults(text: str) -> list[str]:
    """Where the schema of a deployspec finds fault with this text."""
    document = load_yaml(text, "test").data
    return [error.json_path for error in Draft202012Validator(deployspec_schema()).iter_errors(document)]


def stack(**changes: Any) -> str:
    spec = {"StackName": "net", "Template": "net.yaml"} | changes
    return json.dumps({"Actions": [{"Name": "net", "Kind": "AWS::CreateStack", "Spec": spec}]})


@pytest.mark.parametrize("name", DOCUMENTS)
def test_schema_is_a_valid_schema(name: str) -> None:
    Draft202012Validator.check_schema(document_schema(name))


def test_deployspec_schema_accepts_the_baseline_example() -> None:
    assert faults(BASELINE.read_text()) == []


def test_deployspec_schema_accepts_the_bare_list_and_short_hands() -> None:
    assert faults("[{Name: a, Kind: SYSTEM::NoOp, DependsOn: b, After: c*, Targets: {Accounts: audit, Tags: {tier: '1'}}}]") == []


def test_deployspec_schema_accepts_an_expression_where_a_number_is_wanted() -> None:
    assert faults(stack(TimeoutMinutes="{{ Minutes }}")) == []


def test_deployspec_schema_accepts_waves_with_gates() -> None:
    waves = """
      - {Name: canary, Targets: {Accounts: audit}, Soak: PT30M, Tolerance: 0, Gates: [{Alarm: errors}, {Approval: {Quorum: 2}}]}
      - {Share: 5%, Tolerance: "5%"}
      - {Name: some, Share: 3, Gates: [{Kind: NoOp, Spec: {Message: done}, Account: audit}]}
      - {Name: most, Share: "{{ Share }}"}
    """
    assert faults(f"Waves: {waves}\nActions: [{{Name: a, Kind: SYSTEM::NoOp}}]") == []


@pytest.mark.parametrize("text", [
    "Waves: [{Sharing: 5%}]\nActions: [{Name: a, Kind: SYSTEM::NoOp}]",
    "Waves: [{Share: 5%, Gates: [{Alarms: x}]}]\nActions: [{Name: a, Kind: SYSTEM::NoOp}]",
    "Actionz: []",
    "Actions: []",
    "Actions: [{Name: a}]",
    "Actions: [{Name: a, Kind: SYSTEM::NoOp, DependOn: b}]",
    stack(StackNam="net"),
    stack(TimeoutMinutes="soon"),
    "Parameters: {Comon: {}}\nActions: [{Name: a, Kind: SYSTEM::NoOp}]",
])  # fmt: skip
def test_deployspec_schema_refuses(text: str) -> None:
    assert faults(text)


def test_deployspec_schema_knows_every_kind() -> None:
    kinds = deployspec_schema()["$defs"]["Action"]["properties"]["Kind"]["anyOf"][0]["enum"]

    assert kinds == sorted(catalogue())


@pytest.mark.parametrize(
    "arguments",
    [*([name] for name in DOCUMENTS), ["action", "create-stack"], ["components", "--type", "AWS::DynamoDB"]],
)
def test_schema_command_prints_json_with_and_without_json_option(arguments: list[str]) -> None:
    plain = CliRunner().invoke(app, ["schema", *arguments])
    as_json = CliRunner().invoke(app, ["schema", *arguments, "--json"])

    assert plain.exit_code == as_json.exit_code == 0
    assert json.loads(plain.stdout) == json.loads(as_json.stdout)


def test_schema_command_when_the_kind_is_unknown_names_the_nearest() -> None:
    result = CliRunner().invoke(app, ["schema", "action", "AWS::CreateStak", "--json"])

    assert result.exit_code == 3
    assert json.loads(result.stdout)["Error"]["Code"] == "CORE-2005"
    assert "AWS::CreateStack" in json.loads(result.stdout)["Error"]["Hint"]


def test_schema_command_when_a_kind_is_missing_or_too_much_is_refused() -> None:
    assert CliRunner().invoke(app, ["schema", "action"]).exit_code == 2
    assert CliRunner().invoke(app, ["schema", "plan", "AWS::CreateStack"]).exit_code == 2


def test_schema_command_when_a_component_type_is_unknown_names_the_nearest() -> None:
    result = CliRunner().invoke(app, ["schema", "components", "--type", "AWS::DynamoBD", "--json"])

    assert result.exit_code == 3
    assert "AWS::DynamoDB" in json.loads(result.stdout)["Error"]["Hint"]


@pytest.mark.parametrize("arguments", [["plan"], ["action"], ["action", "AWS::CreateStack"]])
def test_schema_command_when_a_document_has_no_types_refuses_one(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["schema", *arguments, "--type", "AWS::DynamoDB"])

    assert result.exit_code == 2
    assert "takes no --type" in result.output
