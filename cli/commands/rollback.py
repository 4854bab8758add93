"""`core rollback`: take a run back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.runs import DetachOption, RunArgument
from cli.exit_codes import ExitCode
from cli.options import YesOption
from cli.shell import Shell, command

if TYPE_CHECKING:
    from cli.connection import Connection
    from core_lib.framework.models import Plan
    from core_lib.report import PlanReview
    from core_lib.runner import WayBack


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    command(app, "rollback")(rollback)


def rollback(
    shell: Shell,
    run_id: RunArgument,
    targets: Annotated[
        list[str] | None, typer.Option("--targets", metavar="ACCOUNT[/REGION]", help="Only these targets. May be repeated.")
    ] = None,
    recreate: Annotated[bool, typer.Option("--recreate", help="Make stacks again that the run deleted.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Also what a later run has changed since.")] = False,
    yes: YesOption = False,
    detach: DetachOption = False,
) -> None:
    """Show, ask, then bring every stack that a run touched back to what it was before."""
    from cli.connection import connect
    from cli.prompt import confirm
    from cli.running import finish, named_run, start
    from core_lib.framework.models import Options
    from core_lib.report import headline, render_text
    from core_lib.runner import operation_payload, read_way_back

    with connect(shell) as connection:
        run = named_run(connection, run_id)
        way = read_way_back(connection.client, connection.store, run.run_id, targets=targets, recreate=recreate, force=force)
        _tell(shell, way)
        if way.plan is None or way.review is None:
            shell.emit({"RunId": run.run_id, "Review": None}, "Nothing to roll back.")
            return
        found = _preview(connection, shell, way.review)
        if not found.complete:
            shell.emit(found, lambda: shell.out.print(render_text(found), markup=False, end=""))
            shell.done(ExitCode.RUN_FAILED)
        shell.say(render_text(found))
        confirm(shell, f"Roll {run.run_id} back ({headline(found)})?", yes=yes)
        options = Options(reviewed_run=found.run_id, plan_hash=found.plan_hash)
        payload = operation_payload(way.plan, connection.store, options=options)
        finish(connection, shell, start(connection, shell, payload, detach=detach))


def _tell(shell: Shell, way: WayBack) -> None:
    for warning in way.warnings:
        shell.say(f"warning: {warning}")
    for left in way.left:
        shell.say(f"stays: {left.action_id}: {left.reason}")


def _preview(connection: Connection, shell: Shell, plan: Plan) -> PlanReview:
    """Make the change sets of the way back, and list what its deletions remove."""
    from cli.running import raise_if_refused, review_of, start
    from core_lib.runner import operation_payload

    run = start(connection, shell, operation_payload(plan, connection.store), detach=False)
    raise_if_refused(run)
    return review_of(connection, run.run_id)
