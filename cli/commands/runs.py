"""`core runs`: what ran, what runs, and how to go on with it or stop it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cli.shell import Shell, command

if TYPE_CHECKING:
    from core_lib.framework.models import RunState

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Name of the run (its correlation id), or 'last'.")]
DetachOption = Annotated[bool, typer.Option("--detach", help="Return at once.")]
IgnoreFreezeOption = Annotated[
    str | None, typer.Option(metavar="REASON", help="Go on in spite of a freeze window; who and why is recorded.")
]


class Only(StrEnum):
    """Which actions a resumed run takes up."""

    FAILED = "failed"
    UNSTARTED = "unstarted"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    group = typer.Typer(help="List, show, watch, resume, retry and cancel runs.", rich_markup_mode=None, no_args_is_help=True)
    for name, function in (
        ("list", list_),
        ("show", show),
        ("watch", watch),
        ("resume", resume),
        ("retry", retry),
        ("cancel", cancel),
    ):
        command(group, name)(function)
    app.add_typer(group, name="runs")


def list_(
    shell: Shell,
    prn: Annotated[str | None, typer.Option("--prn", metavar="PRN", help="Only runs of this deployment.")] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="How many.")] = 20,
    cursor: Annotated[str | None, typer.Option(metavar="TEXT", help="Where the previous list ended.")] = None,
) -> None:
    """The client's runs, newest first."""
    from cli.connection import connect
    from cli.tables import table

    with connect(shell) as connection:
        page = connection.client.runs.list(prn, limit=limit, cursor=cursor)

    def draw() -> None:
        headings = ("run", "task", "deployment", "status", "actions", "started")
        shell.out.print(table(headings, [_row(run) for run in page.items]))
        if page.cursor:
            shell.say(f"More: core runs list --cursor {page.cursor}")

    shell.emit({"Runs": [run.as_dict() for run in page.items], "Cursor": page.cursor}, draw)


def _row(run: RunState) -> tuple[str, ...]:
    from cli.progress import finished

    began = run.started_at or run.created_at
    progress = f"{finished(run)}/{run.action_count}"
    return run.run_id, run.task.value, run.prn, run.status.value, progress, f"{began:%Y-%m-%d %H:%M:%S}"


def show(shell: Shell, run_id: RunArgument) -> None:
    """Summary of a run: counts, durations, failures grouped by cause; for a plan, the changes it found."""
    from cli.connection import connect
    from cli.running import named_run, review_of, summary_of
    from core_lib.report import render_text

    with connect(shell) as connection:
        run = named_run(connection, run_id)
        summary = summary_of(connection, run.run_id)
        found = review_of(connection, run.run_id) if run.task.value == "plan" else None
    document = {"Summary": summary.as_dict()} | ({"Review": found.as_dict()} if found else {})
    text = render_text(summary) + (f"\n{render_text(found)}" if found else "")
    shell.emit(document, lambda: shell.out.print(text, markup=False, end=""))


def watch(shell: Shell, run_id: RunArgument) -> None:
    """Follow a run to its end. Ctrl-C leaves it running."""
    from cli import progress
    from cli.connection import connect
    from cli.running import LAST, finish, named_run

    with connect(shell) as connection:
        name = named_run(connection, run_id).run_id if run_id == LAST else run_id
        finish(connection, shell, progress.watch(connection, name, shell, patience=progress.KNOWN_SECONDS))


def resume(
    shell: Shell,
    run_id: RunArgument,
    only: Annotated[Only | None, typer.Option(help="Only actions in this state.")] = None,
    ignore_freeze: IgnoreFreezeOption = None,
    take_over: Annotated[bool, typer.Option("--take-over", help="Also when another worker seems to be on it.")] = False,
    detach: DetachOption = False,
) -> None:
    """Go on with a run where it stopped: what succeeded stays, what failed or never ran is done now."""
    from cli.connection import connect
    from cli.request import options_again, person
    from cli.running import finish, follow, named_run

    with connect(shell) as connection:
        run = named_run(connection, run_id)
        from flows import door

        changed = only is not None or ignore_freeze is not None
        options = options_again(run.options, only=only and only.value, ignore_freeze=ignore_freeze) if changed else None
        submission = door.submit_resume(
            run.client, run.run_id, options, by=person(connection.settings), take_over=take_over, settings=connection.settings
        )
        finish(connection, shell, follow(connection, shell, submission, detach=detach, taken_after=run.epoch))


class RetryOnly(StrEnum):
    """Which failures of a run are tried again."""

    FAILED = "failed"
    TRANSIENT = "transient"


def retry(
    shell: Shell,
    run_id: RunArgument,
    only: Annotated[RetryOnly | None, typer.Option(help="All that failed (default), or only what may pass by itself.")] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(metavar="FINGERPRINT", help="Only this group of failures (core runs show names it). May be repeated."),
    ] = None,
    ignore_freeze: IgnoreFreezeOption = None,
    take_over: Annotated[bool, typer.Option("--take-over", help="Also when another worker seems to be on it.")] = False,
    detach: DetachOption = False,
) -> None:
    """Try failures of a run again, and what was blocked by them."""
    from cli.connection import connect
    from cli.request import options_again, person
    from cli.retrying import chosen
    from cli.running import finish, follow, named_run, summary_of

    with connect(shell) as connection:
        run = named_run(connection, run_id)
        choice = chosen(summary_of(connection, run.run_id), only.value if only else None, group or [])
        for line in choice.lines:
            shell.say(line)
        from flows import door

        options = options_again(run.options, only=choice.only, ignore_freeze=ignore_freeze)
        submission = door.submit_resume(
            run.client, run.run_id, options, by=person(connection.settings), take_over=take_over, settings=connection.settings
        )
        finish(connection, shell, follow(connection, shell, submission, detach=detach, taken_after=run.epoch))


def cancel(
    shell: Shell,
    run_id: RunArgument,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until the run has ended.")] = False,
) -> None:
    """Stop a run: nothing new starts, what is under way is stopped or brought to its end."""
    from cli import progress
    from cli.connection import connect
    from cli.running import finish, named_run

    with connect(shell) as connection:
        found = named_run(connection, run_id)
        from flows import door

        run = door.cancel_run(found.client, found.run_id, settings=connection.settings)
        if wait:
            finish(connection, shell, progress.watch(connection, run.run_id, shell))
            return
    shell.emit(run, f"{run.run_id}: {'cancelled' if run.status.ended else 'cancel requested'}")
