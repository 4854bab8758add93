"""Templates: what CloudFormation would refuse is refused before anything runs; cfn-lint is asked once for each content."""

from __future__ import annotations

from pathlib import Path

import pytest

from core_lib.deployspec import Linter, compile_deployspec, lint
from core_lib.deployspec.templates import parameter_faults, parameter_text, read_template
from core_lib.framework.errors import TemplateError
from core_lib.framework.models import Task
from core_lib.framework.package import Package
from tests.unit.deployspec.builders import ACCOUNTS, facts, package, payload, spec_of, stack

LINTED = b"Parameters: {Unused: {Type: String, Default: x}}\nResources: {Topic: {Type: AWS::SNS::Topic}}\n"
BROKEN = b"Resources: {Topic: {Type: AWS::SNS::Topic, Properties: {TopicNme: x}}}\n"


def faults(parameter: str, value: str) -> list[str]:
    text = f"Parameters: {{P: {{{parameter}}}}}\nResources: {{A: {{Type: AWS::SNS::Topic}}}}\n"
    template = read_template(Package.from_files({"t.yaml": text}), "t.yaml")
    return [fault for _, fault in parameter_faults(template, {"P": value}, lambda value: "{{" in value)]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("Type: String, AllowedValues: [a, b]", "a"),
        ("Type: String, AllowedValues: [1, 2]", "1"),
        ("Type: String, AllowedPattern: '[a-z]+', MinLength: 1, MaxLength: 3", "abc"),
        ("Type: Number, MinValue: 1, MaxValue: 2.5", "2.5"),
        ("Type: Number, AllowedValues: [1, 2]", "2"),
        ("Type: CommaDelimitedList, AllowedValues: [a, b]", "a, b"),
        ("Type: List<Number>", "1,2"),
        ("Type: 'AWS::SSM::Parameter::Value<String>', AllowedPattern: x", "/a/b"),
        ("Type: String, AllowedPattern: '('", "a pattern Python cannot read is left to CloudFormation"),
        ("Type: Number", "{{ outputs.a.B }}"),
    ],
)
def test_values_when_they_fit_then_there_is_no_fault(parameter: str, value: str) -> None:
    assert faults(parameter, value) == []


@pytest.mark.parametrize(
    ("parameter", "value", "text"),
    [
        ("Type: String, AllowedValues: [a, b]", "c", "allowed are a, b"),
        ("Type: String, AllowedPattern: '[a-z]+'", "abC", "does not match"),
        ("Type: String, MinLength: 2", "a", "at least 2 characters"),
        ("Type: String, MaxLength: 2", "abc", "at most 2 characters"),
        ("Type: Number", "one", "a number is needed"),
        ("Type: Number, MinValue: 3", "2", "at least 3"),
        ("Type: Number, MaxValue: 3", "4", "at most 3"),
        ("Type: Number, AllowedValues: [1, 2]", "3", "allowed are 1, 2"),
        ("Type: CommaDelimitedList, AllowedValues: [a, b]", "a,c", "is 'c'"),
        ("Type: List<Number>", "1,x", "a number is needed"),
        ("Type: String, NoEcho: true, MinLength: 9", "secret", "is (hidden)"),
        ("Type: String", "x" * 5000, "longer than 4096 bytes"),
    ],
)
def test_values_when_cloudformation_would_refuse_them_then_there_is_a_fault(parameter: str, value: str, text: str) -> None:
    (fault,) = faults(parameter, value)
    assert text in fault


def test_values_when_a_pattern_runs_away_then_the_check_gives_up_in_time() -> None:
    assert faults("Type: String, AllowedPattern: '(x|x)+y'", "x" * 40) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (3, "3"),
        (1.5, "1.5"),
        (["a", 1, False], "a,1,false"),
        ([], ""),
        ({"a": 1}, None),
        ([["a"]], None),
        (None, None),
    ],
)
def test_parameter_text_when_a_value_has_no_simple_form_then_it_is_none(value: object, text: str | None) -> None:
    assert parameter_text(value) == text


def test_lint_when_a_template_is_broken_then_the_compile_stops_with_its_line() -> None:
    spec = package(spec_of(stack("net")), {"t.yaml": BROKEN})
    with pytest.raises(TemplateError, match=r"t\.yaml:1: cfn-lint: E3002"):
        compile_deployspec(payload(), package=spec, facts=facts(), accounts=ACCOUNTS)


def test_lint_when_a_template_is_only_odd_then_there_is_a_warning() -> None:
    spec = package(spec_of(stack("net")), {"t.yaml": LINTED})
    result = compile_deployspec(payload(), package=spec, facts=facts(), accounts=ACCOUNTS)
    assert [str(warning) for warning in result.warnings] == ["t.yaml:1: W2001 Parameter Unused not used."]
    assert Task.DEPLOY in result.plans


def test_lint_when_asked_again_then_the_folder_answers_without_cfn_lint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Linter(tmp_path).lint(LINTED, ["eu-west-1", "us-east-1"])

    def fail(*_: object) -> None:
        raise AssertionError("cfn-lint was asked again")

    monkeypatch.setattr(lint, "_run", fail)
    assert Linter(tmp_path).lint(LINTED, ["us-east-1", "eu-west-1"]) == first
    with pytest.raises(AssertionError, match="asked again"):
        Linter(tmp_path).lint(BROKEN, ["eu-west-1"])


def test_lint_when_the_folder_holds_rubbish_then_it_is_linted_again(tmp_path: Path) -> None:
    first = Linter(tmp_path).lint(LINTED, ["eu-west-1"])
    (file,) = tmp_path.iterdir()
    file.write_text('[{"unknown": 1}]')
    assert Linter(tmp_path).lint(LINTED, ["eu-west-1"]) == first


def test_lint_when_the_template_names_files_of_the_machine_then_they_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text("{not json")
    text = f"Metadata: {{cfn-lint: {{config: {{parameter_files: ['{secret}'], ignore_checks: [W2001]}}}}}}\n".encode() + LINTED
    assert Linter().lint(text, ["eu-west-1"]) == ()


def test_lint_when_it_finds_a_configuration_file_on_the_machine_then_it_does_not_use_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".cfnlintrc").write_text("ignore_checks: [W2001]\n")
    monkeypatch.chdir(tmp_path)
    assert [finding.rule for finding in Linter().lint(LINTED, ["eu-west-1"])] == ["W2001"]
