"""`core plan` and `core apply`: look first, then do exactly that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exit_codes import ExitCode, exit_code_of_run
from cli.options import DeploymentOptions, PackageArgument, RunOptions, TargetOptions, YesOption
from cli.shell import Shell, command

if TYPE_CHECKING:
    from cli.connection import Connection
    from cli.running import Asked
    from core_lib.report import PlanReview


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(app, "plan")(plan)
    command(app, "apply")(apply)


def plan(
    shell: Shell, deployment: DeploymentOptions, targets: TargetOptions, run: RunOptions, package: PackageArgument = Path()
) -> None:
    """Show what would change in every target, identical changes once. Nothing is changed."""
    from cli.connection import connect
    from cli.running import Asked

    with connect(shell, package) as connection:
        found = _plan(connection, shell, Asked(package, deployment, targets, run), detach=run.detach)
        _show(shell, found)
        if not found.complete:
            shell.done(ExitCode.RUN_FAILED)
        if not found.empty:
            shell.say(f"Apply exactly this: core apply --plan {found.run_id}")


def apply(
    shell: Shell,
    deployment: DeploymentOptions,
    targets: TargetOptions,
    run: RunOptions,
    package: PackageArgument = Path(),
    reviewed: Annotated[str | None, typer.Option("--plan", metavar="RUN", help="Apply this reviewed plan run.")] = None,
    yes: YesOption = False,
) -> None:
    """Plan, show, ask, then apply exactly what was shown; refused when the world has moved since."""
    from cli.connection import connect
    from cli.prompt import confirm
    from cli.running import Asked, finish, prepare, review_of, start
    from core_lib.framework.models import Task
    from core_lib.report import headline, render_text

    asked = Asked(package, deployment, targets, run)
    with connect(shell, package) as connection:
        found = review_of(connection, reviewed) if reviewed else _plan(connection, shell, asked, detach=False)
        if not found.complete:
            _show(shell, found)
            shell.done(ExitCode.RUN_FAILED)
        if found.empty:
            _show(shell, found)
            return
        shell.say(render_text(found))
        confirm(shell, f"Apply this ({headline(found)})?", yes=yes)
        prepared = prepare(connection, shell, Task.APPLY, asked, reviewed_run=found.run_id, plan_hash=found.plan_hash)
        finish(connection, shell, start(connection, shell, prepared.payload, detach=run.detach))


def _plan(connection: Connection, shell: Shell, asked: Asked, *, detach: bool) -> PlanReview:
    """Run the plan task to its end; ends the command when that run does not succeed and there is nothing to show."""
    from cli.running import prepare, raise_if_refused, review_of, start
    from core_lib.framework.models import Task

    prepared = prepare(connection, shell, Task.PLAN, asked)
    run = start(connection, shell, prepared.payload, detach=detach)
    raise_if_refused(run)
    found = review_of(connection, run.run_id)
    if found.complete and run.status.value != "succeeded":
        _show(shell, found)
        shell.done(exit_code_of_run(run.status.value))
    return found


def _show(shell: Shell, found: PlanReview) -> None:
    from core_lib.report import render_text

    shell.emit(found, lambda: shell.out.print(render_text(found), markup=False, end=""))
