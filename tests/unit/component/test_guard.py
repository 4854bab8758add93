"""The guard rails: the language of conditions, the book of rules, waivers, tags, limits."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from core_lib.component.checking import check
from core_lib.component.guard import Finding, guard, lint_templates, rulebook, tag_findings, tag_policy
from core_lib.component.guard.linting import anonymous
from core_lib.component.model import StageTemplate
from core_lib.component.security import security_stages
from core_lib.db import Facts
from core_lib.deployspec.lint import Linter
from core_lib.framework.errors import GuardError, SchemaError
from tests.builders.component_facts import component_facts
from tests.builders.components import built, package_of
from tests.unit.component.guarding import BUILTIN, OPEN_GROUP, book, component, found, found_by_own, own_rule, template

NO_VALUE = {"Ref": "AWS::NoValue"}


@pytest.mark.parametrize(
    ("claim", "properties", "places"),
    [
        ({"Require": {"A": True}}, {"A": "true"}, []),
        ({"Require": {"A": True}}, {"A": False}, ["Properties.A"]),
        ({"Require": {"A": True}}, {}, ["Properties.A"]),
        ({"Require": {"A.B": {"present": True}}}, {"A": {"B": {"Ref": "KmsKeyArn"}}}, []),
        ({"Require": {"A.B": {"present": True}}}, {"A": {"B": NO_VALUE}}, ["Properties.A.B"]),
        ({"Require": {"A.B": {"present": True}}}, {"A": {"Fn::If": ["c", {"B": 1}, {}]}}, ["Properties.A.B"]),
        ({"Require": {"A": ["x", "y"]}}, {"A": "z"}, ["Properties.A"]),
        ({"Require": {"A": "x"}}, {"A": {"Fn::ImportValue": "z"}}, []),
        ({"Require": {"A": "x"}}, {"A": {"Fn::If": ["c", "x", "y"]}}, ["Properties.A"]),
        ({"Forbid": {"A": "x"}}, {"A": {"Fn::If": ["c", "x", "y"]}}, ["Properties.A"]),
        ({"Forbid": {"A": "x"}}, {"A": {"Fn::GetAtt": ["X", "Y"]}}, []),
        ({"Forbid": {"A": {"matches": "^a-"}}}, {"A": {"Fn::Sub": "a-${B}"}}, ["Properties.A"]),
        ({"Forbid": {"A": {"matches": "^a-"}}}, {"A": {"Fn::Join": ["-", ["a", {"Ref": "B"}]]}}, ["Properties.A"]),
        ({"Require": {"A": {"at-least": 7}}}, {"A": "6"}, ["Properties.A"]),
        ({"Require": {"A": {"at-least": 7}}}, {"A": "30"}, []),
        ({"Each": "L[*]", "Forbid": {"P": 1}}, {"L": [{"P": 2}, {"P": "1"}]}, ["Properties.L[1].P"]),
        ({"Each": "L[*]", "Forbid": {"P": 22}}, {"L": {"P": 22}}, ["Properties.L.P"]),
        ({"Each": "L[*]", "When": {"Q": True}, "Forbid": {"P": 22}}, {"L": [{"P": 22}]}, []),
        ({"Require": {"L[*].P": 1}}, {"L": [{"P": 1}, {"P": 2}]}, ["Properties.L[1].P"]),
        ({"Require": {"L[*].P": {"some": 1}}}, {"L": [{"P": 1}, {"P": 2}]}, []),
        ({"Require": {"L[*].P": {"some": 1}}}, {}, ["Properties"]),
        ({"Each": "**.P", "Forbid": "x"}, {"A": [{"B": {"P": "x"}}], "P": "x"}, ["Properties.A[0].B.P", "Properties.P"]),
        ({"Each": "M.*", "Forbid": "x"}, {"M": {"a": "x", "b": "y"}}, ["Properties.M.a"]),
        ({"Require": {"any": [{"A": 1}, {"B": {"present": True}}]}}, {"B": {"Ref": "X"}}, []),
        ({"Require": {"not": {"all": [{"A": 1}, {"B": 1}]}}}, {"A": 1, "B": 1}, ["Properties.A"]),
        ({"Forbid": {"$.DeletionPolicy": {"absent": True}}}, {}, ["DeletionPolicy"]),
        ({"Require": {"$id": {"matches": "^Z"}}}, {}, ["Properties"]),
        ({"Forbid": {'C."aws:x"': "v"}}, {"C": {"aws:x": "v"}}, ["Properties.C.aws:x"]),
    ],
)  # fmt: skip
def test_condition_when_weighed_then_only_evidence_counts(claim: Any, properties: Any, places: list[str]) -> None:
    assert found_by_own(claim, properties) == places


def test_parameter_when_its_value_is_known_then_it_counts_as_the_value() -> None:
    claim = {"Forbid": {"A": "open"}}
    assert found_by_own(claim, {"A": {"Ref": "Mode"}}, Mode="open") == ["Properties.A"]
    assert found_by_own(claim, {"A": {"Ref": "Mode"}}, Mode="closed") == []


def test_message_when_it_names_the_value_then_the_finding_shows_it() -> None:
    finding = next(each for each in found(book(own_rule(Forbid={"A": 1})), {"Y": {"Type": "AWS::X::Y", "Properties": {"A": 1}}}))
    assert str(finding) == "shop/resources Y Properties.A: own: wrong: 1 at Properties.A (Do it.)"


def test_message_when_the_value_is_not_there_then_the_finding_says_so() -> None:
    (finding,) = found(book(own_rule(Require={"A": 1})), {"Y": {"Type": "AWS::X::Y", "Properties": {}}})
    assert "wrong: nothing is written at" in finding.message


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (own_rule(), "either Require or Forbid"),
        (own_rule(Require={"A": 1}, Text="x"), "either Text and Keys, or For"),
        (own_rule(Require={"equal": 1}), "did you mean equals?"),
        (own_rule(Require={}), "a condition is empty"),
        (own_rule(Require={"A..B": 1}), "is no path"),
        (own_rule(Forbid={"A": {"matches": "("}}), "is no regular expression"),
        (own_rule(Forbid={"A": {"present": "yes"}}), "true or false"),
        (own_rule(Forbid={"L[*]": {"some": 1, "equals": 2}}), "some stands alone"),
        (own_rule(Forbid={"A": 1}, Severity="fatal"), "must be one of error, warning, info"),
        (own_rule(Forbid={"A": 1}, Id="Own Rule"), "must match"),
        (own_rule(Forbid={"beside": {"type": "T"}}), "beside takes"),
    ],
)  # fmt: skip
def test_rule_when_it_is_wrong_then_the_error_names_file_and_fault(rule: Any, words: str) -> None:
    with pytest.raises(SchemaError) as caught:
        book(rule)
    assert words in caught.value.message
    assert str(caught.value.where).startswith("platform/rules/own.yaml:")


def test_package_when_it_weakens_a_rule_then_it_is_refused_and_the_organization_may() -> None:
    relaxed = {"Id": "open-ingress", "Severity": "warning"}
    with pytest.raises(SchemaError, match="may not weaken"):
        book(relaxed)
    with pytest.raises(SchemaError, match="did you mean open-ingress"):
        book({"Id": "open-ingres", "Severity": "error"})
    with pytest.raises(SchemaError, match="a rule open-ingress already"):
        book(own_rule(Id="open-ingress", Forbid={"A": 1}))
    assert book({"Id": "s3-unlogged", "Severity": "error"}).rules["s3-unlogged"].severity == "error"
    facts = {"GuardRules": [relaxed, {"Id": "s3-public", "Severity": "off"}, own_rule(Forbid={"A": 1})]}
    rules = rulebook(facts, {}).rules
    assert rules["open-ingress"].severity == "warning"
    assert "s3-public" not in rules
    assert "own" in rules


def test_regular_expression_when_it_does_not_end_then_it_is_refused_within_seconds() -> None:
    began = time.monotonic()
    with pytest.raises(SchemaError, match="takes too long"):
        found_by_own({"Forbid": {"A": {"matches": "(.*a){25}$"}}}, {"A": "a" * 300 + "b"})
    assert time.monotonic() - began < 30


def the(findings: list[Finding], rule: str) -> Finding:
    return next(finding for finding in findings if finding.rule == rule)


def test_waiver_of_an_entry_when_it_has_a_reason_then_its_resources_are_accepted_and_no_others() -> None:
    owner = component({"Guard": {"open-ingress": "a public site"}}, key="PublicGroup", more=("InnerGroup",))
    groups = {"PublicGroup": OPEN_GROUP, "InnerGroup": OPEN_GROUP, "SomeGroup": OPEN_GROUP}
    findings = [each for each in found(BUILTIN, groups, owner) if each.rule == "open-ingress"]
    assert {each.resource: each.waived for each in findings} == {
        "PublicGroup": "a public site", "InnerGroup": None, "SomeGroup": "a public site",
    }  # fmt: skip


def test_waiver_of_an_entry_when_the_resource_is_of_another_type_then_it_does_not_count() -> None:
    ingress = {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {"IpProtocol": "tcp", "CidrIp": "0.0.0.0/0"}}
    assert the(found(BUILTIN, {"Rule": ingress}, component({"Guard": {"open-ingress": "x"}})), "open-ingress").blocks


def test_waiver_of_a_type_or_resource_when_there_then_the_finding_does_not_block() -> None:
    of_type = component(guard={"open-ingress": "its purpose"})
    assert the(found(BUILTIN, {"Group": OPEN_GROUP}, of_type), "open-ingress").waived == "its purpose"
    of_resource = {**OPEN_GROUP, "Metadata": {"Guard": {"open-ingress": {"Reason": "a demo", "Until": "2027-01-31"}}}}
    assert the(found(BUILTIN, {"Group": of_resource}), "open-ingress").waived == "a demo"


def test_waiver_when_its_day_has_passed_then_it_no_longer_counts() -> None:
    owner = component({"Guard": {"open-ingress": {"Reason": "until the VPN is there", "Until": "2026-06-30"}}})
    made = [(owner, template({"Group": OPEN_GROUP}))]
    assert not the(guard(made, BUILTIN), "open-ingress").blocks
    assert not the(guard(made, BUILTIN, today=date(2026, 6, 30)), "open-ingress").blocks
    late = guard(made, BUILTIN, today=date(2026, 7, 1))
    assert the(late, "open-ingress").blocks
    assert the(late, "waiver-ended").message == "the waiver of open-ingress ended on 2026-06-30"


def test_waiver_when_it_is_about_no_rule_or_may_not_be_then_that_is_told() -> None:
    owner = component({"Guard": {"open-ingres": "x", "secret-written-out": "y"}})
    findings = found(BUILTIN, {"Group": {"Type": "AWS::X::Y", "Properties": {"DbPassword": "hunter2"}}}, owner)
    assert the(findings, "waiver-unknown").hint == "did you mean open-ingress?"
    assert the(findings, "waiver-refused").severity == "warning"
    assert the(findings, "secret-written-out").blocks


@pytest.mark.parametrize("guarded", ["because", {"open-ingress": ""}, {"open-ingress": {"Reason": "x", "Until": "soon"}}])
def test_waiver_when_it_cannot_be_read_then_the_error_names_its_place(guarded: Any) -> None:
    with pytest.raises(SchemaError) as caught:
        found(BUILTIN, {"Group": OPEN_GROUP}, component({"Guard": guarded}))
    assert caught.value.where == "shop.yaml:1:1 Configuration.Group.Metadata.Guard"


def test_compile_when_findings_block_then_the_error_names_each_with_its_line() -> None:
    topic = "{Type: AWS::SNS::Topic, Configuration: {Topic: {Properties: {DisplayName: %s}}}}"
    words = {"orders.yaml": f"orders: {topic % 'https://shop:hunter2@example.org'}", "albums.yaml": f"albums: {topic % 'x'}"}
    with pytest.raises(GuardError) as caught:
        checked(words)
    assert caught.value.where == "platform/components/orders.yaml:1:49"
    assert "orders/resources Topic Properties.DisplayName: secret-in-text" in caught.value.message
    with pytest.raises(GuardError, match=r"2 findings block:\n  facts: deployment/definition Tags\.CostCenter"):
        checked({"orders.yaml": f"orders: {topic % 'x'}"}, **TAGS)
    assert checked({"albums.yaml": words["albums.yaml"]}) == []


def checked(files: dict[str, str], **facts: Any) -> list[Any]:
    made, values = built(files, **facts), Facts(component_facts(**facts))
    return check(made, values, package_of(files), "eu-west-1", None)


def test_secret_in_a_parameter_value_when_guarded_then_it_is_found() -> None:
    assert the(found(BUILTIN, {}, DbPassword="hunter2"), "secret-written-out").resource == "DbPassword"


TAGS = {"TagPolicy": [
    {"Name": "CostCenter", "Description": "who pays", "AllowedValues": ["100", "200"]},
    {"Name": "Owner", "Matches": "[^@]+@[^@]+"}, {"Name": "Note", "Required": False},
]}  # fmt: skip


def test_tag_policy_when_a_tag_is_missing_then_the_finding_says_which_and_where_to_set_it() -> None:
    findings = list(tag_findings(tag_policy(TAGS), {"costcenter": "100", "Owner": "ann"}, "shop"))
    assert [finding.message for finding in findings] == [
        "the tag CostCenter (who pays) is missing; there is costcenter, and tags tell capitals apart",
        "the tag Owner is 'ann', which does not match [^@]+@[^@]+",
    ]
    assert all(finding.blocks and "DeploymentDetails.Tags" in (finding.hint or "") for finding in findings)
    assert "allowed are 100, 200" in next(tag_findings(tag_policy(TAGS), {"CostCenter": "3", "Owner": "a@b"}, "shop")).message
    assert not list(tag_findings(tag_policy(TAGS), {"CostCenter": "100", "Owner": "a@b"}, "shop"))
    assert tag_policy({}) == ()


def test_tag_policy_when_it_cannot_be_read_then_the_fact_is_named() -> None:
    with pytest.raises(SchemaError) as caught:
        tag_policy({"TagPolicy": [{"Nam": "x"}]})
    assert "TagPolicy" in str(caught.value.where)


def test_limits_when_a_template_is_too_large_then_it_is_refused() -> None:
    many = {f"T{number}": {"Type": "AWS::X::Y"} for number in range(501)}
    assert the(found(BUILTIN, many), "template-limit").message == "501 resources, CloudFormation takes 500"
    close = {f"T{number}": {"Type": "AWS::X::Y"} for number in range(460)}
    assert the(found(BUILTIN, close), "template-limit").severity == "warning"
    large = {"Y": {"Type": "AWS::X::Y", "Properties": {"Body": "x" * 1_000_000}}}
    assert "CloudFormation takes 1,000,000" in the(found(BUILTIN, large), "template-limit").message


class CountingLinter(Linter):
    """Counts the contents it sees."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.seen: set[bytes] = set()

    def lint(self, content: bytes, regions: Any) -> Any:
        self.seen.add(content)
        return super().lint(content, regions)


def named(name: str, **more: Any) -> StageTemplate:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": f"p-a-main-{name}", **more}}
    return StageTemplate("resources", "s", {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Queue": queue}}, {})


def test_lint_when_templates_differ_in_names_only_then_one_is_linted(tmp_path: Path) -> None:
    linter = CountingLinter(tmp_path)
    assert lint_templates([("orders-1", named("orders-1")), ("albums-2", named("albums-2"))], "eu-west-1", linter) == []
    assert len(linter.seen) == 1


def test_lint_when_components_are_alike_then_their_templates_are_one_text() -> None:
    pair = """
{0}:
  Type: AWS::DynamoDB
  Configuration:
    Table:
      Pipeline::Security: [{{Source: {0}-reader, Allow: [read]}}]
      Properties:
        AttributeDefinitions: [{{AttributeName: id, AttributeType: S}}]
        KeySchema: [{{AttributeName: id, KeyType: HASH}}]
{0}-reader:
  Type: AWS::Serverless
  Configuration:
    Function:
      Pipeline::Link: {{TABLE: {{Component: {0}, OutputName: TableName}}}}
      Properties: {{Runtime: python3.13, Handler: index.handler, Code: {{ZipFile: "def handler(event, context): return 1"}}}}
"""
    made = built({"pairs.yaml": pair.format("orders-1") + pair.format("papers-2")})
    for one, other in (("orders-1", "papers-2"), ("orders-1-reader", "papers-2-reader")):
        stages = [made.components[name].stages for name in (one, other)]
        assert set(stages[0]) == set(stages[1])
        for stage in stages[0]:
            first, second = (
                anonymous(json.dumps(each[stage].body), name, each[stage].parameters)
                for name, each in zip((one, other), stages, strict=True)
            )
            assert first == second, stage


def test_lint_when_something_is_wrong_then_resource_and_path_are_told_and_the_type_may_accept_it(tmp_path: Path) -> None:
    wrong = named("orders", VisibilityTimeot=3)
    finding = lint_templates([("orders", wrong)], "eu-west-1", Linter(tmp_path))[0]
    assert (finding.rule, finding.resource, finding.path) == ("E3002", "Queue", "Properties.VisibilityTimeot")
    assert finding.blocks
    accepted = lint_templates([(component(lint={"E3002": "a test"}), wrong)], "eu-west-1", Linter(tmp_path))
    assert [each.waived for each in accepted] == ["a test"]


def test_ingress_when_it_is_written_in_a_pipeline_security_then_the_world_may_be_let_in() -> None:
    asked = {
        "web.yaml": """
web:
  Type: AWS::NetworkLoadBalancer
  Configuration:
    LoadBalancer:
      Pipeline::Security: [{Source: 0.0.0.0/0, Allow: ["TCP:443"]}]
      Properties: {Scheme: internet-facing}
    Listener: {Properties: {Port: 443, Protocol: TCP}}
"""
    }
    definitions = {name: each.component for name, each in built(asked).components.items() if name == "web"}
    rules = security_stages(definitions, component_facts()).stages["web"]["rules-base"]["Resources"]
    assert [rule["Properties"]["CidrIp"] for rule in rules.values()] == ["0.0.0.0/0"]
    assert not [each for each in found(BUILTIN, rules) if each.rule == "open-ingress"]
    unasked = {name: {key: part for key, part in rule.items() if key != "Metadata"} for name, rule in rules.items()}
    assert [each for each in found(BUILTIN, unasked) if each.rule == "open-ingress"]
