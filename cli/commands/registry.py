"""`core registry`: what is written down about the client, its portfolios, apps, zones and accounts."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.shell import Shell, command, writing
from core_lib.framework.errors import SettingsError

if TYPE_CHECKING:
    from core_lib.framework.models import Account


class Part(StrEnum):
    """Parts of the registry that can be listed."""

    PORTFOLIOS = "portfolios"
    APPS = "apps"
    ZONES = "zones"
    ACCOUNTS = "accounts"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    group = typer.Typer(help="Import, export, list and sync the registry.", rich_markup_mode=None, no_args_is_help=True)
    for name, function in (("import", import_), ("export", export), ("list", list_), ("sync", sync)):
        command(group, name)(function)
    app.add_typer(group, name="registry")


def import_(
    shell: Shell, file: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Registry files (YAML or JSON).")]
) -> None:
    """Register what is in these files. Creates the client's tables and the artefact store when they are missing; repeatable."""
    from cli.connection import connect
    from cli.registry_file import read_registry

    book = read_registry(*file)
    name = book.owner.client
    with connect(shell) as connection:
        if shell.client and shell.client != name:
            raise SettingsError(f"this is about client {name!r}", where=str(file[0]), hint="leave --client out")
        connection.cmdb.create_tables(name)
        connection.store.ensure()
        client = connection.cmdb.for_client(name)
        outcomes = {f"{fact.kind} {fact.name_in_registry}": client.registry.upsert(fact)[1] for fact in book.records}
        client.accounts.put_many(book.accounts)
    changed = [name for name, is_new in outcomes.items() if is_new]
    document = {"Client": name, "Changed": changed, "Records": list(outcomes), "Accounts": len(book.accounts)}
    lines = [f"{'changed  ' if is_new else 'unchanged'}  {name}" for name, is_new in outcomes.items()]
    shell.emit(document, "\n".join([*lines, f"{len(book.accounts):,} accounts written"] if book.accounts else lines))


def export(
    shell: Shell, out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write to this file.")] = None
) -> None:
    """Write the whole registry of the client as one file that `import` and `--registry` read."""
    from cli.connection import connect
    from cli.registry_file import collect

    with connect(shell) as connection:
        book = collect(connection.client)
    text = book.to_yaml()
    if out:
        with writing(out):
            out.write_text(text, encoding="utf-8")
        shell.emit({"File": str(out)}, str(out))
        return
    shell.emit(book, text.removesuffix("\n"))


def list_(shell: Shell, part: Annotated[Part, typer.Argument(help="Which part.")]) -> None:
    """List portfolios, apps, zones or accounts."""
    from cli.connection import connect
    from cli.registry_file import collect
    from cli.tables import table

    with connect(shell) as connection:
        if part is Part.ACCOUNTS:
            accounts = connection.client.accounts.all()
            rows = [_account(account) for account in accounts]
            headings = ("account", "name", "organizational unit", "state", "tags")
            shell.emit({"Accounts": accounts}, lambda: shell.out.print(table(headings, rows)))
            return
        book = collect(connection.client)
    records = {Part.PORTFOLIOS: book.portfolios, Part.APPS: book.apps, Part.ZONES: book.zones}[part]
    names = [(fact.name_in_registry, getattr(fact, "portfolio", ""), getattr(fact, "pattern", "")) for fact in records]
    shell.emit(
        {part.value.capitalize(): [fact.record() for fact in records]},
        lambda: shell.out.print(table(("name", "portfolio", "deployments"), names)),
    )


def _account(account: Account) -> tuple[str, ...]:
    tags = ", ".join(f"{key}={value}" for key, value in sorted(account.tags.items()))
    return account.id, account.name, account.organizational_unit, account.state.value, tags


def sync(shell: Shell) -> None:
    """Read accounts, units and tags from AWS Organizations into the directory. Only what differs is written."""
    from cli.connection import connect
    from core_lib.db import sync_accounts

    with connect(shell) as connection:
        region = connection.settings.home_region
        organizations = connection.sessions.client("organizations", region=region)
        found = sync_accounts(organizations, connection.client.accounts)
    document = {"Added": found.added, "Changed": found.changed, "Gone": found.gone, "Unchanged": found.unchanged}
    shell.emit(
        document,
        f"{len(found.added):,} new, {len(found.changed):,} changed, {len(found.gone):,} gone, {found.unchanged:,} unchanged",
    )
