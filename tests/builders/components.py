"""A compile of components in one line."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core_lib.component import Built, Released, build_components
from core_lib.component.library import ComponentType, builtin_catalogue
from core_lib.db import Facts
from core_lib.framework.package import Package
from tests.builders.component_facts import component_facts


def package_of(files: Mapping[str, str | bytes]) -> Package:
    """A component package; a name without a folder is a file of `platform/components`."""
    return Package.from_files({name if "/" in name else f"platform/components/{name}": body for name, body in files.items()})


def built(files: Mapping[str, str | bytes] | str, *, released: Released | None = None, **facts: Any) -> Built:
    """The components of these files (or of this one text) built for `component_facts(**facts)`."""
    package = package_of({"components.yaml": files} if isinstance(files, str) else files)
    return build_components(package, Facts(component_facts(**facts)), released or Released())


def template(made: Built, component: str, stage: str = "resources") -> Mapping[str, Any]:
    """The body of a stage's template."""
    return made.components[component].stages[stage].body


def resources_of(made: Built, component: str, kind: str, stage: str = "resources") -> list[Mapping[str, Any]]:
    """The properties of all resources of one CloudFormation type in a template, in its order."""
    found = template(made, component, stage)["Resources"].values()
    return [resource.get("Properties", {}) for resource in found if resource["Type"] == kind]


def example_files(found: ComponentType, name: str = "example.yaml") -> dict[str, bytes]:
    """An example of a type as a package: `files/**` of the type's folder are the package's files, others it names are made up."""
    text = found.files[name]
    named = {f"platform/files/{path.decode()}" for path in _FILE.findall(text)}
    files = {f"platform/{path}": body for path, body in found.files.items() if path.startswith("files/")}
    made_up = {path: CODE if path.endswith((".zip", ".jar")) else b"example\n" for path in sorted(named)}
    return {**made_up, **files, "platform/components/example.yaml": text}


def _code() -> bytes:
    """A zip with a function that does nothing, whatever its handler is called."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("main", "index", "app", "handler"):
            archive.writestr(f"{name}.py", "def handler(event, context):\n    return event\n")
    return buffer.getvalue()


CODE = _code()
_FILE = re.compile(rb"\bPath: *[\"']?([A-Za-z0-9_.-][A-Za-z0-9_./-]*)")


def examples() -> list[tuple[str, str]]:
    """Every example of every built-in type, as (type, file)."""
    return [
        (name, path)
        for name, found in sorted(builtin_catalogue().types.items())
        for path in sorted(found.files)
        if path == "example.yaml" or (path.startswith("examples/") and path.endswith(".yaml"))
    ]


def reference_definitions() -> dict[str, bytes]:
    """Components as they were written for the reference system, by file: each file has one, of the file's name."""
    folder = Path(__file__).parents[1] / "corpus" / "reference-components"
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.yaml"))}
