"""`core facts`: the facts of a deployment, and where each comes from."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.shell import Shell, command


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(app, "facts")(facts)


def facts(
    shell: Shell,
    prn: Annotated[str | None, typer.Argument(metavar="[PRN]", help="Default: [deployment] in core.toml.")] = None,
    environment: Annotated[str | None, typer.Option(metavar="NAME", help="Environment.")] = None,
    fact: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="A fact on top.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show the layer that each value comes from.")] = False,
    key: Annotated[str | None, typer.Option(metavar="KEY", help="Only this fact and what lies below it.")] = None,
) -> None:
    """Print the merged facts of a deployment: client < zone < account < region < portfolio < app < deployment < --fact."""
    from cli.connection import connect
    from cli.options import DeploymentOptions
    from cli.request import details_of, facts_of
    from cli.tables import table
    from core_lib.framework.codecs import dump_yaml

    with connect(shell) as connection:
        details = details_of(connection.settings, DeploymentOptions(prn, environment, fact))
        merged = connection.client.facts(details, facts_of(fact or ()))
    origins = [item for item in merged.explain() if key is None or item.key == key or item.key.startswith(f"{key}.")]
    if explain:
        rows = [(item.key, item.value, item.origin) for item in origins]
        document = [{"Key": name, "Value": value, "Origin": origin} for name, value, origin in rows]
        shell.emit(document, lambda: shell.out.print(table(("fact", "value", "from"), rows)))
        return
    values = merged.values if key is None else {item.key: item.value for item in origins}
    shell.emit(values, lambda: shell.out.print(dump_yaml(values), markup=False, end=""))
