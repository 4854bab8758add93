"""`core drift`: where the world is no longer what was deployed, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from cli.exit_codes import ExitCode
from cli.options import TargetOptions, YesOption
from cli.shell import OptionGroup, Shell, command, writing
from core_lib.framework.errors import InputError

if TYPE_CHECKING:
    from cli.connection import Connection
    from core_lib.db import DriftRecord
    from core_lib.framework.models import Plan
    from core_lib.report import DriftReport

DEFAULT = "check"
GroupArgument = Annotated[str, typer.Argument(metavar="GROUP", help="A group of drift, as core drift shows it.")]


class CheckByDefault(TyperGroup):
    """`core drift --region x` is `core drift check --region x`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command first when none is named."""
        if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


@dataclass(frozen=True)
class LookOptions(OptionGroup):
    """How the looks are run."""

    prn: Annotated[str | None, typer.Option("--prn", metavar="PRN", help="Only what was deployed for this, or below it.")] = None
    stack: Annotated[list[str] | None, typer.Option("--stack", metavar="NAME", help="Only stacks of this name.")] = None
    concurrency: Annotated[int | None, typer.Option(metavar="N", min=1, max=1000, help="Looks at once.")] = None
    tolerance: Annotated[str, typer.Option(metavar="N|N%", help="Targets whose looks may fail before the run stops.")] = "100%"
    detach: Annotated[bool, typer.Option("--detach", help="Start the run and return at once.")] = False


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    group = typer.Typer(
        cls=CheckByDefault, help="Find, revert, accept or ignore drift (core drift alone looks for it).", rich_markup_mode=None
    )
    for function in (check, history, revert, accept, ignore):
        command(group, function.__name__)(function)
    app.add_typer(group, name="drift")


def check(shell: Shell, targets: TargetOptions, look: LookOptions) -> None:
    """Look for drift in every stack that the platform has deployed; the same drift is shown once for the whole fleet."""
    from cli.connection import connect
    from cli.request import selection_of
    from core_lib.fleet import drift_plan
    from core_lib.framework.models import Prn

    with connect(shell) as connection:
        prn = Prn.parse(look.prn) if look.prn else None
        plan = drift_plan(connection.client, selection_of(targets), prn, look.stack or ())
        shell.say(f"looking at {len(plan.actions):,} stacks in {len(plan.targets):,} targets")
        options = {"tolerance": look.tolerance, "concurrency": look.concurrency}
        _run(connection, shell, plan, options, detach=look.detach)


def history(
    shell: Shell,
    settled: Annotated[bool, typer.Option("--settled", help="Drift that is over, instead of what is there now.")] = False,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="How many.")] = 100,
    cursor: Annotated[str | None, typer.Option(metavar="TEXT", help="Where the previous list ended.")] = None,
) -> None:
    """Since when each stack has drifted, as far as looks have told; ignored groups are marked."""
    from cli.connection import connect
    from cli.tables import table

    with connect(shell) as connection:
        page = connection.client.drift.list("settled" if settled else "drifted", limit=limit, cursor=cursor)
        ignored = connection.client.drift.ignored(_today())
    document = {
        "Drift": [record.as_dict() for record in page.items],
        "Ignored": [each.as_dict() for each in ignored.values()],
        "Cursor": page.cursor,
    }

    def draw() -> None:
        headings = ("stack", "status", "first seen", "last seen", "settled", "groups")
        shell.out.print(table(headings, [_row(record, set(ignored)) for record in page.items]))
        if page.cursor:
            shell.say(f"More: core drift history --cursor {page.cursor}")

    shell.emit(document, draw)


def revert(
    shell: Shell,
    group: GroupArgument,
    yes: YesOption = False,
    detach: Annotated[bool, typer.Option("--detach", help="Start the run and return at once.")] = False,
) -> None:
    """Change the drifted resources of a group back to what the deployed templates say, then look again."""
    from cli.connection import connect
    from cli.prompt import confirm
    from core_lib.fleet import drifted_in, revert_plan

    with connect(shell) as connection:
        records = drifted_in(connection.client, group)
        plan = revert_plan(connection.client, records)
        _announce(shell, group, records)
        others = sorted({name for record in records for name in record.groups} - {group})
        if others:
            shell.say(f"these stacks also have drift of {', '.join(others)}, which is reverted with it")
        confirm(shell, f"Change the resources of {len(records)} stacks back?", yes=yes)
        _run(connection, shell, plan, {"tolerance": "100%"}, detach=detach)


def accept(
    shell: Shell,
    group: GroupArgument,
    patch: Annotated[Path, typer.Option("--patch", metavar="FILE", help="Where to write the patch.")],
) -> None:
    """Write a patch for the package that makes its templates say what the world says. Nothing is deployed."""
    from cli.connection import connect
    from core_lib.fleet import accept_patch, drifted_in

    with connect(shell) as connection:
        found = accept_patch(connection.client, connection.store, group, drifted_in(connection.client, group))
    for reason in found.left:
        shell.say(f"not in the patch: {reason}")
    if not found.text:
        raise InputError("nothing of this can be patched", where=group, hint="; ".join(found.left[:3]) or None)
    with writing(patch):
        patch.write_text(found.text, encoding="utf-8")
    document = {"Patch": str(patch), "Files": list(found.files), "Left": list(found.left)}
    shell.emit(document, f"{patch}: {', '.join(found.files)}. Apply it in the package (git apply), review, then deploy.")


def ignore(
    shell: Shell,
    group: GroupArgument,
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="The last day on which it is ignored, e.g. 2027-01-31.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; whoever looks next will read it.")],
) -> None:
    """Stop reporting a group of drift until a day."""
    from datetime import UTC, datetime

    from cli.connection import connect
    from cli.request import person
    from core_lib.fleet import ignore_drift

    now = datetime.now(UTC)
    day = _day(until, now.date())
    with connect(shell) as connection:
        ignored = ignore_drift(connection.client, group, day, reason, person(connection.settings), now)
    shell.emit(ignored, f"{group} is ignored until {day}")


def _run(connection: Connection, shell: Shell, plan: Plan, options: dict[str, Any], *, detach: bool) -> None:
    """Run the plan and show what was found; ends with 1 when there is drift that nobody ignores, or a look failed."""
    from cli.running import raise_if_refused, start
    from core_lib.framework.models import Options
    from core_lib.runner import operation_payload

    payload = operation_payload(plan, connection.store, options=Options.model_validate(options))
    run = start(connection, shell, payload, detach=detach)
    raise_if_refused(run)
    report = _report(connection, plan, run.run_id)
    from core_lib.report import render_drift

    shell.emit(report, lambda: shell.out.print(render_drift(report), markup=False, end=""))
    if not report.clean:
        if report.groups:
            shell.say("Next: core drift revert GROUP, core drift accept GROUP --patch FILE, or core drift ignore GROUP")
        shell.done(ExitCode.RUN_FAILED)


def _report(connection: Connection, plan: Plan, run_id: str) -> DriftReport:
    from core_lib.fleet import ignored_groups
    from core_lib.report import drift_report

    states = connection.client.ledger.load(run_id)
    return drift_report(plan, states, ignored_groups(connection.client, _today()), run_id)


def _announce(shell: Shell, group: str, records: list[DriftRecord]) -> None:
    from core_lib.report import some

    shell.say(f"{group} is in {len(records)} stacks: {some([record.key for record in records], 8)}")


def _row(record: DriftRecord, ignored: set[str]) -> tuple[str | None, ...]:
    groups = ", ".join(f"{name} (ignored)" if name in ignored else name for name in record.groups)
    settled = f"{record.settled_at:%Y-%m-%d %H:%M}" if record.settled_at else None
    return (
        record.key,
        record.status,
        f"{record.first_seen:%Y-%m-%d %H:%M}",
        f"{record.last_seen:%Y-%m-%d %H:%M}",
        settled,
        groups,
    )


def _today() -> date:
    from datetime import UTC, datetime

    return datetime.now(UTC).date()


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is not a day", where="--until", hint="e.g. 2027-01-31") from error
    if day < today:
        raise InputError(f"{text} is over", where="--until")
    return day
