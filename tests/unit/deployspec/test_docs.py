"""The manual's examples compile."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core_lib.framework.models import Task
from tests.unit.deployspec.builders import compiled

DOCS = Path(__file__).parents[3] / "docs"
PAGE = DOCS / "deployspec.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
OF_IMAGES = re.findall(r"```yaml\n(.*?)```", (DOCS / "actions-images.md").read_text(), re.DOTALL)
BAKERY = """
Resources: {Instance: {Type: "AWS::EC2::Instance", Properties: {ImageId: ami-12345678}}}
Outputs: {InstanceId: {Value: {Ref: Instance}}}
"""


def test_page_when_read_then_it_has_examples() -> None:
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_when_compiled_then_every_task_has_a_plan_without_a_warning(example: str) -> None:
    result = compiled(example)
    assert set(result.plans) >= {Task.DEPLOY, Task.PLAN, Task.APPLY}
    assert result.warnings == ()


def test_examples_of_images_when_compiled_then_the_chain_follows_its_outputs_and_nothing_is_warned_about() -> None:
    chain, teardown = (compiled(example, files={"bake.yaml": BAKERY}) for example in OF_IMAGES)
    assert (chain.warnings, teardown.warnings) == ((), ())
    actions = {action.name: action for action in chain.plan(Task.DEPLOY).actions}
    waits = {name: sorted(each.partition("@")[0] for each in action.depends_on) for name, action in actions.items()}
    assert waits == {
        "bake": [], "image": ["bake"], "encrypted": ["image"], "unencrypted": ["encrypted", "image"], "share": ["encrypted"],
        "duplicate": ["encrypted"],
    }  # fmt: skip
