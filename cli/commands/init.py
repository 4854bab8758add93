"""`core init`: a new package that compiles at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from cli.shell import Shell, command, writing
from core_lib.framework.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(app, "init")(init)


def init(
    shell: Shell,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to put it; made if missing.")] = Path(),
    portfolio: Annotated[str, typer.Option(help="Portfolio that the app belongs to.")] = "platform",
    app_name: Annotated[str | None, typer.Option("--app", help="Name of the app; default: the folder's name.")] = None,
    components: Annotated[bool, typer.Option("--components", help="A package of components, not a deployspec.")] = False,
) -> None:
    """Scaffold a package (deployspec.yaml and a template, or components) and a core.toml. Existing files are never touched."""
    from cli.component_scaffold import component_scaffold
    from cli.scaffold import scaffold
    from core_lib.framework.models import Prn

    name = app_name or re.sub(r"[^A-Za-z0-9-]+", "-", folder.resolve().name).strip("-") or "app"
    Prn(portfolio, name)
    Prn(shell.client or "acme")
    make = component_scaffold if components else scaffold
    files = make(client=shell.client or "acme", portfolio=portfolio, app=name)
    taken = [path for path in files if (folder / path).exists()]
    if taken:
        raise InputError(
            f"{', '.join(taken)} already there", where=str(folder), hint="choose an empty folder: core init NEW-FOLDER"
        )
    for path, text in files.items():
        with writing(folder / path):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    written = [str(folder / path) for path in files]
    shell.emit(
        {"Folder": folder, "Files": written},
        "\n".join(
            [
                *written,
                "",
                f"Next: cd {folder} && core {'component validate' if components else 'compile'} --registry registry.yaml",
            ]
        ),
    )
