"""Which templates mean the same resources every time."""

from __future__ import annotations

import pytest

from core_lib.execute.stacks.unchanged import is_self_contained

PLAIN = b"Resources: {Topic: {Type: AWS::SNS::Topic}}"


@pytest.mark.parametrize(
    "template",
    [
        PLAIN,
        b"Transform: AWS::LanguageExtensions\n" + PLAIN,
        b'{"Transform": "AWS::Serverless-2016-10-31", "Resources": {}}',
        b"Description: Transformation of data\n" + PLAIN,
    ],
)
def test_template_when_all_of_it_is_in_the_file_then_it_is_self_contained(template: bytes) -> None:
    assert is_self_contained(template)


@pytest.mark.parametrize(
    "template",
    [
        b"Transform: Company::Macro\n" + PLAIN,
        b"Transform: [AWS::LanguageExtensions, Company::Macro]\n" + PLAIN,
        b"Transform:\n  - AWS::LanguageExtensions\n" + PLAIN,
        b"Resources: {A: {Fn::Transform: {Name: AWS::Include}}}",
        b"Resources: {A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: https://x}}}",
        b"Resources: {A: {Properties: {Value: '{{resolve:ssm:/a}}'}}}",
    ],
)
def test_template_when_something_comes_from_elsewhere_then_cloudformation_has_to_be_asked(template: bytes) -> None:
    assert not is_self_contained(template)
