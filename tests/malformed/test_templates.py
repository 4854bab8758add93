"""Templates that are missing, too large, no templates, or do not fit the values they are given."""

from __future__ import annotations

import json

import pytest

from core_lib.deployspec import Linter
from tests.malformed.case import Case, cases, refusal
from tests.malformed.doors import TEMPLATE, compile_files, spec_of, stack

LINTER = Linter()
TOPIC = "Resources: {T: {Type: AWS::SNS::Topic}}\n"


def path(name: str) -> dict[str, str]:
    return {"deployspec.yaml": spec_of(stack().replace("Template: t.yaml", f"Template: {json.dumps(name)}"))}


def template(text: str | bytes, *spec: str) -> dict[str, str | bytes]:
    return {"deployspec.yaml": spec_of(stack("net", spec=spec)), "t.yaml": text}


def values(parameters: str, text: str = TEMPLATE) -> dict[str, str | bytes]:
    return template(text, f"Parameters: {parameters}")


def parameter(**rules: object) -> str:
    return f"Parameters: {{P: {json.dumps({'Type': 'String'} | rules)}}}\n{TOPIC}"


FILES = (
    Case("missing", "CORE-2004", "did you mean 't.yaml'", path("t.yml")),
    Case("nowhere", "CORE-2004", "no file", path("network/vpc.yaml")),
    Case("empty-name", "CORE-1004", "Template", path("")),
    Case("climbing", "CORE-2000", "not a path in the package", path("../t.yaml")),
    Case("absolute", "CORE-2000", "not a path in the package", path("/etc/passwd")),
    Case("climbing-backwards", "CORE-2000", "not a path in the package", path("..\\..\\t.yaml")),
    Case("url", "CORE-2004", "no file", path("https://example.com/t.yaml")),
    Case("s3", "CORE-2004", "no file", path("s3://bucket/t.yaml")),
    Case("nul", "CORE-2004", "no file", path("t\x00.yaml")),
    Case("folder", "CORE-2004", "no file", path(".")),
    Case("very-long", "CORE-2004", "no file", path("a/" * 5000 + "t.yaml")),
    Case("other-type", "CORE-2004", "cannot read files of type", path("t.txt") | {"t.txt": "x"}),
    Case("inline", "CORE-1004", "put the template into a file",
         {"deployspec.yaml": spec_of(stack().replace("Template: t.yaml", "TemplateBody: '{}'"))}),
    Case("by-address", "CORE-1004", "put the template into the package",
         {"deployspec.yaml": spec_of(stack().replace("Template: t.yaml", "TemplateUrl: 'https://example.com'"))}),
    Case("empty", "CORE-2004", "'Resources'", template("")),
    Case("a-list", "CORE-2004", "'Resources'", template("[]")),
    Case("a-text", "CORE-2004", "'Resources'", template("hello")),
    Case("binary", "CORE-2004", "UTF-8", template(b"\x89PNG\r\n\x1a\n")),
    Case("without-resources", "CORE-2004", "'Resources'", template("Outputs: {}")),
    Case("no-resource", "CORE-2004", "'Resources'", template("Resources: {}")),
    Case("resources-a-list", "CORE-2004", "'Resources'", template("Resources: []")),
    Case("parameters-a-list", "CORE-2004", "'Parameters' is not a map", template(f"Parameters: [A]\n{TOPIC}")),
    Case("parameter-without-type", "CORE-2004", "has no Type", template(f"Parameters: {{A: {{Default: 1}}}}\n{TOPIC}")),
    Case("parameter-null", "CORE-2004", "has no Type", template(f"Parameters: {{A: null}}\n{TOPIC}")),
    Case("metadata-a-text", "CORE-2004", "'Metadata' is not a map", template(f"Metadata: hello\n{TOPIC}")),
    Case("conditions-a-list", "CORE-2004", "'Conditions' is not a map", template(f"Conditions: [a]\n{TOPIC}")),
    Case("outputs-a-text", "CORE-2004", "'Outputs' is not a map", template(f"Outputs: none\n{TOPIC}")),
    Case("too-large", "CORE-2004", "at most 1048576", template(f"# {'x' * 1_048_576}\n{TOPIC}")),
    Case("json-that-is-yaml", "CORE-2004", "not readable as JSON", path("t.json") | {"t.json": TEMPLATE}),
    Case("an-argument-as-tag", "CORE-2004", "did you mean !GetAtt", template("Resources: {T: {Type: !GetAt a.b}}")),
    Case("a-spec-as-template", "CORE-2004", "'Resources'", path("deployspec.yaml")),
)  # fmt: skip


@cases(*FILES)
def test_template_when_it_is_none_then_it_is_refused(case: Case) -> None:
    refusal(lambda: compile_files(case.given), case)


VALUES = (
    Case("unknown", "CORE-2004", "did you mean 'Cidr'", values("{Cdir: 10.0.0.0/8}")),
    Case("in-other-case", "CORE-2004", "did you mean 'Cidr'", values("{cidr: 10.0.0.0/8}")),
    Case("of-nothing-at-all", "CORE-2004", "declares no parameter", values("{Zebra: 1}")),
    Case("missing", "CORE-2004", "no value and no default", values("{}", parameter())),
    Case("null", "CORE-2004", "no value and no default", values("{P: null}", parameter())),
    Case("a-map", "CORE-2004", "P", values("{P: {a: b}}", parameter())),
    Case("a-list-of-lists", "CORE-2004", "P", values("{P: [[a]]}", parameter())),
    Case("not-allowed", "CORE-2004", "allowed are slow, fast", values("{Mode: medium}")),
    Case("not-a-number", "CORE-2004", "a number is needed", values("{Size: many}")),
    Case("not-finite", "CORE-2004", "a number is needed", values("{Size: nan}")),
    Case("infinite", "CORE-2004", "", values("{Size: inf}")),
    Case("too-small", "CORE-2004", "at least 1", values("{Size: 0}")),
    Case("too-large", "CORE-2004", "at most 9", values("{Size: 10}")),
    Case("too-short", "CORE-2004", "at least 3 characters", values("{P: ab}", parameter(MinLength=3))),
    Case("too-long", "CORE-2004", "at most 3 characters", values("{P: abcd}", parameter(MaxLength=3))),
    Case("of-another-pattern", "CORE-2004", "does not match", values("{P: ABC}", parameter(AllowedPattern="[a-z]+"))),
    Case("of-half-a-pattern", "CORE-2004", "does not match", values("{P: abcD}", parameter(AllowedPattern="[a-z]+"))),
    Case("longer-than-aws-takes", "CORE-2004", "longer than 4096 bytes", values(f"{{P: {'x' * 5000}}}", parameter())),
    Case("a-list-with-one-wrong", "CORE-2004", "a number is needed", values("{P: [1, x]}", parameter(Type="List<Number>"))),
    Case("a-secret-that-is-too-short", "CORE-2004", "(hidden)", values("{P: abc}", parameter(NoEcho=True, MinLength=8))),
    Case("not-a-map", "CORE-1004", "Parameters", values("[a, b]")),
    Case("layered-unknown", "CORE-2004", "did you mean 'Cidr'",
         {"deployspec.yaml": spec_of(stack().replace("  Spec:", "  Parameters: {Common: {Cdir: 10.0.0.0/8}}\n  Spec:"))}),
)  # fmt: skip


@cases(*VALUES)
def test_parameter_when_it_does_not_fit_the_template_then_it_is_refused(case: Case) -> None:
    error = refusal(lambda: compile_files(case.given), case)
    assert "abc" not in str(error) or case.name != "a-secret-that-is-too-short"


def test_parameter_when_its_pattern_is_a_bomb_then_the_compile_ends_in_time() -> None:
    files = values(f"{{P: '{'a' * 60}!'}}", parameter(AllowedPattern="(a|aa)+$"))
    assert compile_files(files).plans


LINTED = (
    Case("unknown-type", "CORE-2004", "AWS::SNS::Topc", "Resources: {T: {Type: AWS::SNS::Topc}}"),
    Case("resource-without-type", "CORE-2004", "cfn-lint", "Resources: {T: {Properties: {}}}"),
    Case("resource-a-text", "CORE-2004", "cfn-lint", "Resources: {T: hello}"),
    Case("resource-null", "CORE-2004", "cfn-lint", "Resources: {T: null}"),
    Case("unknown-property", "CORE-2004", "Colour", "Resources: {T: {Type: AWS::SNS::Topic, Properties: {Colour: red}}}"),
    Case("property-missing", "CORE-2004", "cfn-lint", "Resources: {T: {Type: AWS::IAM::Role}}"),
    Case("ref-of-nothing", "CORE-2004", "Nothing", f"{TOPIC}Outputs: {{A: {{Value: !Ref Nothing}}}}"),
    Case("attribute-of-nothing", "CORE-2004", "cfn-lint", f"{TOPIC}Outputs: {{A: {{Value: !GetAtt T.Nothing}}}}"),
    Case("ring-of-resources", "CORE-2004", "cfn-lint",
         "Resources:\n  A: {Type: AWS::SNS::Topic, DependsOn: B}\n  B: {Type: AWS::SNS::Topic, DependsOn: A}"),
    Case("unknown-section", "CORE-2004", "cfn-lint", f"{TOPIC}Resourcess: {{}}"),
    Case("condition-of-nothing", "CORE-2004", "cfn-lint", "Resources: {T: {Type: AWS::SNS::Topic, Condition: Never}}"),
    Case("function-nobody-has", "CORE-2004", "cfn-lint", f"{TOPIC}Outputs: {{A: {{Value: {{'Fn::Zebra': 1}}}}}}"),
    Case("lint-settings-that-read-files", "CORE-2004", "AWS::SNS::Topc",
         "Metadata: {cfn-lint: {config: {append_rules: [/etc], override_spec: /etc/passwd}}}\n"
         "Resources: {T: {Type: AWS::SNS::Topc}}"),
    Case("null-key", "CORE-2004", "", f"{TOPIC}~: 1"),
    Case("number-as-name", "CORE-2004", "cfn-lint", "Resources: {1: {Type: AWS::SNS::Topic}}"),
    Case("mappings-flat", "CORE-2004", "cfn-lint", f"{TOPIC}Mappings: {{A: {{B: c}}}}"),
    Case("transform-a-number", "CORE-2004", "cfn-lint", f"{TOPIC}Transform: 5"),
    Case("a-shape-that-the-linter-stumbles-over", "CORE-2004", "cannot check",
         "Resources: {T: {Type: [], Properties: x}}\nTransform: AWS::Serverless-2016-10-31\nGlobals: {Function: {}}"),
    Case("merge-keys", "CORE-2004", "cfn-lint",
         "x: &x {Type: AWS::SNS::Topic}\nResources: {T: {<<: *x}}"),
)  # fmt: skip


@cases(*LINTED)
def test_template_when_cloudformation_would_refuse_it_then_it_is_refused_before(case: Case) -> None:
    refusal(lambda: compile_files(template(case.given), linter=LINTER), case)


@pytest.fixture(scope="module", autouse=True)
def rules_are_loaded() -> None:
    """Loading cfn-lint takes seconds of its own; no case is charged for them."""
    LINTER.lint(TOPIC.encode(), ["eu-west-1"])
