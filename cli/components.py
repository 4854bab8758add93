"""What the commands about components share: the package's types, and its components built on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cli.options import DeploymentOptions
from cli.shell import Shell
from core_lib.framework.errors import InputError

if TYPE_CHECKING:
    from core_lib.component import Built
    from core_lib.component.guard import Rulebook
    from core_lib.component.library import Catalogue
    from core_lib.db import Facts
    from core_lib.framework.package import Package


@dataclass(frozen=True)
class BuiltPackage:
    """The components of a package with their templates, and what they were built from."""

    package: Package
    facts: Facts
    built: Built


def known_types(folder: Path) -> Catalogue:
    """The platform's types and, where the folder is a package, its own."""
    from cli.request import read_package
    from core_lib.component.definitions import with_own_types
    from core_lib.component.library import builtin_catalogue

    if not any((folder / place).is_dir() for place in ("platform/types", "types")):
        return builtin_catalogue()
    return with_own_types(builtin_catalogue(), read_package(folder))


def build_package(shell: Shell, path: Path, deployment: DeploymentOptions, registry: list[Path] | None) -> BuiltPackage:
    """The components of the package at `path`, with facts from the registry or the files given.

    Raises:
        InputError: it has no components.
        CoreError: they cannot be built; says what and where.
    """
    from cli.connection import connect
    from cli.preflight import gather
    from cli.request import payload_of, read_package
    from core_lib.component import Released, build_components, is_component_package
    from core_lib.framework.models import PackageDetails, Task

    package = read_package(path)
    if not is_component_package(package):
        hint = "core component new TYPE NAME writes one; core init --components begins a package"
        raise InputError("there are no components in the package", where=str(path), hint=hint)
    with connect(shell, path) as connection:
        payload = payload_of(connection, Task.COMPILE, PackageDetails(), deployment)
        inputs = gather(connection, payload, package, registry)
    return BuiltPackage(package, inputs.facts, build_components(package, inputs.facts, inputs.released or Released()))


def own_rules(folder: Path) -> Rulebook:
    """The rules of the guard rails and, where the folder is a package, its own."""
    from cli.request import read_package
    from core_lib.component.guard import builtin_rules, rulebook

    if not any((folder / place).is_dir() for place in ("platform/rules", "rules")):
        return builtin_rules()
    return rulebook({}, read_package(folder).files)
