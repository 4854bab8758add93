"""`core deploy`, `core release` and `core teardown`: one step, without a review in between."""

from __future__ import annotations

from pathlib import Path

import typer

from cli.options import DeploymentOptions, PackageArgument, RunOptions, TargetOptions, YesOption
from cli.shell import Shell, command


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(app, "deploy")(deploy)
    command(app, "release")(release)
    command(app, "teardown")(teardown)


def deploy(
    shell: Shell,
    deployment: DeploymentOptions,
    targets: TargetOptions,
    run: RunOptions,
    package: PackageArgument = Path(),
    yes: YesOption = False,
) -> None:
    """Create or update everything in the package. What has not changed is left alone."""
    from cli.connection import connect
    from cli.prompt import confirm
    from cli.running import Asked, announce, finish, prepare, start
    from core_lib.framework.models import Task

    with connect(shell, package) as connection:
        prepared = prepare(connection, shell, Task.DEPLOY, Asked(package, deployment, targets, run))
        announce(shell, prepared)
        confirm(shell, f"Deploy this to {len(prepared.plan.targets):,} targets?", yes=yes)
        finish(connection, shell, start(connection, shell, prepared.payload, detach=run.detach))


def release(
    shell: Shell,
    deployment: DeploymentOptions,
    run: RunOptions,
    package: PackageArgument = Path(),
    yes: YesOption = False,
) -> None:
    """Make a deployed build of components the one that its branch's addresses lead to. An older build is a way back."""
    from cli.connection import connect
    from cli.options import TargetOptions
    from cli.prompt import confirm
    from cli.running import Asked, announce, finish, prepare, start
    from core_lib.framework.models import Task

    with connect(shell, package) as connection:
        prepared = prepare(connection, shell, Task.RELEASE, Asked(package, deployment, TargetOptions(), run))
        announce(shell, prepared)
        confirm(shell, f"Release {prepared.payload.prn}?", yes=yes)
        finish(connection, shell, start(connection, shell, prepared.payload, detach=run.detach))


def teardown(
    shell: Shell,
    deployment: DeploymentOptions,
    targets: TargetOptions,
    run: RunOptions,
    package: PackageArgument = Path(),
    yes: YesOption = False,
) -> None:
    """Delete everything the package created, in reverse order, after a question."""
    from cli.connection import connect
    from cli.prompt import confirm
    from cli.running import Asked, announce, finish, follow, prepare
    from core_lib.framework.models import Task

    with connect(shell, package) as connection:
        prepared = prepare(connection, shell, Task.TEARDOWN, Asked(package, deployment, targets, run))
        announce(shell, prepared)
        confirm(shell, f"Delete all of this in {len(prepared.plan.targets):,} targets?", yes=yes)
        from flows import door

        payload = prepared.payload
        submission = door.submit_teardown(payload, str(payload.prn), settings=connection.settings)
        finish(connection, shell, follow(connection, shell, submission, detach=run.detach))
