"""The examples of the page about rollouts are what it says they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.request import waves_of
from core_lib.db import merge_layers
from core_lib.deployspec.freezes import freeze_windows
from core_lib.framework.codecs import load_yaml
from core_lib.framework.models import Task, tolerated
from tests.unit.deployspec.builders import FACTS, compiled
from tests.unit.deployspec.test_waves import FLEET

PAGE = (Path(__file__).parents[3] / "docs" / "rollouts.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", [text for text in EXAMPLES if "Actions:" in text])
def test_example_when_compiled_then_it_has_waves_and_no_warning(example: str) -> None:
    result = compiled(example, accounts=FLEET)
    assert result.warnings == ()
    assert all(len(result.plan(task).waves) >= 3 for task in (Task.DEPLOY, Task.PLAN, Task.APPLY, Task.TEARDOWN))


def test_example_of_a_file_with_waves_when_read_then_it_can_be_used(tmp_path: Path) -> None:
    (example,) = (text for text in EXAMPLES if text.startswith("- {Name: europe"))
    (tmp_path / "waves.yaml").write_text(example)
    assert [wave.title for wave in waves_of(tmp_path / "waves.yaml")] == ["europe", "elsewhere"]


def test_example_of_freeze_windows_when_read_then_they_are_windows() -> None:
    (example,) = (text for text in EXAMPLES if text.startswith("FreezeWindows:"))
    facts = merge_layers([("base", FACTS), ("client", load_yaml(example, "rollouts.md").data)])
    assert len(freeze_windows(facts)) == 4


def test_table_of_tolerances_when_counted_then_it_is_right() -> None:
    rows = re.findall(r"^\| (\d+) \| (not given|`[^`]+`) \| (\d+) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 4
    for targets, given, may_fail in rows:
        assert tolerated("0" if given == "not given" else given.strip("`"), int(targets)) == int(may_fail)
