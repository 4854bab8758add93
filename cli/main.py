"""`core`, the command line. Commands live in `cli/commands`, one file per group; this file only gathers them.

Nothing heavy is imported here: each command imports the rooms it needs when it runs, so that `core --help` and shell completion
answer at once.
"""

from __future__ import annotations

import io
import sys

import typer

from cli.commands import (
    approvals,
    compile_,
    completion,
    component,
    deploy,
    drift,
    explain,
    facts,
    iam,
    info,
    init,
    local,
    locks,
    medic,
    preflight,
    registry,
    review,
    rollback,
    runs,
    schema,
    stepfunctions,
    targets,
    why,
    worker,
)
from cli.usage import Entrance

app = typer.Typer(
    name="core",
    cls=Entrance,
    help="Change a whole AWS organization with one request: compile, review, apply, watch.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)

GROUPS = (
    local,
    init,
    component,
    explain,
    compile_,
    preflight,
    iam,
    review,
    deploy,
    runs,
    approvals,
    rollback,
    drift,
    medic,
    locks,
    facts,
    why,
    targets,
    registry,
    schema,
    info,
    completion,
    stepfunctions,
    worker,
)

for group in GROUPS:
    group.register(app)


def main() -> None:
    """Entry point of the console script. What a terminal's encoding cannot show is written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app()


if __name__ == "__main__":
    main()
