"""`core approvals`, `core approve`, `core reject`: what runs ask people, and the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.shell import Shell, command
from core_lib.framework.errors import ApprovalError

if TYPE_CHECKING:
    from cli.connection import Connection
    from core_lib.framework.models import Approval

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Name of the run (its correlation id), or 'last'.")]
ActionOption = Annotated[
    str | None,
    typer.Option("--action", metavar="NAME", help="Which question, when the run asks several: the action's name or id."),
]
CommentOption = Annotated[str | None, typer.Option("--comment", metavar="TEXT", help="Why; kept with the answer.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not show and ask again.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(app, "approvals")(approvals)
    command(app, "approve")(approve)
    command(app, "reject")(reject)


def approvals(
    shell: Shell,
    run_id: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="All questions of this run, also answered ones.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="How many.")] = 50,
    cursor: Annotated[str | None, typer.Option(metavar="TEXT", help="Where the previous list ended.")] = None,
) -> None:
    """Questions that runs ask people, oldest first: who is asked, who has answered what, and when."""
    from cli.connection import connect
    from cli.running import named_run
    from cli.tables import table

    with connect(shell) as connection:
        if run_id is not None:
            found = connection.client.approvals.of_run(named_run(connection, run_id).run_id)
            more = None
        else:
            page = connection.client.approvals.list_open(limit=limit, cursor=cursor)
            found, more = page.items, page.cursor

    def draw() -> None:
        shell.out.print(table(("run", "action", "status", "asked", "who", "answers"), [_row(question) for question in found]))
        if more:
            shell.say(f"More: core approvals --cursor {more}")

    shell.emit({"Approvals": [_document(question) for question in found], "Cursor": more}, draw)


def approve(
    shell: Shell, run_id: RunArgument, action: ActionOption = None, comment: CommentOption = None, yes: YesOption = False
) -> None:
    """Say yes to what a run asks; shows what it is about to do first."""
    _answer(shell, run_id, action, comment, approved=True, yes=yes)


def reject(
    shell: Shell, run_id: RunArgument, action: ActionOption = None, comment: CommentOption = None, yes: YesOption = False
) -> None:
    """Say no to what a run asks; it ends there, and what it has done stays."""
    _answer(shell, run_id, action, comment, approved=False, yes=yes)


def _answer(shell: Shell, run_id: str, action: str | None, comment: str | None, *, approved: bool, yes: bool) -> None:
    from cli.connection import connect
    from cli.prompt import confirm
    from cli.request import person
    from cli.running import named_run
    from core_lib.framework.models import Verdict
    from core_lib.report import behind, render_text
    from core_lib.runner import Runner

    with connect(shell) as connection:
        question = _question(connection, named_run(connection, run_id).run_id, action)
        by = person(connection.settings)
        if not yes:
            _, plan = Runner(connection.client, connection.store).load(question.run_id)
            shell.say(render_text(behind(plan, connection.client.ledger.load(question.run_id), question)))
        word = "Approve" if approved else "Reject"
        confirm(shell, f"{word} this as {by}?", yes=yes)
        from flows import door

        verdict = Verdict.APPROVED if approved else Verdict.REJECTED
        answered = door.decide(connection.client_name, question, verdict, by, comment, settings=connection.settings)
    needed = answered.quorum - len(answered.decisions)
    rest = f"; {needed} more needed" if answered.status.value == "open" else f"; watch it: core runs watch {answered.run_id}"
    shell.emit(_document(answered), f"{answered.run_id} {answered.action_id}: {verdict.value} by {by}{rest}")


def _question(connection: Connection, run_id: str, action: str | None) -> Approval:
    """The one open question of the run that is meant.

    Raises:
        ApprovalError: there is none, or several.
    """
    asked = connection.client.approvals.of_run(run_id)
    waiting = [question for question in asked if question.status.value == "open"]
    meant = [question for question in waiting if action in (None, question.action_id, question.action_id.partition("@")[0])]
    if len(meant) == 1:
        return meant[0]
    listed = ", ".join(question.action_id for question in waiting)
    if not meant:
        raise ApprovalError("the run asks nothing (any more)", where=run_id, hint=f"it asks: {listed}" if listed else None)
    raise ApprovalError("the run asks several things", where=run_id, hint=f"add --action with one of: {listed}")


def _row(question: Approval) -> tuple[str, ...]:
    who = ", ".join(question.approvers) or "anybody"
    answers = "; ".join(f"{one.verdict.value} by {one.by} {one.at:%Y-%m-%d %H:%M}" for one in question.decisions)
    needed = f"{question.quorum} of {who}" if question.quorum > 1 else who
    return (
        question.run_id, question.action_id, question.status.value, f"{question.asked_at:%Y-%m-%d %H:%M:%S}", needed,
        answers or "-",
    )  # fmt: skip


def _document(question: Approval) -> dict[str, object]:
    return {**question.as_dict(), "Status": question.status.value}
