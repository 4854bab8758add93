"""`core validate` and `core compile`: is it right, and what does it become?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DeploymentOptions, PackageArgument, RegistryOption, TargetOptions
from cli.shell import Shell, command, writing

if TYPE_CHECKING:
    from core_lib.deployspec import Compilation


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    command(app, "validate")(validate)
    command(app, "compile")(compile_)


def validate(
    shell: Shell,
    deployment: DeploymentOptions,
    targets: TargetOptions,
    package: PackageArgument = Path(),
    registry: RegistryOption = None,
) -> None:
    """Check a package completely: files, expressions, action parameters, templates, references. Writes nothing."""
    compilation = compile_package(shell, package, deployment, targets, registry)
    plans = {task.value: len(plan.actions) for task, plan in compilation.plans.items()}
    warnings = [str(item) for item in compilation.warnings]

    def draw() -> None:
        for warning in warnings:
            print(f"warning: {warning}")
        counts = ", ".join(f"{task}: {count:,} actions" for task, count in plans.items())
        print(f"{package}: valid ({counts})")

    shell.emit({"Valid": True, "Actions": plans, "Warnings": warnings}, draw)


def compile_(
    shell: Shell,
    deployment: DeploymentOptions,
    targets: TargetOptions,
    package: PackageArgument = Path(),
    registry: RegistryOption = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write the plans and their files here.")] = None,
) -> None:
    """Compile a package to its plans. The same inputs give the same bytes, on any machine."""
    from cli.preflight import touched

    compilation = compile_package(shell, package, deployment, targets, registry)
    written = _write(out, compilation) if out else []
    plans = [
        {
            "Task": task.value, "Hash": plan.hash, "Actions": len(plan.actions), "Targets": len(plan.targets),
            "Waves": [wave.as_dict() for wave in plan.waves],
        }
        for task, plan in compilation.plans.items()
    ]  # fmt: skip

    def draw() -> None:
        for task, plan in compilation.plans.items():
            print(f"{task.value:<10}{plan.hash[:16]}  {len(plan.actions):,} actions on {len(plan.targets):,} targets")
        main = next(iter(compilation.plans.values()))
        print("\n".join(["", *touched(main)]))
        for path in written:
            print(path)

    for warning in compilation.warnings:
        shell.say(f"warning: {warning}")
    shell.emit({"Plans": plans, "Files": written, "Warnings": [str(item) for item in compilation.warnings]}, draw)


def compile_package(
    shell: Shell, package: Path, deployment: DeploymentOptions, targets: TargetOptions, registry: list[Path] | None
) -> Compilation:
    """The package compiled for all of its tasks, with facts from the registry or the files given."""
    from cli.connection import connect
    from cli.preflight import gather
    from cli.request import payload_of, read_package
    from core_lib.framework.models import PackageDetails, Task

    with connect(shell, package) as connection:
        read = read_package(package)
        payload = payload_of(connection, Task.COMPILE, PackageDetails(), deployment, targets=targets)
        return gather(connection, payload, read, registry).compile()


def _write(folder: Path, compilation: Compilation) -> list[str]:
    from core_lib.framework.package_sources import OUTPUT_MARK

    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / OUTPUT_MARK).touch()
    written = []
    texts = {f"{task.value}.actions": plan.to_json().encode() for task, plan in compilation.plans.items()}
    texts |= _templates(compilation)
    for name, content in (texts | dict(compilation.files)).items():
        path = folder / name
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        written.append(str(path))
    return written


def _templates(compilation: Compilation) -> dict[str, bytes]:
    """The templates that a compile of components made, to be read by people: `templates/component/stage.yaml`."""
    from core_lib.framework.codecs import dump_yaml, load_document

    files = {file.path: file.key for plan in compilation.plans.values() if plan.components is not None for file in plan.files}
    return {
        f"templates/{path}": dump_yaml(load_document(compilation.files[key], path).data).encode()
        for path, key in sorted(files.items())
    }
