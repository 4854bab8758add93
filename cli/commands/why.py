"""`core why`: which file and layer a value of a plan came from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import DeploymentOptions, RegistryOption, TargetOptions
from cli.shell import Shell, command


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(app, "why")(why)


def why(
    shell: Shell,
    deployment: DeploymentOptions,
    targets: TargetOptions,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="Name of an action, or name@account/region.")],
    field: Annotated[str, typer.Argument(metavar="FIELD", help="E.g. Parameters.RetentionDays, Tags.Owner, StackName.")],
    package: Annotated[Path, typer.Option("--package", metavar="PACKAGE", help="Folder, archive or deployspec.")] = Path(),
    registry: RegistryOption = None,
) -> None:
    """List the layers that set a value, the winner first, each with its file and line or its place in the registry."""
    from cli.connection import connect
    from cli.preflight import gather
    from cli.request import payload_of, read_package
    from cli.tables import table
    from core_lib.deployspec import why as origins_of
    from core_lib.framework.models import PackageDetails, Task

    with connect(shell, package) as connection:
        payload = payload_of(connection, Task.DEPLOY, PackageDetails(), deployment, targets=targets)
        inputs = gather(connection, payload, read_package(package), registry)
        origins = origins_of(
            inputs.payload, package=inputs.package, facts=inputs.facts, accounts=inputs.accounts, action=action, field=field
        )
    document = {"Action": action, "Field": field, "Origins": [item.as_dict() for item in origins]}
    rows = [(item.layer, item.value, item.where) for item in origins]
    shell.emit(document, lambda: shell.out.print(table(("layer", "value", "where"), rows)))
