"""Patches for accepted drift: what a template says literally is changed, everything else is told with its reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from core_lib.db import DriftRecord, StackRecord
from core_lib.fleet import accept_patch
from core_lib.framework.models import FileRef, PropertyDrift, ResourceDrift
from core_lib.report import group_id

NOW = datetime(2026, 11, 25, tzinfo=UTC)
TEMPLATE = """\
Resources:
  Topic:  # the topic
    Type: AWS::SNS::Topic
    Properties:
      DisplayName: "old"
      Count: 3
      Name: !Sub "${AWS::StackName}-topic"
      Ref: {Ref: Name}
      Tags:
        - {Key: a, Value: b}
  Bare:
    Type: AWS::SNS::Topic
"""


class Cmdb:
    """Stack records, all of one template."""

    def __init__(self) -> None:
        self.stacks = self

    def get_many(self, target: str) -> dict[str, StackRecord]:
        template = FileRef(path="topics/topic.yaml", key="files/topic", sha256="0" * 64, size=1)
        return {"app": StackRecord(target=target, stack_name="app", fingerprint="f", stack_id="i", template=template)}


class Store:
    def get(self, key: str) -> bytes:
        assert key == "files/topic"
        return TEMPLATE.encode()


def drifted(*properties: PropertyDrift, account: str = "111111111111", logical: str = "Topic", **more: Any) -> DriftRecord:
    resource = ResourceDrift(
        logical_id=logical, resource_type="AWS::SNS::Topic", **{"status": "MODIFIED", "properties": properties, **more}
    )
    return DriftRecord(
        target=f"{account}/eu-west-1", stack_name="app", status="DRIFTED", first_seen=NOW, last_seen=NOW, checked_at=NOW,
        groups=(group_id(resource),), resources=(resource,),
    )  # fmt: skip


def patch(*records: DriftRecord) -> Any:
    return accept_patch(Cmdb(), Store(), records[0].groups[0], records)  # type: ignore[arg-type]


def test_patch_when_values_are_literal_then_they_change_and_the_rest_stays() -> None:
    found = patch(
        drifted(
            PropertyDrift(path="/DisplayName", kind="NOT_EQUAL", expected="old", actual="new"),
            PropertyDrift(path="/Count", kind="NOT_EQUAL", expected="3", actual="4"),
            PropertyDrift(path="/Tags/0/Value", kind="NOT_EQUAL", expected="b", actual="c"),
            PropertyDrift(path="/Tags/1", kind="ADD", actual='{"Key": "d", "Value": "e"}'),
        )
    )
    added = [line for line in found.text.splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert added == [
        '+      DisplayName: "new"',
        "+      Count: 4",
        "+        - {Key: a, Value: c}",
        "+        - Key: d",
        "+          Value: e",
    ]
    assert (found.files, found.left) == (("topics/topic.yaml",), ())


def test_patch_when_a_property_was_added_or_removed_then_it_is_in_the_template_or_no_longer() -> None:
    removed = patch(drifted(PropertyDrift(path="/DisplayName", kind="REMOVE", expected="old")))
    assert '-      DisplayName: "old"' in removed.text
    assert "\n+ " not in removed.text
    added = patch(drifted(PropertyDrift(path="/DisplayName", kind="ADD", actual="new"), logical="Bare"))
    assert "+    Properties:\n+      DisplayName: new" in added.text


@pytest.mark.parametrize(
    ("drift", "reason"),
    [
        (PropertyDrift(path="/Name", kind="NOT_EQUAL", expected="x", actual="y"), "the template computes it"),
        (PropertyDrift(path="/Ref", kind="NOT_EQUAL", expected="x", actual="y"), "the template computes it"),
        (PropertyDrift(path="/Missing/Deep", kind="NOT_EQUAL", expected="x", actual="y"), "does not say it at that place"),
        (PropertyDrift(path="/DisplayName", kind="NOT_EQUAL", expected="x", actual="********"), "may be a secret"),
        (PropertyDrift(path="/DisplayName", kind="NOT_EQUAL", expected="x", actual="y..."), "too long"),
    ],
)
def test_patch_when_it_cannot_be_said_literally_then_there_is_a_reason_instead(drift: PropertyDrift, reason: str) -> None:
    found = patch(drifted(drift))
    assert found.text == ""
    assert reason in found.left[0]


def test_patch_when_stacks_differ_or_resources_are_gone_or_nested_then_there_is_a_reason_instead() -> None:
    one = PropertyDrift(path="/DisplayName", kind="NOT_EQUAL", expected="old", actual="one")
    two = one.but(actual="two")
    assert "differs between stacks (2 values)" in patch(drifted(one), drifted(two, account="222222222222")).left[0]
    assert patch(drifted(one), drifted(one, account="222222222222")).left == ()
    assert "was deleted" in patch(drifted(status="DELETED")).left[0]
    assert "nested stack" in patch(drifted(one, stack="Child")).left[0]
