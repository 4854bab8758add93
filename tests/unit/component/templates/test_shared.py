"""The shared stages pointers, release and kms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from core_lib.component.library import ComponentType, builtin_catalogue
from core_lib.component.library.types import TypeFile
from core_lib.component.model import APPLICATION, Component, StageTemplate, Wire
from core_lib.component.naming import names_of
from core_lib.component.templates import StageMaker, Surroundings, application_type
from core_lib.deployspec import Linter
from tests.builders.component_facts import component_facts
from tests.builders.components import built, template

OTHER = "222222222222"


def made(
    stage: str, kind: ComponentType, name: str = "web", *, more: Mapping[str, Any] | None = None, **facts: Any
) -> StageTemplate:
    values = {key: value for key, value in component_facts(**facts).items() if value is not None}
    component = Component(name, kind, kind.name, {}, (), False, None, {}, str)
    maker = StageMaker(component, names_of(values, name, "7"), Surroundings(values, {}, {}, None, {}))
    found = maker.finished(stage, maker.body(stage, more), {})
    assert found is not None
    findings = Linter().lint(json.dumps(found.body).encode(), ["eu-west-1"])
    assert [finding for finding in findings if finding.level != "informational"] == []
    return found


def balancer(endpoint: Mapping[str, Any] | None = None) -> ComponentType:
    written = {"Type": "Test::Balancer", "Group": "balancers", "Purpose": "A balancer.", "Endpoint": endpoint}
    return ComponentType(TypeFile.model_validate(written), {}, builtin_catalogue().shared, "0", "types/Test/Balancer")


def shown(stage: str, kind: ComponentType, *, anchors: tuple[str, ...] = ("shop-web-prod-kms",), **facts: Any) -> StageTemplate:
    endpoint = kind.file.endpoint
    more = {
        "resource_outputs": ["DnsName", "Zone"],
        "resource_stack": "shop-web-main-6-web-resources",
        "anchors": anchors,
        "endpoint": {"Name": endpoint.name, "ZoneId": endpoint.zone_id} if endpoint else None,
    }
    return made(stage, kind, more=more, **facts)


def test_pointers_when_a_component_has_stacks_then_they_hold_their_anchors() -> None:
    anchors = ("shop-web-main-6-web-resources", "shop-web-main-web-security", "shop-web-prod-kms")
    outputs = shown("pointers", balancer(), anchors=anchors).body["Outputs"]
    held = {name: output["Value"] for name, output in outputs.items() if name.startswith("Holds")}
    assert held == {
        "HoldsKms": {"Fn::ImportValue": "shop-web-prod-kms:Anchor"},
        "HoldsResources": {"Fn::ImportValue": "shop-web-main-6-web-resources:Anchor"},
        "HoldsSecurity": {"Fn::ImportValue": "shop-web-main-web-security:Anchor"},
    }
    assert outputs["ResourcesStackName"]["Value"] == "shop-web-main-6-web-resources"


def test_pointers_when_the_resources_have_outputs_then_these_are_told_again() -> None:
    found = shown("pointers", balancer())
    assert found.parameters["ResourcesDnsName"] == Wire("web", "resources", "DnsName")
    assert found.body["Outputs"]["DnsName"]["Value"] == {"Ref": "ResourcesDnsName"}


def test_pointers_when_the_endpoint_has_a_zone_then_the_address_is_an_alias_and_else_another_name() -> None:
    alias = shown("pointers", balancer({"Name": "DnsName", "ZoneId": "Zone"})).body
    record = alias["Resources"]["Address"]["Properties"]
    assert record["Name"] == "web.main-7.web.shop.shop.example.org"
    assert record["AliasTarget"]["HostedZoneId"] == {"Ref": "ResourcesZone"}
    assert alias["Outputs"]["BuildDnsName"]["Value"] == record["Name"]
    other = shown("pointers", balancer({"Name": "DnsName"})).body["Resources"]["Address"]["Properties"]
    assert (other["Type"], other["ResourceRecords"]) == ("CNAME", [{"Ref": "ResourcesDnsName"}])


@pytest.mark.parametrize("stage", ["pointers", "release"])
def test_address_when_no_zone_is_known_or_nothing_is_reachable_then_there_is_none(stage: str) -> None:
    for kind, facts in ((balancer(), {}), (balancer({"Name": "DnsName"}), {"HostedZoneName": None})):
        assert "Address" not in shown(stage, kind, **facts).body["Resources"]


def test_release_when_made_then_the_branchs_address_leads_to_the_builds() -> None:
    found = shown("release", balancer({"Name": "DnsName", "ZoneId": "Zone"}))
    record = found.body["Resources"]["Address"]["Properties"]
    assert record["Name"] == "web.main.web.shop.shop.example.org"
    assert record["ResourceRecords"] == ["web.main-7.web.shop.shop.example.org"]
    assert found.body["Outputs"]["Build"]["Value"] == "7"
    assert found.body["Outputs"]["ReleaseDnsName"]["Value"] == record["Name"]
    assert found.stack_name == "shop-web-main-web-release"


def key(**kms: Any) -> dict[str, Any]:
    found = made("kms", application_type(builtin_catalogue().shared), APPLICATION, Kms=kms or None)
    assert found.stack_name == "shop-web-prod-kms"
    return dict(found.body)


def statements(body: Mapping[str, Any]) -> dict[str, Any]:
    return {each["Sid"]: each for each in body["Resources"]["Key"]["Properties"]["KeyPolicy"]["Statement"]}


def test_key_when_made_then_it_rotates_and_has_the_apps_alias() -> None:
    body = key()
    assert body["Resources"]["Key"]["Properties"]["EnableKeyRotation"] is True
    assert body["Resources"]["Alias"]["Properties"]["AliasName"] == "alias/shop-web-prod"
    assert body["Outputs"]["Anchor"]["Export"]["Name"] == {"Fn::Sub": "${AWS::StackName}:Anchor"}


def test_key_when_services_use_it_then_only_for_what_lies_in_the_account() -> None:
    found = statements(key())
    assert found["MessagesOfServices"]["Condition"] == {"StringEquals": {"aws:SourceAccount": ["111111111111"]}}
    assert found["VolumesOfInstances"]["Condition"]["StringEquals"]["kms:CallerAccount"] == ["111111111111"]
    assert "DelegateAccounts" not in found
    for name, statement in found.items():
        assert statement["Action"] != "kms:*", name
        assert "Condition" in statement or statement["Principal"] != {"AWS": "*"}, name


def test_key_when_it_lies_elsewhere_or_has_delegates_then_these_accounts_may_use_it() -> None:
    found = statements(key(AwsAccountId=OTHER, DelegateAwsAccountIds=["333333333333"]))
    roots = [each["Fn::Sub"] for each in found["DelegateAccounts"]["Principal"]["AWS"]]
    assert roots == [f"arn:${{AWS::Partition}}:iam::{account}:root" for account in ("111111111111", "333333333333")]
    assert found["MessagesOfServices"]["Condition"]["StringEquals"]["aws:SourceAccount"] == [
        OTHER,
        "111111111111",
        "333333333333",
    ]
    assert found["GrantsOfDelegateAccounts"]["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}


def test_key_when_a_package_brings_a_part_of_the_same_name_then_the_platforms_own_is_made() -> None:
    topic = "news: {Type: AWS::SNS::Topic, Configuration: {Topic: {}}}"
    theirs = "Resources: {Key: {Type: AWS::KMS::Key}}"
    package = built({"c.yaml": topic, "platform/types/_shared/kms.yaml": theirs})
    assert template(package, APPLICATION, "kms") == template(built(topic), APPLICATION, "kms")
