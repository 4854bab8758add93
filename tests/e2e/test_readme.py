"""The README's five minutes, typed as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SET_UP = {"make setup", "source .venv/bin/activate"}  # that is where this test already is


def commands() -> list[str]:
    """Every line of the README's bash blocks."""
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line and line not in SET_UP]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_readme_when_its_commands_are_typed_in_order_then_each_of_them_works(tmp_path: Path) -> None:
    lines = commands()
    assert lines[0] == "core up"
    assert lines[-1] == "core down"
    script = "\n".join(["set -euo pipefail", "trap 'core down' EXIT", *lines])
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CORE_", "PREFECT_", "CI"))}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CORE_STATE_DIR": str(tmp_path / "state"),
        "CORE_LOCAL__GATEWAY_PORT": "0",
        "CORE_LOCAL__PREFECT_PORT": "0",
    }
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "482 succeeded; 482 changed something" in done.stdout
    assert "482 succeeded; 0 changed something" in done.stdout
    assert "The platform is down." in done.stdout
