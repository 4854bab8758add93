"""Questions before something changes."""

from __future__ import annotations

import sys

from cli.exit_codes import ExitCode
from cli.shell import Shell
from core_lib.framework.errors import InputError


def confirm(shell: Shell, question: str, *, yes: bool) -> None:
    """Ask; anything but yes ends the command with exit code 5. Where nobody can answer, `--yes` is required.

    Raises:
        InputError: there is no terminal to ask on, or the output is JSON.
    """
    if not agreed(shell, question, yes=yes):
        shell.say("Nothing was changed.")
        shell.done(ExitCode.CANCELLED)


def agreed(shell: Shell, question: str, *, yes: bool) -> bool:
    """Whether the answer is yes; `--yes` says so for all questions.

    Raises:
        InputError: there is no terminal to ask on, or the output is JSON.
    """
    if yes:
        shell.say(f"{question} yes (--yes)")
        return True
    if shell.json_mode or not sys.stdin.isatty():
        raise InputError("this needs a yes, and there is nobody to ask", where=question, hint="add --yes")
    shell.err.print(f"{question} [y/N] ", end="", markup=False)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
