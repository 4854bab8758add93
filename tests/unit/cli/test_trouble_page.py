"""The manual's page on failures tells of commands and options that exist, and of advice that is really given."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.main import app
from core_lib.execute.failures import KNOWN_CAUSES, known_cause
from core_lib.framework.errors import PreflightError
from core_lib.framework.models import ErrorInfo

PAGE = (Path(__file__).parents[3] / "docs" / "trouble.md").read_text(encoding="utf-8")
COMMANDS = sorted(
    {found.strip() for found in re.findall(r"^core [^#\n]*", PAGE, re.MULTILINE)} | set(re.findall(r"`(core [^`]*)`", PAGE))
)


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command these words lead to, and the words that are left for it."""
    found: Any = typer.main.get_command(app)
    rest = list(words)
    while getattr(found, "commands", None):
        assert rest[0] in found.commands, f"there is no command {rest[0]}"
        found, rest = found.commands[rest[0]], rest[1:]
    return found, rest


def test_page_when_read_then_it_shows_commands() -> None:
    assert len(COMMANDS) >= 8


@pytest.mark.parametrize("line", COMMANDS)
def test_command_when_the_page_shows_it_then_it_exists_with_its_options(line: str) -> None:
    command, rest = command_of(shlex.split(line)[1:])
    known = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= known


def test_example_when_the_page_shows_why_and_next_then_that_is_what_the_table_of_causes_says() -> None:
    text = re.search(r"FAILED .*?\n\s+(the stack ended .*)\n\s+why\s+(.*)\n\s+next\s+(.*)\n", PAGE)
    assert text is not None
    message, why, advice = text.groups()
    cause = known_cause(ErrorInfo(code="CORE-4003", message=message))
    assert cause is not None
    assert (cause.title, cause.fix) == (why, advice)
    assert cause in KNOWN_CAUSES


def test_page_when_it_names_the_code_of_a_preflight_then_that_is_the_code() -> None:
    assert f"`{PreflightError.code}`" in PAGE
