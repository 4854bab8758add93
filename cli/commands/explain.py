"""`core explain`: what a component will make, open, encrypt and allow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import DeploymentOptions, PackageArgument, RegistryOption
from cli.shell import Shell, command
from core_lib.framework.errors import InputError


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(app, "explain")(explain)


def explain(
    shell: Shell,
    deployment: DeploymentOptions,
    component: Annotated[str, typer.Argument(metavar="COMPONENT", help="A component of the package; _application: its key.")],
    package: PackageArgument = Path(),
    registry: RegistryOption = None,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="As a Mermaid flowchart, not in words.")] = False,
) -> None:
    """Tell what a component will make, open, encrypt, allow, keep and delete: in words, as a graph, or as JSON."""
    from cli.components import build_package
    from core_lib.component.checking import findings_of
    from core_lib.component.explain import component_graph, sentences
    from core_lib.component.explain import explain as explained
    from core_lib.framework.codecs import nearest

    made = build_package(shell, package, deployment, registry)
    compiled = made.built.components.get(component)
    if compiled is None:
        near = nearest(component, made.built.components)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(made.built.components)}"
        raise InputError(f"there is no component {component!r}", where=str(package), hint=hint)
    told = explained(compiled, findings_of(made.built, made.facts, made.package), made.built.components.values())
    text = component_graph(told) if mermaid else sentences(told)
    shell.emit({**told.as_dict(), "Mermaid": component_graph(told)}, text)
