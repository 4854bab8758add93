"""Filters of the component compiler."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_lib.component.filters import (
    as_lines,
    bucket_name,
    cfn_template,
    digest,
    image_alias,
    image_family,
    named,
    of_zone,
    without,
)
from core_lib.framework.errors import RenderError
from tests.builders.component_facts import component_facts

SUBNETS = {"private": ["subnet-1"], "public": ["subnet-2"], "empty": []}


@pytest.mark.parametrize(
    ("wanted", "usual", "found"),
    [("public", ("data",), "subnet-2"), (None, ("data", "private"), "subnet-1"), (None, ("empty", "private"), "subnet-1")],
)
def test_of_zone_takes_what_is_wanted_else_the_first_usual_zone_there_is(
    wanted: str | None, usual: tuple[str, ...], found: str
) -> None:
    assert of_zone(SUBNETS, wanted, *usual) == [found]


def test_of_zone_never_falls_back_from_a_zone_that_was_asked_for() -> None:
    with pytest.raises(RenderError, match="zone data are known") as raised:
        of_zone(SUBNETS, "data", "private")
    assert "private, public" in str(raised.value.hint)


def test_digest_is_the_same_for_equal_values_and_another_for_others() -> None:
    assert digest({"A": 1, "B": [2]}) == digest({"B": [2], "A": 1})
    assert digest({"A": 1}) != digest({"A": 2})
    assert digest("x").isalnum()


def test_bucket_name_is_short_and_differs_by_account_and_region() -> None:
    names = {bucket_name(base, account, region) for base in ("a", "b" * 90) for account in "12" for region in ("x", "y")}
    assert len(names) == 8
    assert all(len(name) <= 63 and name == name.lower() for name in names)


@given(st.text(alphabet="abcdefghij.-_ABC019", min_size=1, max_size=100))
def test_bucket_name_is_one_that_s3_takes(base: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", bucket_name(f"x{base}", "1", "eu-west-1"))


@pytest.mark.parametrize(
    ("image", "alias"),
    [("ami-1", "linux"), ("{{resolve:ssm:/aws/service/x}}", "windows"), ("ami-9", None), ({"Ref": "ImageId"}, None)],
)
def test_image_alias_tells_what_an_image_was_named_by(image: str, alias: str | None) -> None:
    assert image_alias(image, {"windows": "/aws/service/x", "linux": "ami-1", "zz": "ami-1"}) == alias


def test_cfn_template_reads_short_tags_as_their_long_forms() -> None:
    made = cfn_template("Resources:\n  A: {Type: AWS::SNS::Topic}\nOutputs:\n  Arn: {Value: !GetAtt A.TopicArn}\n")
    assert made["Outputs"]["Arn"]["Value"] == {"Fn::GetAtt": ["A", "TopicArn"]}
    assert cfn_template('{"Resources": {}}') == {"Resources": {}}


def test_cfn_template_refuses_what_is_none() -> None:
    with pytest.raises(RenderError, match="no Resources"):
        cfn_template("Parameters: {}")


@pytest.mark.parametrize(
    ("image", "family"),
    [
        ("ami-0123456789abcdef0", "amazon"),
        ("ami-0fedcba9876543210", "windows"),
        ("ami-00112233445566778", "rhel"),
        ("ami-0aaaaaaaaaaaaaaaa", ""),
        ("{{resolve:ssm:/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base}}", "windows"),
        ("{{resolve:ssm:/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id}}", "ubuntu"),
        ({"Fn::Pipeline::Wire": ["win-base", "resources", "ImageId"]}, "windows"),
        ({"Fn::Pipeline::Wire": ["twin-app", "resources", "ImageId"]}, ""),
    ],
)
def test_image_family_when_a_name_tells_it_then_it_is_known(image: Any, family: str) -> None:
    assert image_family(image, component_facts()["ImageAliases"]) == family


def test_as_lines_when_a_value_has_lines_or_is_known_at_run_time_then_each_name_has_one_line() -> None:
    joined = {"Fn::Join": ["", ["B=", {"Ref": "X"}]]}
    assert as_lines({"A": "one\ntwo", "B": {"Ref": "X"}, "C": 3}) == ["A=one two", joined, "C=3"]


def test_named_when_a_text_is_a_name_then_it_is_a_reference() -> None:
    assert [named(value, ["Web"]) for value in ("Web", "arn:x", {"Ref": "Web"})] == [{"Ref": "Web"}, "arn:x", {"Ref": "Web"}]


def test_without_when_names_are_given_then_their_keys_are_left_out() -> None:
    assert without({"A": 1, "B": 2}, ["B", "C"]) == {"A": 1}
