"""Every CLI test runs in an empty folder, with a state folder of its own, and leaves the environment as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    for name in [name for name in os.environ if name.startswith(("CORE_", "AWS_", "PREFECT_API"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CORE_STATE_DIR", str(tmp_path / "state"))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder
