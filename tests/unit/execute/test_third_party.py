"""A package of somebody else, installed for real, whose kind joins the catalogue and runs. The docs show the same package."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "own-kinds.md"
BLOCK = re.compile(r"```(?:toml|python) title=\"([\w/.]+)\"\n(.*?)```", re.DOTALL)

RUN = """
import json
from core_lib.execute import catalogue, json_schema, reference_markdown
from tests.builders.carry import carry_through
from tests.builders.contexts import context_of

step, _ = carry_through("ACME::Greet", context_of("ACME::Greet", Name="Ann"))
schema = list(json_schema("greet")["properties"])
documented = "### ACME::Greet" in reference_markdown()
print(json.dumps({"outputs": step.outputs, "schema": schema, "documented": documented}))
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The package of the page, installed into a folder of its own."""
    source, target = tmp_path / "source", tmp_path / "target"
    for name, text in BLOCK.findall(PAGE.read_text()):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--target", str(target), str(source)], check=True, capture_output=True, timeout=100)
    return target


def test_package_when_installed_then_its_kind_is_found_documented_and_runs(installed: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{installed}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", RUN], env=environment, capture_output=True, text=True, timeout=100, check=False, cwd=installed
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"outputs": {"Greeting": "Hello, Ann"}, "schema": ["Name"], "documented": True}
