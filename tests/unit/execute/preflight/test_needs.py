"""What a template needs and brings is read from its text alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.execute.preflight.needs import Needs, needs_of

PLACE = {"AWS::Region": "eu-west-1", "AWS::AccountId": "111111111111", "AWS::StackName": "app"}


def read(template: str, **parameters: str) -> Needs:
    return needs_of(template.encode(), parameters, PLACE)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("hub-vpc", "hub-vpc"),
        ("!Sub 'hub-${AWS::Region}-${Stage}'", "hub-eu-west-1-prod"),
        ("{'Fn::Sub': '${Stage}-vpc'}", "prod-vpc"),
        ("!Join ['-', [hub, !Ref Stage]]", "hub-prod"),
        ("!Ref Stage", "prod"),
    ],
)
def test_import_when_its_name_follows_from_parameters_then_it_is_known(written: str, name: str) -> None:
    template = f"""
Parameters: {{Stage: {{Type: String, Default: dev}}}}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: {{DisplayName: {{'Fn::ImportValue': {written}}}}}
"""
    assert read(template, Stage="prod").imports == {name}


def test_import_when_its_name_takes_more_to_tell_then_it_is_left_alone() -> None:
    template = "Resources: {X: {Type: 'A::B::C', Properties: {V: {'Fn::ImportValue': {'Fn::GetAtt': [Y, Name]}}}}}"
    assert read(template).imports == frozenset()


def test_export_when_its_name_cannot_be_told_then_the_template_may_export_anything() -> None:
    known = "Outputs: {A: {Value: x, Export: {Name: !Sub '${AWS::StackName}-a'}}}"
    unknown = "Outputs: {A: {Value: x, Export: {Name: !GetAtt X.Name}}}"
    assert (read(known).exports, read(known).open_exports) == ({"app-a"}, False)
    assert (read(unknown).exports, read(unknown).open_exports) == (frozenset(), True)


def test_ssm_when_parameters_follow_it_or_texts_resolve_it_then_the_names_are_known_without_version() -> None:
    template = """
Parameters:
  Ami: {Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>', Default: '/images/base:3'}
  Shared: {Type: 'AWS::SSM::Parameter::Value<String>', Default: 'arn:aws:ssm:eu-west-1:222222222222:parameter/x'}
  Plain: {Type: String, Default: /not/one}
Resources:
  A: {Type: 'AWS::SNS::Topic', Properties: {DisplayName: '{{resolve:ssm:/texts/name:2}}'}}
  B: {Type: 'AWS::SSM::Parameter', Properties: {Name: /made/here, Type: String, Value: x}}
  C: {Type: 'AWS::IAM::Role'}
"""
    found = read(template)
    assert found.ssm == {"/images/base", "/texts/name"}
    assert (found.makes_ssm, found.open_ssm, found.makes_roles) == ({"/made/here"}, False, True)
    assert read(template, Ami="/images/other").ssm == {"/images/other", "/texts/name"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Type", "Default", "Export", "Name", "Properties", "Ref", "Fn::Sub", "Fn::ImportValue", "Fn::Join"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["Parameters", "Resources", "Outputs"]), JSON | st.dictionaries(st.text(), JSON)))
def test_template_when_it_has_any_shape_then_reading_it_never_fails(template: dict[str, Any]) -> None:
    assert isinstance(needs_of(json.dumps(template).encode(), {}, PLACE), Needs)


def test_template_when_it_cannot_be_read_then_it_needs_nothing() -> None:
    assert read("a: [") == Needs()
