"""`core facts`: the facts of a deployment, and where each comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.shell import Shell, command

if TYPE_CHECKING:
    from core_lib.db import FactOrigin


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(app, "facts")(facts)


def facts(
    shell: Shell,
    prn: Annotated[str | None, typer.Argument(metavar="PRN", help="Default: [deployment] in core.toml.")] = None,
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
    if explain:
        origins = merged.explain(key)
        document = [{"Key": item.key, "Value": item.value, "From": item.layers, "Hides": _hidden(item)} for item in origins]
        rows = [(item.key, _short(item.value), " + ".join(item.layers), _hides(item)) for item in origins]
        shell.emit(document, lambda: shell.out.print(table(("fact", "value", "from", "instead of"), rows)))
        return
    values = merged.values if key is None else {item.key: item.value for item in merged.explain(key)}
    shell.emit(values, lambda: shell.out.print(dump_yaml(values), markup=False, end=""))


def _hidden(origin: FactOrigin) -> list[dict[str, object]]:
    return [{"From": source.layer, "Value": source.value} for source in origin.hidden]


def _hides(origin: FactOrigin) -> str:
    return ", ".join(f"{_short(source.value)} ({source.layer})" for source in origin.hidden)


def _short(value: object, longest: int = 60) -> str:
    text = str(value)
    return text if len(text) <= longest else text[: longest - 3] + "..."
