"""What all commands share: options, one JSON document, short errors, exit codes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner, Result

from cli.shell import OptionGroup, Shell, command, pascal_keys, read_overrides, to_json
from core_lib.framework.errors import CompileError, InputError


@dataclass(frozen=True)
class Colours(OptionGroup):
    colour: Annotated[str, typer.Option()] = "red"
    shade: Annotated[list[str] | None, typer.Option("--shade")] = None


def run(function: object, *arguments: str) -> Result:
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    command(app, "go")(function)  # type: ignore[arg-type]
    return CliRunner().invoke(app, list(arguments))


def failing(error: BaseException) -> object:
    def go(shell: Shell) -> None:
        """Fail."""
        raise error

    return go


def test_command_gets_its_options_its_groups_and_the_shell() -> None:
    seen: list[object] = []

    def go(shell: Shell, colours: Colours, name: Annotated[str, typer.Argument()]) -> None:
        """Look."""
        seen.extend([shell.client, dict(shell.overrides), shell.state_dir, colours, name])

    result = run(
        go, "x", "--client", "acme", "--config", "aws.region=eu-west-1", "--state-dir", "there", "--shade", "a", "--shade", "b"
    )

    assert result.exit_code == 0, result.output
    assert seen == ["acme", {"aws.region": "eu-west-1"}, Path("there"), Colours("red", ["a", "b"]), "x"]


def test_emit_when_json_is_asked_for_writes_one_document_and_nothing_else() -> None:
    def go(shell: Shell) -> None:
        """Emit."""
        shell.say("on the way")
        shell.emit({"A": [1]}, "text for people")

    result = run(go, "--json")

    assert json.loads(result.stdout) == {"A": [1]}
    assert "on the way" in result.stderr


def test_emit_when_people_read_writes_the_text() -> None:
    def go(shell: Shell) -> None:
        """Emit."""
        shell.emit({"A": 1}, "text for people")

    assert run(go).stdout == "text for people\n"


def test_core_error_is_shown_with_code_place_and_hint_and_without_traceback() -> None:
    result = run(failing(CompileError("no such thing", where="deployspec.yaml:3:5", hint="remove it")))

    assert result.exit_code == 3
    assert result.stdout == ""
    assert result.stderr == "Error CORE-2000: no such thing\n  where: deployspec.yaml:3:5\n  hint: remove it\n"


def test_core_error_in_json_mode_is_one_document() -> None:
    result = run(failing(CompileError("no such thing", where="here")), "--json")

    assert result.exit_code == 3
    assert json.loads(result.stdout) == {
        "Error": {"Code": "CORE-2000", "Message": "no such thing", "Where": "here"},
        "ExitCode": 3,
    }


def test_unexpected_error_is_one_line_and_its_traceback_is_in_the_named_file(tmp_path: Path) -> None:
    result = run(failing(ZeroDivisionError("by zero")), "--state-dir", str(tmp_path), "--json")

    assert result.exit_code == 70
    problem = json.loads(result.stdout)["Error"]
    assert problem["Message"] == "unexpected ZeroDivisionError: by zero"
    assert Path(problem["Log"]) == tmp_path / "logs" / "cli-errors.log"
    assert "Traceback" in Path(problem["Log"]).read_text()
    assert "Traceback" not in result.output


def test_unexpected_error_without_a_state_folder_makes_none(tmp_path: Path) -> None:
    missing = tmp_path / "missing"

    result = run(failing(ZeroDivisionError("by zero")), "--state-dir", str(missing), "--json")

    log = Path(json.loads(result.stdout)["Error"]["Log"])
    assert "Traceback" in log.read_text()
    assert not missing.exists()
    log.unlink()


def test_interrupt_ends_with_130() -> None:
    result = run(failing(KeyboardInterrupt()))

    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")


@pytest.mark.parametrize("pair", ["novalue", "=1", " =1"])
def test_override_when_it_is_not_a_pair_is_refused(pair: str) -> None:
    with pytest.raises(InputError, match="KEY=VALUE"):
        read_overrides([pair])


def test_override_keeps_equals_signs_in_its_value() -> None:
    assert read_overrides(["a.b=c=d", "e="]) == {"a.b": "c=d", "e": ""}


def test_to_json_writes_times_paths_and_sets() -> None:
    text = to_json({"T": datetime(2026, 1, 2, tzinfo=UTC), "P": Path("a/b"), "S": {"b", "a"}})

    assert json.loads(text) == {"T": "2026-01-02T00:00:00+00:00", "P": "a/b", "S": ["a", "b"]}


def test_pascal_keys_descends_into_lists_and_maps() -> None:
    assert pascal_keys({"state_dir": 1, "members": [{"a_b": {"c_d": 2}}]}) == {"StateDir": 1, "Members": [{"AB": {"CD": 2}}]}
