"""Groups of options that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.shell import OptionGroup

PackageArgument = Annotated[
    Path, typer.Argument(metavar="PACKAGE", help="Folder, archive or single deployspec; default: this folder.")
]
RegistryOption = Annotated[
    list[Path] | None,
    typer.Option("--registry", metavar="FILE", help="Facts and accounts from here; no platform is needed. May be repeated."),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Answer every question with yes.")]


class WhenLocked(StrEnum):
    """What to do when another run holds a stack."""

    WAIT = "wait"
    REFUSE = "refuse"
    SUPERSEDE = "supersede"


class Executor(StrEnum):
    """Who executes the plan of a run."""

    PREFECT = "prefect"
    STEPFUNCTIONS = "stepfunctions"


@dataclass(frozen=True)
class DeploymentOptions(OptionGroup):
    """Which place in the hierarchy, in which environment, with which facts on top."""

    prn: Annotated[
        str | None, typer.Option(metavar="PRN", help="prn:portfolio:app:branch:build; default: [deployment] in core.toml.")
    ] = None
    environment: Annotated[str | None, typer.Option(metavar="NAME", help="Environment, e.g. dev or prod.")] = None
    fact: Annotated[
        list[str] | None,
        typer.Option("--fact", metavar="KEY=VALUE", help="A fact on top of the registry's; dots descend. May be repeated."),
    ] = None


@dataclass(frozen=True)
class TargetOptions(OptionGroup):
    """Narrowing a run to some of its targets."""

    account: Annotated[list[str] | None, typer.Option("--account", metavar="ID|NAME", help="Only this account.")] = None
    ou: Annotated[list[str] | None, typer.Option("--ou", metavar="PATH", help="Only below this organizational unit.")] = None
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="Only accounts with this tag.")] = None
    region: Annotated[list[str] | None, typer.Option("--region", metavar="NAME", help="Only this region.")] = None
    exclude_account: Annotated[list[str] | None, typer.Option(metavar="ID|NAME", help="Not this account.")] = None
    exclude_ou: Annotated[list[str] | None, typer.Option(metavar="PATH", help="Nothing below this unit.")] = None
    exclude_region: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Not this region.")] = None


@dataclass(frozen=True)
class RunOptions(OptionGroup):
    """How the run behaves, and whether the command stays to watch."""

    concurrency: Annotated[int | None, typer.Option(metavar="N", min=1, max=1000, help="Actions in work at once.")] = None
    tolerance: Annotated[
        str | None, typer.Option(metavar="N|N%", help="Failed targets to put up with; default: those of the waves, else none.")
    ] = None
    waves: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Roll out in these waves (YAML), not in the package's; 'none': in one go.")
    ] = None
    ignore_freeze: Annotated[
        str | None, typer.Option(metavar="REASON", help="Go on in spite of a freeze window; who and why is recorded.")
    ] = None
    when_locked: Annotated[WhenLocked, typer.Option(help="When another run holds a stack.")] = WhenLocked.WAIT
    force: Annotated[bool, typer.Option("--force", help="Run actions even where nothing seems to have changed.")] = False
    executor: Annotated[Executor, typer.Option(help="Who executes the plan.")] = Executor.PREFECT
    detach: Annotated[bool, typer.Option("--detach", help="Start the run and return at once.")] = False
