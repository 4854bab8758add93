"""`core targets`: which accounts and regions a package would go to, and why each account is in or out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DeploymentOptions, PackageArgument, RegistryOption, TargetOptions
from cli.shell import Shell, command
from core_lib.framework.errors import GraphError

if TYPE_CHECKING:
    from core_lib.deployspec import Compilation, TargetExplanation, Targets


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    group = typer.Typer(help="Resolve and explain targets.", rich_markup_mode=None, no_args_is_help=True)
    for function in (resolve, explain):
        command(group, function.__name__)(function)
    app.add_typer(group, name="targets")


ActionOption = Annotated[str | None, typer.Option("--action", metavar="NAME", help="Only the targets of this action.")]


def resolve(
    shell: Shell,
    deployment: DeploymentOptions,
    targets: TargetOptions,
    package: PackageArgument = Path(),
    action: ActionOption = None,
    registry: RegistryOption = None,
) -> None:
    """List the accounts and regions that the package's actions go to."""
    by_action = _chosen(_compiled(shell, package, deployment, targets, registry), action)
    names: dict[str, list[str]] = {}
    found = {target.key: target for item in by_action.values() for target in item.targets}
    for name, item in by_action.items():
        for key in item.keys:
            names.setdefault(key, []).append(name)
    chosen = [found[key] for key in sorted(found)]
    rows = [(one.account, one.account_name, one.organizational_unit, one.region, ", ".join(names[one.key])) for one in chosen]

    def draw() -> None:
        from cli.tables import table

        shell.out.print(table(("account", "name", "organizational unit", "region", "actions"), rows))
        shell.say(f"{len(rows):,} targets in {len({target.account for target in chosen}):,} accounts")

    document = [target.as_dict() | {"Actions": names[target.key]} for target in chosen]
    shell.emit({"Targets": document}, draw)


def explain(
    shell: Shell,
    deployment: DeploymentOptions,
    targets: TargetOptions,
    package: PackageArgument = Path(),
    action: ActionOption = None,
    registry: RegistryOption = None,
) -> None:
    """Say for every known account why it is in or out, and in which wave; actions that agree share a line."""
    compilation = _compiled(shell, package, deployment, targets, registry)
    by_action = _chosen(compilation, action)
    lines: dict[TargetExplanation, list[str]] = {}
    for name, item in by_action.items():
        for line in item.explanations:
            lines.setdefault(line, []).append(name)
    ordered = sorted(lines, key=lambda line: (line.account, not line.included))
    every = len(by_action)
    anywhere = {line.account for line in lines if line.included}
    waves = {line: _waves(compilation, line) for line in ordered}

    def draw() -> None:
        from cli.tables import table

        rows = [
            ("in" if line.included else "out", line.account, line.account_name, line.organizational_unit,
             "all" if len(lines[line]) == every else ", ".join(lines[line]), line.reason, ", ".join(line.regions),
             *([", ".join(waves[line])] if any(waves.values()) else []))
            for line in ordered
            if line.included or line.account not in anywhere
        ]  # fmt: skip
        headings = ("", "account", "name", "organizational unit", "actions", "reason", "regions")
        shell.out.print(table((*headings, "wave") if any(waves.values()) else headings, rows))

    from cli.shell import pascal_keys

    documents = [pascal_keys(vars(line)) | {"Actions": lines[line], "Waves": waves[line]} for line in ordered]
    shell.emit({"Accounts": documents}, draw)


def _waves(compilation: Compilation, line: TargetExplanation) -> list[str]:
    """The waves that the account is in, with its regions; usually one."""
    plan = next(iter(compilation.plans.values()))
    found = (plan.wave_of.get(f"{line.account}/{region}") for region in line.regions)
    return list(dict.fromkeys(wave.name for wave in found if wave is not None))


def _compiled(
    shell: Shell, package: Path, deployment: DeploymentOptions, targets: TargetOptions, registry: list[Path] | None
) -> Compilation:
    from cli.connection import connect
    from cli.preflight import gather
    from cli.request import payload_of, read_package
    from core_lib.framework.models import PackageDetails, Task

    with connect(shell, package) as connection:
        payload = payload_of(connection, Task.COMPILE, PackageDetails(), deployment, targets=targets)
        return gather(connection, payload, read_package(package), registry).compile(lint=False)


def _chosen(compilation: Compilation, action: str | None) -> Mapping[str, Targets]:
    """The targets of each action of the package's main definition; of one action only, if it is named."""
    found = next(iter(compilation.targets.values()))
    if action is None:
        return found
    if action not in found:
        raise GraphError(f"there is no action '{action}'", where="--action", hint=f"the package has: {', '.join(found)}")
    return {action: found[action]}
