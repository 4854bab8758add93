"""A wrong call (no such command, a missing argument) is an error like every other: a code, an exit code, one JSON document."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

import typer
from typer.core import TyperGroup

from cli.exit_codes import ExitCode
from cli.shell import show
from core_lib.framework.errors import InputError

_LONGEST = 500


class Entrance(TyperGroup):
    """The outermost command."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line and end the process; what typer refuses is told as the platform tells its own errors."""
        arguments = list(sys.argv[1:] if args is None else args)
        run = partial(super().main, arguments, prog_name, complete_var, False, windows_expand_args, **extra)
        if not standalone_mode:
            return run()
        try:
            code = run()
        except typer.TyperException as error:
            code = _tell(error, json_mode="--json" in arguments)
        sys.exit(code if isinstance(code, int) else int(ExitCode.OK))


def _tell(error: typer.TyperException, *, json_mode: bool) -> int:
    message = error.format_message()
    if message.startswith("Usage:"):
        if not json_mode:
            print(message, file=sys.stderr)
            return int(ExitCode.BAD_INPUT)
        message = "a command is missing"
    context = getattr(error, "ctx", None)
    path = str(context.command_path) if context is not None else "core"
    shown = message if len(message) <= _LONGEST else f"{message[:_LONGEST]}..."
    problem = InputError(shown, where=path, hint=f"{path} --help")
    show(problem.as_dict(), ExitCode.BAD_INPUT, json_mode=json_mode)
    return int(ExitCode.BAD_INPUT)
