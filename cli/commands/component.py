"""`core component`: begin one, look the types up, check a package's components, draw them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.exit_codes import ExitCode
from cli.options import DeploymentOptions, PackageArgument, RegistryOption
from cli.shell import Shell, command, pascal_keys, writing
from core_lib.framework.errors import InputError

if TYPE_CHECKING:
    from core_lib.component.guard import Finding

FolderOption = Annotated[Path, typer.Option("--package", metavar="DIR", help="The package's folder; default: this folder.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    group = typer.Typer(help="Components: begin, look up, check, draw.", rich_markup_mode=None, no_args_is_help=True)
    for name, function in (
        ("new", new), ("list", list_), ("show", show), ("validate", validate), ("graph", graph), ("rules", rules),
    ):  # fmt: skip
        command(group, name)(function)
    app.add_typer(group, name="component")


def new(
    shell: Shell,
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="A component type, e.g. AWS::DynamoDB.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The component's name.")],
    package: FolderOption = Path(),
) -> None:
    """Write a file to begin a component with, from the type's example. Nothing that is there is ever overwritten."""
    from cli.component_starter import starter
    from cli.components import known_types

    kind, _ = known_types(package).find(type_)
    folder = package / "platform" / "components"
    path = folder / f"{name}.yaml"
    taken = _component_names(folder)
    if path.exists() or name in taken:
        raise InputError(f"there is a component {name} already", where=str(path), hint="choose another name")
    text = starter(kind, type_, name, taken)
    with writing(path):
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shell.emit({"File": path, "Type": kind.name}, f"{path}\n\nNext: core component validate")


def list_(shell: Shell, package: FolderOption = Path()) -> None:
    """List the component types by group; those of the package are marked with a star."""
    from cli.components import known_types
    from core_lib.component.library import builtin_catalogue

    builtin = builtin_catalogue().types
    found = sorted(known_types(package).types.values(), key=lambda kind: (kind.file.group, kind.name))
    own = {kind.name for kind in found if builtin.get(kind.name) is not kind}
    document = [
        {
            "Type": kind.name, "Group": kind.file.group, "Purpose": kind.file.purpose, "Own": kind.name in own,
            "Aliases": [alias.type for alias in kind.file.aliases],
        }
        for kind in found
    ]  # fmt: skip
    rows = [(kind.file.group, kind.name + (" *" if kind.name in own else ""), kind.file.purpose) for kind in found]

    def draw() -> None:
        from cli.tables import table

        shell.out.print(table(("group", "type", "purpose"), rows))

    shell.emit(document, draw)


def show(
    shell: Shell,
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="A component type, or one of its other names.")],
    package: FolderOption = Path(),
) -> None:
    """Show all about a type: its page, configuration, options, rights for others, outputs, and an example."""
    from cli.component_pages import type_document, type_text
    from cli.components import known_types

    kind, _ = known_types(package).find(type_)
    shell.emit(type_document(kind), lambda: shell.out.print(type_text(kind), markup=False, end=""))


def validate(
    shell: Shell,
    deployment: DeploymentOptions,
    package: PackageArgument = Path(),
    registry: RegistryOption = None,
    all_: Annotated[bool, typer.Option("--all", help="Show notes on good practice and accepted findings too.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail too.")] = False,
    lint: Annotated[bool, typer.Option("--lint/--no-lint", help="Whether cfn-lint looks at the templates.")] = True,
) -> None:
    """Check the components of a package: definitions, templates, guard rails, required tags, cfn-lint. Writes nothing.

    Waivers that have ended no longer count here. Ends with 3 when a finding blocks.
    """
    from cli.components import build_package
    from cli.preflight import cache_folder
    from core_lib.component.checking import findings_of, lint_findings, place
    from core_lib.component.guard import ordered
    from core_lib.deployspec import Linter

    made = build_package(shell, package, deployment, registry)
    findings = findings_of(made.built, made.facts, made.package, today=datetime.now(UTC).date())
    if lint:
        findings += lint_findings(made.built, str(made.facts.values.get("AwsRegion", "us-east-1")), Linter(cache_folder()))
    failing = [each for each in findings if each.blocks or (strict and each.severity == "warning" and each.waived is None)]
    shown = [each for each in ordered(findings) if all_ or (each.severity != "info" and each.waived is None)]
    count = sum(not name.startswith("_") for name in made.built.components)
    document = {
        "Valid": not failing,
        "Components": count,
        "Findings": [_document(each, place(each, made.built)) for each in shown],
    }

    def draw() -> None:
        for each in shown:
            print(f"{_level(each):<8} {place(each, made.built)}: {each}")
        print(f"{package}: {'NOT valid' if failing else 'valid'} ({count} components, {_counted(findings)})")

    shell.emit(document, draw)
    if failing:
        shell.done(ExitCode.COMPILE_ERROR)


def graph(
    shell: Shell, deployment: DeploymentOptions, package: PackageArgument = Path(), registry: RegistryOption = None
) -> None:
    """Draw the components of a package as a Mermaid flowchart: order (dotted), outputs used, and who may do what on whom."""
    from cli.components import build_package
    from core_lib.component.explain import package_graph
    from core_lib.component.model import APPLICATION

    compiled = build_package(shell, package, deployment, registry).built.components
    uses = {name: sorted({owner for owner, _ in each.uses}) for name, each in compiled.items() if name != APPLICATION}
    text = package_graph({name: compiled[name].component for name in uses}, uses)
    shell.emit({"Mermaid": text, "Uses": uses}, text)


def rules(shell: Shell, package: FolderOption = Path()) -> None:
    """List the rules of the guard rails: the platform's, and those of the package."""
    from cli.components import own_rules

    found = sorted(own_rules(package).rules.values(), key=lambda rule: rule.id)
    rows = [(rule.id, rule.severity, rule.message, ", ".join(rule.for_) or "any text") for rule in found]

    def draw() -> None:
        from cli.tables import table

        shell.out.print(table(("rule", "severity", "found when", "looks at"), rows))

    shell.emit([rule.as_dict() for rule in found], draw)


def _component_names(folder: Path) -> list[str]:
    """The names of the components that a folder defines, as far as its files can be read without facts."""
    import re

    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("**/*.yaml"))] if folder.is_dir() else []
    return [name for text in texts for name in re.findall(r"^([A-Za-z0-9][A-Za-z0-9-]*):", text, re.MULTILINE)]


def _document(finding: Finding, where: str) -> dict[str, Any]:
    told = pascal_keys(asdict(finding)) | {"Where": where}
    return {key: value for key, value in told.items() if value is not None}


def _level(finding: Finding) -> str:
    return "accepted" if finding.waived is not None else finding.severity


def _counted(findings: list[Finding]) -> str:
    levels = [_level(each) for each in findings]
    return ", ".join(f"{levels.count(level)} {level}" for level in ("error", "warning", "info", "accepted"))
