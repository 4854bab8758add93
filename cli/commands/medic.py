"""`core medic`: stacks that are stuck, why, and what would help them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exit_codes import ExitCode
from cli.options import TargetOptions, YesOption
from cli.shell import OptionGroup, Shell, command
from core_lib.framework.errors import InputError

if TYPE_CHECKING:
    from cli.connection import Connection
    from core_lib.fleet import Diagnosis, Fleet, Repair, Ward


@dataclass(frozen=True)
class MedicOptions(OptionGroup):
    """What is looked at, and what may be done."""

    stack: Annotated[list[str] | None, typer.Option("--stack", metavar="NAME", help="Only stacks of this name.")] = None
    change_sets: Annotated[
        bool, typer.Option("--change-sets", help="Also change sets that wait in healthy stacks (a call per stack).")
    ] = False
    repair: Annotated[bool, typer.Option("--repair", help="Do what is proposed, after a question.")] = False
    allow_delete: Annotated[
        bool, typer.Option("--allow-delete", help="With --yes: also what deletes stacks or gives resources up.")
    ] = False
    allow_skip: Annotated[
        bool, typer.Option("--allow-skip", help="Rollbacks may skip the resources that block them, and only these.")
    ] = False


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    command(app, "medic")(medic)


def medic(shell: Shell, targets: TargetOptions, options: MedicOptions, yes: YesOption = False) -> None:
    """Find stuck stacks in every target, say why they are, and propose repairs. Changes nothing without --repair."""
    from cli.connection import connect
    from cli.request import selection_of
    from core_lib.fleet import diagnose, fleet_targets, make_round

    with connect(shell) as connection:
        fleet = fleet_targets(connection.client, selection_of(targets))
        shell.say(f"looking at {len(fleet.targets):,} targets")
        sessions = connection.sessions
        found = make_round(
            connection.client,
            fleet,
            lambda target: sessions.client("cloudformation", target),
            options.stack or (),
            change_sets=options.change_sets,
        )
        diagnosis = diagnose(found, allow_skip=options.allow_skip)
        if options.repair and not diagnosis.healthy:
            shell.say("\n".join(_lines(diagnosis)))
            _repair(connection, shell, fleet, _consented(shell, diagnosis.repairs, options, yes=yes))
            return
        shell.emit(diagnosis, lambda: shell.out.print("\n".join(_lines(diagnosis)), markup=False))
        if not diagnosis.healthy:
            shell.say("Nothing was changed. Next: core medic --repair")
        if not diagnosis.healthy or diagnosis.unreachable:
            shell.done(ExitCode.RUN_FAILED)


def _consented(shell: Shell, repairs: Sequence[Repair], options: MedicOptions, *, yes: bool) -> list[Repair]:
    """The repairs that somebody said yes to: what deletes is asked for one by one, the rest together.

    Raises:
        InputError: `--yes` without `--allow-delete`, and something would be deleted; or there is nobody to ask.
    """
    from cli.prompt import agreed

    risky = [repair for repair in repairs if repair.destructive]
    gentle = [repair for repair in repairs if not repair.destructive]
    if yes and risky and not options.allow_delete:
        names = ", ".join(repair.stack.key for repair in risky[:5])
        hint = "add --allow-delete, or leave --yes out and answer for each of them"
        raise InputError(f"--yes does not cover what deletes or gives up: {names}", where="--yes", hint=hint)
    chosen = list(gentle) if gentle and agreed(shell, f"Repair {len(gentle)} stacks, deleting no resource?", yes=yes) else []
    chosen += [repair for repair in risky if agreed(shell, f"{repair.stack.key}: {repair.effect}?", yes=yes)]
    if not chosen:
        shell.say("Nothing was changed.")
        shell.done(ExitCode.CANCELLED)
    return chosen


def _repair(connection: Connection, shell: Shell, fleet: Fleet, repairs: Sequence[Repair]) -> None:
    from cli.running import finish, start
    from core_lib.fleet import medic_plan
    from core_lib.framework.models import Options
    from core_lib.runner import operation_payload

    plan = medic_plan(connection.client_name, fleet, repairs)
    payload = operation_payload(plan, connection.store, options=Options(tolerance="100%"))
    finish(connection, shell, start(connection, shell, payload, detach=False))


def _lines(diagnosis: Diagnosis) -> Iterator[str]:
    count = len(diagnosis.repairs)
    yield f"{diagnosis.targets:,} targets: {count or 'no'} {'stack is' if count == 1 else 'stacks are'} stuck"
    for ward in diagnosis.wards:
        yield from _ward_lines(ward)
    if diagnosis.unreachable:
        yield ""
        yield f"NOT LOOKED AT  {len(diagnosis.unreachable)} targets"
        yield from (f"    {each}" for each in diagnosis.unreachable[:8])


def _ward_lines(ward: Ward) -> Iterator[str]:
    from core_lib.report import counted, some

    first = ward.example
    yield ""
    yield f"{ward.status}  {counted(len(ward.stacks), 'stack')}"
    yield f"    in     {some(ward.stacks, 8)}"
    for cause in first.causes or ((first.reason,) if first.reason else ()):
        yield f"    why    {cause}"
    if first.change_sets:
        yield f"    waits  {some(first.change_sets)}"
    if first.run_id:
        yield f"    run    {first.run_id}{f', asked for by {first.requested_by}' if first.requested_by else ''}"
    yield f"    next   {ward.effect}{' (asks first, for each)' if ward.destructive else ''}"
