"""`core worker`: processes that do the work of an executor."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import Annotated

import typer

from cli.shell import Shell, command


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    group = typer.Typer(help="Workers of the executors.", rich_markup_mode=None, no_args_is_help=True)
    group.callback()(_only_groups)
    command(group, "stepfunctions")(stepfunctions)
    app.add_typer(group, name="worker")


def _only_groups() -> None:
    """A group with one command stays a group."""


def stepfunctions(
    shell: Shell,
    concurrency: Annotated[int, typer.Option(metavar="N", min=1, max=64, help="Tasks in work at once.")] = 4,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="How Step Functions' history calls it.")] = None,
    ready: Annotated[Path | None, typer.Option(metavar="FILE", hidden=True, help="Write the pid there when polling.")] = None,
) -> None:
    """Poll the activity of the Step Functions executor, and make passes over batches. SIGTERM ends it in good order."""
    from cli.connection import connect
    from core_lib.logging import configure
    from core_lib.runner.stepfunctions import ActivityWorker, Tools

    with connect(shell) as connection:
        configure(connection.settings)
        tools = Tools(connection.settings)
        own = name or f"{socket.gethostname()}-{os.getpid()}"
        worker = ActivityWorker(connection.settings, tools, concurrency=concurrency, name=own)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop())
        worker.open()
        if ready is not None:
            ready.write_text(str(os.getpid()))
        shell.say(f"polling {worker.activity} as {own}")
        try:
            worker.run()
        finally:
            tools.close()
            if ready is not None:
                ready.unlink(missing_ok=True)
