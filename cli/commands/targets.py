"""`core targets`: which accounts and regions a package would go to, and why each account is in or out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.options import DeploymentOptions, PackageArgument, RegistryOption, TargetOptions
from cli.shell import Shell, command

if TYPE_CHECKING:
    from core_lib.deployspec import Targets


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    group = typer.Typer(help="Resolve and explain targets.", rich_markup_mode=None, no_args_is_help=True)
    for function in (resolve, explain):
        command(group, function.__name__)(function)
    app.add_typer(group, name="targets")


def resolve(
    shell: Shell,
    deployment: DeploymentOptions,
    targets: TargetOptions,
    package: PackageArgument = Path(),
    registry: RegistryOption = None,
) -> None:
    """List the accounts and regions that the package's actions go to."""
    found = _resolve(shell, package, deployment, targets, registry)
    rows = [(target.account, target.account_name, target.organizational_unit, target.region) for target in found.targets]

    def draw() -> None:
        from cli.tables import table

        shell.out.print(table(("account", "name", "organizational unit", "region"), rows))
        shell.say(f"{len(rows):,} targets in {len(found.regions_of):,} accounts")

    document = {"Targets": [item.as_dict() for item in found.targets], "Skipped": [item.as_dict() for item in found.skipped]}
    shell.emit(document, draw)


def explain(
    shell: Shell,
    deployment: DeploymentOptions,
    targets: TargetOptions,
    package: PackageArgument = Path(),
    registry: RegistryOption = None,
) -> None:
    """Say for every known account why it is in or out."""
    found = _resolve(shell, package, deployment, targets, registry)
    lines = found.explanations

    def draw() -> None:
        from cli.tables import table

        rows = [
            ("in" if item.included else "out", item.account, item.account_name, item.organizational_unit, item.reason,
             ", ".join(item.regions))
            for item in lines
        ]  # fmt: skip
        shell.out.print(table(("", "account", "name", "organizational unit", "reason", "regions"), rows))
        counts = Counter(item.included for item in lines)
        shell.say(f"{counts[True]:,} accounts in, {counts[False]:,} out")

    from cli.shell import pascal_keys

    shell.emit([pascal_keys(vars(item)) for item in lines], draw)


def _resolve(
    shell: Shell, package: Path, deployment: DeploymentOptions, targets: TargetOptions, registry: Path | None
) -> Targets:
    from cli.connection import connect
    from cli.preflight import gather
    from cli.request import payload_of, read_package
    from core_lib.deployspec import targets_of
    from core_lib.framework.models import PackageDetails, Task

    with connect(shell) as connection:
        payload = payload_of(connection, Task.COMPILE, PackageDetails(), deployment, targets=targets)
        inputs = gather(connection, payload, read_package(package), registry)
    return targets_of(inputs.payload, package=inputs.package, facts=inputs.facts, accounts=inputs.accounts)
