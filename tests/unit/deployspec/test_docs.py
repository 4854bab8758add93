"""The manual's examples compile."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core_lib.framework.models import Task
from tests.unit.deployspec.builders import compiled

PAGE = Path(__file__).parents[3] / "docs" / "deployspec.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_page_when_read_then_it_has_examples() -> None:
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_when_compiled_then_every_task_has_a_plan_without_a_warning(example: str) -> None:
    result = compiled(example)
    assert set(result.plans) >= {Task.DEPLOY, Task.PLAN, Task.APPLY}
    assert result.warnings == ()
