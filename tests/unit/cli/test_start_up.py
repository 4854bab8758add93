"""`core --help` answers at once, because no command's rooms are imported before the command runs."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer.main
from typer.testing import CliRunner

from cli.main import app

COMMANDS = (
    "up", "down", "status", "init", "validate", "compile", "plan", "apply", "deploy", "release", "teardown", "runs", "facts",
    "why", "targets", "registry", "schema", "info", "completion",
)  # fmt: skip
HEAVY = ("prefect", "boto3", "botocore", "pydantic", "rich", "yaml", "cfnlint", "deployments", "flows", "core_lib.db", "jinja2")


def imported_by(statement: str) -> set[str]:
    """Names of the modules that are loaded after `statement` in a fresh interpreter."""
    program = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_main_imports_nothing_heavy() -> None:
    loaded = imported_by("import cli.main")

    assert not [name for name in HEAVY if name in loaded]


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_there_and_explains_itself(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"])

    assert result.exit_code == 0
    assert "Usage: " in result.output


@pytest.mark.parametrize("path", sorted(
    f"{name} {inner}" if inner else name
    for name, member in typer.main.get_command(app).commands.items()  # type: ignore[attr-defined]
    for inner in getattr(member, "commands", None) or [""]
))  # fmt: skip
def test_every_command_takes_json_and_the_other_shared_options(path: str) -> None:
    output = CliRunner().invoke(app, [*path.split(), "--help"], terminal_width=200).output

    for option in ("--json", "--client", "--config", "--state-dir"):
        assert option in output


def test_unknown_command_when_mistyped_suggests_the_right_one() -> None:
    result = CliRunner().invoke(app, ["depoly"])

    assert result.exit_code == 2
    assert "Did you mean 'deploy'" in result.stderr
