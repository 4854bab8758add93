"""Runs `core` commands as a person would type them, showing each before its output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console

SCREEN = Console(highlight=False)
CORE = str(Path(sys.executable).with_name("core"))


class Unexpected(Exception):
    """A command ended otherwise than the story says."""


def say(title: str, text: str = "") -> None:
    """A headline of the story, and a sentence on what comes."""
    SCREEN.print()
    SCREEN.rule(f"[bold]{title}[/bold]", align="left")
    if text:
        SCREEN.print(text, style="dim")


def core(*arguments: str, expect: int = 0) -> float:
    """Run a command with its output on the screen; how many seconds it took."""
    SCREEN.print(f"\n[bold green]$ core {' '.join(arguments)}[/bold green]")
    started = time.monotonic()
    code = subprocess.run([CORE, *arguments], check=False).returncode
    if code != expect:
        raise Unexpected(f"'core {' '.join(arguments)}' ended with exit code {code}, expected {expect}")
    return time.monotonic() - started


def ask(*arguments: str) -> Any:
    """The JSON answer of a command, nothing on the screen."""
    answer = subprocess.run([CORE, *arguments, "--json"], stdout=subprocess.PIPE, check=False)
    if answer.returncode != 0:
        raise Unexpected(f"'core {' '.join(arguments)} --json' ended with exit code {answer.returncode}")
    return json.loads(answer.stdout)


def unattended() -> bool:
    """Whether nobody is there to press Ctrl-C."""
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")
