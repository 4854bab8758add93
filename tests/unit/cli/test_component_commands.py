"""`core component`, `core explain`, `core init --components`: no platform is needed; facts come from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from core_lib.component.library import builtin_catalogue

REGISTRY = ("--registry", "registry.yaml")
TYPES = sorted(builtin_catalogue().types)


def core(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def answer(*arguments: str) -> Any:
    """The one JSON document of a command that must succeed."""
    result = core(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refusal(*arguments: str) -> tuple[int, dict[str, str]]:
    """Exit code and error of a command that must fail."""
    result = core(*arguments, "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == document["ExitCode"]
    return result.exit_code, document["Error"]


@pytest.fixture
def shop(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new package of components, as working directory."""
    assert core("init", "shop", "--components").exit_code == 0
    monkeypatch.chdir(elsewhere / "shop")
    monkeypatch.setenv("XDG_CACHE_HOME", str(elsewhere / "cache"))
    return elsewhere / "shop"


def test_init_when_asked_for_components_then_they_are_valid_at_once(shop: Path) -> None:
    document = answer("component", "validate", *REGISTRY, "--no-lint")
    assert document == {"Valid": True, "Components": 3, "Findings": []}


@pytest.mark.slow
def test_init_when_linted_then_nothing_is_found(shop: Path) -> None:
    assert answer("component", "validate", *REGISTRY)["Findings"] == []


def test_validate_when_a_finding_blocks_then_it_is_shown_with_its_line_and_the_command_ends_with_3(shop: Path) -> None:
    secret = "    Topic: {Properties: {DisplayName: 'https://shop:hunter2@example.org'}}\n"
    (shop / "platform/components/news.yaml").write_text(f"news:\n  Type: AWS::SNS::Topic\n  Configuration:\n{secret}")
    result = core("component", "validate", *REGISTRY, "--no-lint")
    assert result.exit_code == 3
    assert (
        "error    platform/components/news.yaml:4:5: news/resources Topic Properties.DisplayName: secret-in-text" in result.stdout
    )
    assert "NOT valid (4 components, 1 error" in result.stdout


def test_validate_when_asked_for_all_then_notes_are_shown_and_strict_fails_on_warnings(shop: Path) -> None:
    rules = shop / "platform/rules/own.yaml"
    rules.parent.mkdir()
    rules.write_text("Rules: [{Id: deletion-unprotected, Severity: warning}]\n")
    shown = answer("component", "validate", *REGISTRY, "--no-lint", "--all")["Findings"]
    assert [(each["Rule"], each["Severity"]) for each in shown] == [("deletion-unprotected", "warning")]
    assert core("component", "validate", *REGISTRY, "--no-lint", "--strict").exit_code == 3


def test_validate_when_a_required_tag_is_missing_then_the_error_says_where_to_set_it(shop: Path) -> None:
    text = (shop / "registry.yaml").read_text()
    (shop / "registry.yaml").write_text(text.replace("Tags:", "TagPolicy: [{Name: Owner}], Tags:"))
    result = core("component", "validate", *REGISTRY, "--no-lint")
    assert result.exit_code == 3, result.output
    assert "the tag Owner is missing" in result.stdout


def test_validate_when_there_are_no_components_then_it_says_how_to_begin(elsewhere: Path) -> None:
    (elsewhere / "deployspec.yaml").write_text("[]")
    code, error = refusal("component", "validate")
    assert code == 2
    assert "core component new" in error["Hint"]


def test_explain_when_a_component_is_named_then_it_is_told_in_words_as_data_and_as_a_graph(shop: Path) -> None:
    text = core("explain", "orders", *REGISTRY).stdout
    assert "Table is encrypted at rest with the application's key." in text
    document = answer("explain", "orders", *REGISTRY)
    assert document["Encryption"][0]["Key"] == "the application's key"
    assert document["Mermaid"].startswith("flowchart LR")
    assert core("explain", "orders", "--mermaid", *REGISTRY).stdout.startswith("flowchart LR")
    assert refusal("explain", "order", *REGISTRY)[1]["Hint"] == "did you mean orders?"


def test_graph_when_components_use_each_other_then_there_are_edges(shop: Path) -> None:
    document = answer("component", "graph", *REGISTRY)
    assert document["Uses"]["checkout"] == ["_application", "orders", "placed-orders"]
    assert '|"read, write"|' in document["Mermaid"]


def test_new_when_called_twice_then_nothing_is_overwritten(shop: Path) -> None:
    path = shop / "platform/components/albums.yaml"
    assert answer("component", "new", "AWS::DynamoDB", "albums")["File"] == "platform/components/albums.yaml"
    before = path.read_text()
    assert before.startswith("# AWS::DynamoDB: ")
    assert "\nalbums:\n  Type: AWS::DynamoDB\n" in before
    assert refusal("component", "new", "AWS::DynamoDB", "albums")[0] == 2
    assert refusal("component", "new", "AWS::DynamoDB", "orders")[1]["Message"] == "there is a component orders already"
    assert refusal("component", "new", "AWS::DynamoDB", "Al bums")[0] == 2
    assert "did you mean AWS::DynamoDB?" in refusal("component", "new", "AWS::DynamoD", "x")[1]["Hint"]
    assert path.read_text() == before
    assert answer("component", "validate", *REGISTRY, "--no-lint")["Components"] == 4


@pytest.mark.parametrize("kind", TYPES)
def test_new_when_made_of_a_type_then_the_file_is_yaml_with_the_component(kind: str, shop: Path) -> None:
    from core_lib.framework.codecs import load_document

    assert core("component", "new", kind, "mine").exit_code == 0
    text = (shop / "platform/components/mine.yaml").read_bytes()
    assert load_document(text, "mine.yaml").data["mine"]["Type"] == kind


def test_list_when_the_package_has_types_of_its_own_then_they_are_marked(shop: Path) -> None:
    own = shop / "platform/types/Shop/Thing/type.yaml"
    own.parent.mkdir(parents=True)
    own.write_text("Type: Shop::Thing\nGroup: developer\nPurpose: A thing of ours.\n")
    document = {each["Type"]: each for each in answer("component", "list")}
    assert document["Shop::Thing"]["Own"] is True
    assert document["AWS::DynamoDB"]["Own"] is False
    assert "Shop::Thing *" in core("component", "list").stdout


@pytest.mark.parametrize("kind", TYPES)
def test_show_when_a_type_is_named_then_all_about_it_is_told(kind: str) -> None:
    text, document = core("component", "show", kind).stdout, answer("component", "show", kind)
    assert text.startswith(f"{kind}: ")
    assert set(document["Configuration"]) == set(builtin_catalogue().types[kind].file.configuration)
    assert document["Example"] in text.replace("\n  ", "\n") or document["Example"].split("\n")[0] in text


def test_rules_when_the_package_has_some_then_they_are_among_them(shop: Path) -> None:
    rules = shop / "platform/rules/own.yaml"
    rules.parent.mkdir()
    rules.write_text("Rules: [{Id: no-things, Message: a thing, Why: Because., For: A::B::C, Forbid: {X: 1}}]\n")
    assert {"no-things", "open-ingress"} <= {rule["Id"] for rule in answer("component", "rules")}
