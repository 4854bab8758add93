"""Sceptre in a virtual environment of its own, made once under `build/`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "4.6.0"
HOME = Path("build") / "benchmarks" / f"sceptre-{VERSION}"


def sceptre_command() -> Path:
    """Path of the `sceptre` command; installs it when it is not there yet.

    Raises:
        CalledProcessError: it cannot be installed.
    """
    command = (HOME / "bin" / "sceptre").resolve()
    if not command.exists():
        shutil.rmtree(HOME, ignore_errors=True)
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(HOME)], check=True)
        python = str(HOME / "bin" / "python")
        subprocess.run([uv, "pip", "install", "--quiet", "--python", python, f"sceptre=={VERSION}", "setuptools<81"], check=True)
    return command
