"""Files of the package that belong into the artefact store: everything below `platform/files`, and copies named by content."""

from __future__ import annotations

from collections.abc import Mapping

from core_lib.framework.models import DeploymentDetails, Level
from core_lib.framework.package import Package

FOLDERS = ("platform/files/", "files/")
"""Where a package has its files: a package that is the folder `platform` itself has them directly in `files`."""


def user_files(
    package: Package, deployment: DeploymentDetails, copies: Mapping[str, str], prefix: str | None = None
) -> dict[str, bytes]:
    """The files of a build by artefact key.

    Args:
        package: where they are.
        deployment: whose they are.
        copies: object keys, with the file (by its path below the folder) that is to lie there as well.
        prefix: what object keys of the build begin with (the fact BuildFilesPrefix): a bucket may have a folder for artefacts.
    """
    place = deployment.but(scope=Level.BUILD).key_prefix("files")
    found = files_below(package)
    kept = {f"{place}/{path}": body for path, body in found.items()}
    for key, path in copies.items():
        kept[place + key.removeprefix(prefix or place)] = found[path]
    return kept


def files_below(package: Package) -> dict[str, bytes]:
    """The files of a package by their path below its folder of files."""
    for folder in FOLDERS:
        found = {path.removeprefix(folder): body for path, body in package.files.items() if path.startswith(folder)}
        if found:
            return found
    return {}


def is_component_package(package: Package) -> bool:
    """Whether a package holds components."""
    return any(path.startswith(("platform/components/", "components/")) for path in package.files)
