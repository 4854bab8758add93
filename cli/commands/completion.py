"""`core completion`: the script that makes the shell complete commands and options."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from cli.shell import Shell, command


class CompletionShell(StrEnum):
    """Shells that can complete `core`."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(app, "completion")(completion)


def completion(shell: Shell, which: Annotated[CompletionShell, typer.Argument(metavar="bash|zsh|fish")]) -> None:
    """Print the completion script, e.g. for `eval "$(core completion bash)"`."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined] # what --show-completion prints

    script = get_completion_script(prog_name="core", complete_var="_CORE_COMPLETE", shell=which.value)
    shell.emit({"Shell": which.value, "Script": script}, script)
