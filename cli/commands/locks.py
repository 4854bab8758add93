"""`core locks`: which run holds which stack, who waits for it, and what to do about a lock that a dead run left behind."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING, Annotated

import typer

from cli.shell import Shell, command
from core_lib.framework.errors import InputError

if TYPE_CHECKING:
    from core_lib.db import HeldLock

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Account, region and stack: 111111111111/eu-west-1/network.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    group = typer.Typer(help="Locks on stacks: who holds them, who waits for them.", rich_markup_mode=None, no_args_is_help=True)
    for name, function in (("list", list_), ("show", show), ("release", release)):
        command(group, name)(function)
    app.add_typer(group, name="locks")


def list_(
    shell: Shell,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="How many.")] = 100,
    cursor: Annotated[str | None, typer.Option(metavar="TEXT", help="Where the previous list ended.")] = None,
) -> None:
    """The locks that are held now: by which run, since when, alive or dead, and which runs wait."""
    from cli.connection import connect
    from cli.tables import table

    with connect(shell) as connection:
        page = connection.client.lock_inventory.page(limit=limit, cursor=cursor)
    held = sorted(page.items, key=lambda lock: lock.key)

    def draw() -> None:
        if not held:
            shell.say("No stack is locked.")
            return
        shell.out.print(table(("stack", "run", "of", "since (UTC)", "holder", "waiting"), [_row(lock) for lock in held]))
        if page.cursor:
            shell.say(f"More: core locks list --cursor {page.cursor}")

    shell.emit({"Locks": [lock.as_dict() for lock in held], "Cursor": page.cursor}, draw)


def _row(lock: HeldLock) -> tuple[str, ...]:
    since = f"{lock.since:%Y-%m-%d %H:%M:%S}" if lock.since else "?"
    return lock.key, lock.run_id, lock.holder, since, "alive" if lock.alive else "dead", ", ".join(lock.waiting)


def show(shell: Shell, key: KeyArgument) -> None:
    """One lock, with the run that holds it and its last sign of life."""
    from cli.connection import connect

    with connect(shell) as connection:
        held = connection.client.lock_inventory.get(key)
    shell.emit(held, "\n".join(_told(held)))


def _told(held: HeldLock) -> list[str]:
    since = f"{held.since:%Y-%m-%d %H:%M:%S} UTC" if held.since else "unknown"
    seen = f"{held.heartbeat_at:%Y-%m-%d %H:%M:%S} UTC" if held.heartbeat_at else "none"
    status = held.status.value if held.status else "its record is gone"
    lines = [
        held.key,
        f"  run        {held.run_id} of {held.holder} ({status})",
        f"  of         {held.prn or 'unknown'}",
        f"  since      {since}",
        f"  last sign  {seen}: {'alive' if held.alive else 'dead, the next run that asks gets the lock'}",
    ]
    return [*lines, f"  waiting    {', '.join(held.waiting)}"] if held.waiting else lines


def release(
    shell: Shell,
    key: KeyArgument,
    force: Annotated[bool, typer.Option("--force", help="Also from a living run, whose worker then stops.")] = False,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; kept in the history. Needed with --force.")] = None,
) -> None:
    """Give back a lock whose run is dead. The run stays as it is and can be resumed."""
    from cli.connection import connect

    if force and not (reason or "").strip():
        raise InputError("a lock is taken from a living run only with a reason", where="--force", hint="add --reason TEXT")
    with connect(shell) as connection:
        held = connection.client.lock_inventory.release(key, by=_me(), reason=reason, force=force)
    shell.emit(held, f"{key}: released; run {held.run_id} held it and can be resumed")


def _me() -> str:
    """Name of the person at this terminal, or the number of a user without a name (containers)."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
