"""`core up`, `core down`, `core status`: the platform on this machine."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exit_codes import ExitCode
from cli.shell import Shell, command
from core_lib.framework.errors import InputError

if TYPE_CHECKING:
    from core_lib.framework.settings import Settings
    from deployments.local import Ports, StackStatus


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for name, function in (("up", up), ("down", down), ("status", status)):
        command(app, name)(function)


def up(
    shell: Shell,
    endpoint: Annotated[
        str | None, typer.Option(metavar="URL", help="Use what answers there (LocalStack, ...) instead of the embedded cloud.")
    ] = None,
    aws: Annotated[bool, typer.Option("--aws", help="Use real AWS, with the credentials of this environment.")] = False,
    project: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder with prefect.yaml.")] = None,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", min=0, max=65535, help="Port of the emulated AWS; 0 takes any.")
    ] = None,
    prefect_port: Annotated[
        int | None, typer.Option(metavar="PORT", min=0, max=65535, help="Port of Prefect; 0 takes any.")
    ] = None,
    worker: Annotated[bool, typer.Option(help="Start a worker.")] = True,
    stepfunctions: Annotated[
        bool, typer.Option("--stepfunctions", help="Add the Step Functions executor: its state machine and a worker.")
    ] = False,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay here until Ctrl-C, then stop.")] = False,
) -> None:
    """Start the platform: emulated AWS, Prefect with its web pages, a worker. Does nothing when it is up."""
    if endpoint and aws:
        raise InputError("--endpoint and --aws exclude each other", where="core up")
    if stepfunctions and aws:
        raise InputError(
            "on AWS the executor is deployed with its template", where="--stepfunctions", hint="core stepfunctions template"
        )
    if endpoint and not re.match(r"https?://[^/\s]+", endpoint):
        raise InputError(f"{endpoint[:80]!r} is not an address", where="--endpoint", hint="e.g. http://127.0.0.1:4566")
    from core_lib.framework.settings import load_settings
    from deployments.local import UpOptions
    from deployments.local import up as bring_up

    settings = load_settings(dict(shell.overrides))
    options = UpOptions(
        state_dir=shell.state_dir.resolve(),
        mode="aws" if aws else "endpoint" if endpoint else "embedded",
        endpoint=endpoint,
        ports=_ports(settings, port, prefect_port),
        region=settings.aws.region or "eu-west-1",
        project=project,
        worker=worker,
        stepfunctions=stepfunctions,
        foreground=foreground,
        start_seconds=settings.local.start_seconds,
    )
    _show(shell, bring_up(options, _teller(shell)))


def _teller(shell: Shell) -> Callable[[StackStatus], None]:
    """Tells, while the platform comes up, which part has become what."""
    told: dict[str, str] = {}

    def tell(found: StackStatus) -> None:
        for member in found.members:
            if member.state not in ("waiting", told.get(member.name)):
                told[member.name] = member.state
                shell.say(f"{member.name}: {member.state}")

    return tell


def _ports(settings: Settings, gateway: int | None, prefect: int | None) -> Ports:
    from deployments.local import Ports

    local = settings.local
    return Ports(
        gateway=local.gateway_port if gateway is None else gateway,
        prefect=local.prefect_port if prefect is None else prefect,
        ministack=local.ministack_port,
        moto=local.moto_port,
    )


def down(shell: Shell) -> None:
    """Stop the platform. What it knows stays in its folder."""
    from deployments.local import down as end

    found = end(shell.state_dir)
    shell.emit(_document(found), "The platform is down.")


def status(
    shell: Shell,
    env: Annotated[bool, typer.Option("--env", help="Print the variables that lead other tools (aws, boto3) here.")] = False,
) -> None:
    """Show what runs. Exit code 0 when everything is healthy, 6 when not."""
    from deployments.local import environment
    from deployments.local import status as look

    if env:
        variables = environment(shell.state_dir)
        shell.emit(variables, "\n".join(f"export {name}={quote(value)}" for name, value in variables.items()))
        return
    found = look(shell.state_dir)
    _show(shell, found)
    if not found.healthy:
        shell.done(ExitCode.PLATFORM)


def _show(shell: Shell, found: StackStatus) -> None:
    def draw() -> None:
        from cli.tables import table

        if not found.running:
            print(f"The platform is not running ({found.phase}). Start it: core up")
            return
        rows = [
            (
                member.name,
                "healthy" if member.healthy else member.state,
                member.pid or "",
                member.url or "",
                member.restarts or "",
            )
            for member in found.members
        ]
        shell.out.print(table(("part", "state", "pid", "address", "restarts"), rows))
        for label, url in (("AWS endpoint", found.endpoint), ("Prefect", found.prefect_ui)):
            if url:
                print(f"{label:<14}{url}")

    shell.emit(_document(found), draw)


def _document(found: StackStatus) -> dict[str, object]:
    from cli.shell import pascal_keys

    found_as_dict: dict[str, object] = pascal_keys(found.model_dump(mode="json", exclude_none=True))
    return found_as_dict | {"Healthy": found.healthy}
