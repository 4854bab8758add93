"""What every stage gets, whatever its type says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from core_lib.component.library import ComponentType
from core_lib.component.library.types import Role, SecurityRule, TypeFile
from core_lib.component.model import StageTemplate, Wire
from core_lib.component.templates.finishing import Finisher, standard_wires
from core_lib.component.wires import wired
from core_lib.framework.errors import TemplateError

TYPE = ComponentType(
    TypeFile(
        type="My::Type",
        group="compute",
        purpose="For tests.",
        security=SecurityRule(
            groups=("SecurityGroup",), roles={"Role": Role(services=("ec2.amazonaws.com",), instance_profile=True)}
        ),
    ),
    {}, {}, "", "types/My/Type",
)  # fmt: skip
TABLE = {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "t"}}}


def finished(body: Mapping[str, Any], stage: str = "resources", tags: Mapping[str, str] | None = None) -> StageTemplate:
    made = Finisher("orders", stage, "shop-orders", standard_wires("orders", TYPE)).finish(
        body, description="What it is", tags={"App": "web"} if tags is None else tags
    )
    assert made is not None
    return made


def test_template_when_it_names_standard_values_then_they_are_parameters_wired_to_their_stages() -> None:
    made = finished({
        "Resources": {"A": {"Type": "X::Y", "Properties": {
            "Key": {"Ref": "KmsKeyArn"}, "Groups": [{"Ref": "SecurityGroupId"}], "Role": {"Fn::Sub": "${RoleArn}/x"},
            "Profile": {"Ref": "InstanceProfileArn"}, "Region": {"Ref": "AWS::Region"}, "Self": {"Ref": "A"},
        }}}
    })  # fmt: skip
    assert made.parameters == {
        "InstanceProfileArn": Wire("orders", "security", "InstanceProfileArn"),
        "KmsKeyArn": Wire("_application", "kms", "KeyArn"),
        "RoleArn": Wire("orders", "security", "RoleArn"),
        "SecurityGroupId": Wire("orders", "security", "SecurityGroupId"),
    }
    assert set(made.body["Parameters"]) == set(made.parameters)


def test_template_when_a_resource_has_a_standard_name_then_it_is_meant() -> None:
    made = finished({"Resources": {"RoleArn": {"Type": "X::Y"}, "B": {"Type": "X::Y", "Properties": {"R": {"Ref": "RoleArn"}}}}})
    assert made.parameters == {}


def test_template_when_it_takes_outputs_then_each_is_one_parameter_with_a_name_that_tells() -> None:
    other = wired(Wire("items-table", "resources", "TableArn"))
    foreign = wired(Wire("prn:pay:ledger:main:*:db", "release", "Endpoint"))
    made = finished({
        "Resources": {"A": {"Type": "X::Y", "Properties": {
            "One": other, "Again": {"Fn::Sub": ["${x}/*", {"x": other}]}, "Two": {"Fn::Pipeline::StageOutput": "logs.Group"},
            "Three": foreign,
        }}}
    })  # fmt: skip
    properties = made.body["Resources"]["A"]["Properties"]
    assert properties["One"] == properties["Again"]["Fn::Sub"][1]["x"] == {"Ref": "ItemsTableTableArn"}
    assert made.parameters["ItemsTableTableArn"] == Wire("items-table", "resources", "TableArn")
    assert made.parameters["LogsGroup"] == Wire("orders", "logs", "Group")
    assert Wire("prn:pay:ledger:main:*:db", "release", "Endpoint") in made.parameters.values()


def test_template_when_two_outputs_would_have_one_name_then_both_are_there() -> None:
    first, second = Wire("a-b", "resources", "C"), Wire("a", "resources", "bC")
    made = finished({"Resources": {"A": {"Type": "X::Y", "Properties": {"One": wired(first), "Two": wired(second)}}}})
    assert set(made.parameters.values()) == {first, second}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"Type": "AWS::DynamoDB::Table"}, [{"Key": "App", "Value": "web"}]),
        ({"Type": "AWS::SSM::Parameter"}, {"App": "web"}),
        (
            {"Type": "AWS::AutoScaling::AutoScalingGroup"},
            [{"Key": "App", "Value": "web", "PropagateAtLaunch": True}],
        ),
        (
            {"Type": "AWS::DynamoDB::Table", "Properties": {"Tags": [{"Key": "App", "Value": "mine"}]}},
            [{"Key": "App", "Value": "mine"}],
        ),
        ({"Type": "AWS::SSM::Parameter", "Properties": {"Tags": {"App": "mine", "B": "c"}}}, {"App": "mine", "B": "c"}),
        ({"Type": "AWS::SSM::Parameter", "Properties": {"Tags": {"Fn::If": [1, 2, 3]}}}, {"Fn::If": [1, 2, 3]}),
    ],
)
def test_tags_when_a_resource_takes_them_then_it_has_the_standard_ones_under_its_own(
    resource: dict[str, Any], expected: Any
) -> None:
    assert finished({"Resources": {"A": resource}}).body["Resources"]["A"]["Properties"]["Tags"] == expected


def test_tags_when_a_resource_takes_none_then_it_is_as_it_was() -> None:
    rule = {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {"IpProtocol": "tcp"}}
    assert finished({"Resources": {"A": rule}}).body["Resources"]["A"] == rule


@pytest.mark.parametrize(("stage", "anchored"), [("security", True), ("resources", True), ("rules", False), ("logs", False)])
def test_anchor_when_builds_hold_a_stage_then_it_is_exported(stage: str, anchored: bool) -> None:
    outputs = finished({"Resources": TABLE}, stage).body.get("Outputs", {})
    assert ("Anchor" in outputs) is anchored


def test_template_when_it_has_outputs_only_then_it_has_a_resource_that_does_nothing() -> None:
    made = finished({"Outputs": {"A": {"Value": "b"}}})
    assert [resource["Type"] for resource in made.body["Resources"].values()] == ["AWS::CloudFormation::WaitConditionHandle"]


def test_template_when_nothing_is_in_it_then_there_is_none() -> None:
    assert Finisher("orders", "logs", "s", {}).finish({"Resources": {}}, description="", tags={}) is None


def test_parameters_when_the_template_declares_its_own_then_their_values_are_given() -> None:
    made = finished({
        "Parameters": {"Size": {"Type": "Number"}, "Names": {"Type": "CommaDelimitedList"}, "Arn": {"Type": "String"}},
        "ParameterValues": {"Size": 5, "Names": ["a", "b"], "Arn": wired(Wire("x", "resources", "Arn"))},
        "Resources": TABLE,
    })  # fmt: skip
    assert made.parameters == {"Size": "5", "Names": "a,b", "Arn": Wire("x", "resources", "Arn")}
    assert "ParameterValues" not in made.body


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"Resources": {"A": {"Properties": {}}}}, "has no Type"),
        ({"Resources": TABLE, "Ressources": {"A": 1}}, "unknown section 'Ressources'"),
        (
            {"Resources": TABLE, "Parameters": {"A": {"Type": "String"}}, "ParameterValues": {"A": {"Fn::Sub": "x"}}},
            "cannot be Fn::Sub",
        ),
    ],
)
def test_template_when_it_is_none_then_the_error_says_so(body: dict[str, Any], words: str) -> None:
    with pytest.raises(TemplateError, match=words):
        finished(body)
