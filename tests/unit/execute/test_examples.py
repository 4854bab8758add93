"""Every kind is documented, has a schema, and its example runs somewhere in the tests."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from core_lib.execute import catalogue, json_schema, reference_markdown

AWAITED = frozenset({
    "AWS::ContinueUpdateRollback", "AWS::CopyImage", "AWS::CreateCloudFrontInvalidation", "AWS::CreateImage",
    "AWS::CreateStackSet", "AWS::DeleteEcrRepository", "AWS::DeleteImage", "AWS::DeleteSecurityGroupEnis",
    "AWS::DeleteStackInstances", "AWS::DeleteStackSet", "AWS::DeployStackInstances", "AWS::DetectDrift",
    "AWS::DuplicateImageToAccount", "AWS::EmptyBucket", "AWS::GetStackReferences", "AWS::ImportResources",
    "AWS::KMS::CreateGrants", "AWS::RDS::ModifyDbInstance", "AWS::RevertDrift",
    "AWS::ReviewDeletion", "AWS::ShareImage", "AWS::UnprotectELB",
    "SYSTEM::Approval", "SYSTEM::WaveGate",
})  # fmt: skip
"""Kinds whose tests run them with other parameters than their example so far. A new kind does not belong here."""

TESTS = Path(__file__).parents[2]
_MARK = re.compile(r"""mark\.example\(\s*((?:["'][A-Za-z:0-9]+["'][,\s]*)+)\)""")


@cache
def with_running_examples() -> frozenset[str]:
    """Kinds that a test claims with `@pytest.mark.example("AWS::Kind", ...)`, wherever it is."""
    texts = (path.read_text() for path in TESTS.rglob("test_*.py"))
    return frozenset(kind for text in texts for marks in _MARK.findall(text) for kind in re.findall(r"[A-Z]\w+(?:::\w+)+", marks))


@pytest.mark.parametrize("kind", sorted(set(catalogue()) - AWAITED))
def test_kind_when_in_the_catalogue_then_a_test_runs_its_example(kind: str) -> None:
    assert kind in with_running_examples(), f'mark the test that runs it: @pytest.mark.example("{kind}")'


def test_marks_when_they_name_kinds_then_these_exist_and_are_awaited_no_longer() -> None:
    assert with_running_examples() <= set(catalogue())
    assert not with_running_examples() & AWAITED
    assert set(catalogue()) >= AWAITED


@pytest.mark.parametrize("kind", list(catalogue()))
def test_parameters_when_documented_then_each_says_what_it_means(kind: str) -> None:
    undocumented = [name for name, item in json_schema(kind).get("properties", {}).items() if not item.get("description")]
    assert not undocumented
    assert f"### {kind}\n" in reference_markdown()
