"""`core info`: every setting, its value, and where it came from."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.shell import Shell, command


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(app, "info")(info)


def info(
    shell: Shell,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Only settings that start with this, e.g. aws.")] = None,
) -> None:
    """Print each setting with its value and its origin (default, core.toml line, environment variable, command line)."""
    from cli.connection import settings_of, use_local_platform
    from core_lib.framework.settings import explain_settings

    use_local_platform(shell.state_dir)
    rows = [row for row in explain_settings(settings_of(shell)) if row.name.startswith(name or "")]
    document = [{"Name": row.name, "Value": row.value, "Origin": row.origin} for row in rows]

    def show() -> None:
        from cli.tables import table

        shell.out.print(table(("setting", "value", "origin"), [(row.name, str(row.value), row.origin) for row in rows]))

    shell.emit(document, show)
