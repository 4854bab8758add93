"""`core preflight`: look at every target, change nothing."""

from __future__ import annotations

from pathlib import Path

import typer

from cli.options import DeploymentOptions, PackageArgument, RunOptions, TargetOptions
from cli.shell import Shell, command


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    command(app, "preflight")(preflight)


def preflight(
    shell: Shell, deployment: DeploymentOptions, targets: TargetOptions, run: RunOptions, package: PackageArgument = Path()
) -> None:
    """Look in every target for what would make a deployment fail: roles, regions, states, templates, references, quotas."""
    from cli.connection import connect
    from cli.running import Asked, finish, prepare, start
    from core_lib.framework.models import Task

    with connect(shell, package) as connection:
        prepared = prepare(connection, shell, Task.DEPLOY, Asked(package, deployment, targets, run), preflight="only")
        finish(connection, shell, start(connection, shell, prepared.payload, detach=run.detach))
