"""Sources: the files of the package that actions use, each read and checked once, and listed for the artefact store."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from core_lib.deployspec.templates import Template, read_template
from core_lib.framework.codecs import cfn_to_plain, load_document, sha256_hex
from core_lib.framework.errors import CodecError, CompileError, PackageError, TemplateError
from core_lib.framework.models import FileRef
from core_lib.framework.package import Package


class Sources:
    """Templates and policies by path. `prefix` is where the artefact store keeps the deployment's files."""

    def __init__(self, package: Package, prefix: str) -> None:
        self.package = package
        self._prefix = prefix
        self._templates: dict[str, Template] = {}
        self._policies: dict[str, str | dict[str, Any]] = {}

    def template(self, path: str) -> Template:
        """A template of the package.

        Raises:
            TemplateError: it is not there, or is no template.
        """
        found = self._templates.get(path)
        if found is None:
            found = self._templates[path] = read_template(self.package, _plain_path(path))
        return found

    def policy(self, path: str) -> str | dict[str, Any]:
        """A stack policy: the path of a JSON file stays a path, what is written in YAML or in the spec itself becomes a map.

        Raises:
            TemplateError: it is not there, or is no policy.
        """
        if path not in self._policies:
            self._policies[path] = self._read_policy(path)
        return self._policies[path]

    def _read_policy(self, path: str) -> str | dict[str, Any]:
        inline = path.lstrip().startswith("{")
        name = "StackPolicy.json" if inline else _plain_path(path)
        try:
            data = cfn_to_plain(load_document(path if inline else self.package.read(name), name))
        except (CodecError, PackageError) as error:
            raise TemplateError(f"the stack policy cannot be read: {error.message}", hint=error.hint) from error
        if not isinstance(data, dict) or "Statement" not in data:
            raise TemplateError("a stack policy is a map with a 'Statement'")
        return name if name.endswith(".json") and not inline else data

    def file_ref(self, path: str) -> FileRef:
        """How a plan lists a file of the package: its key in the artefact store is made of its content."""
        content = self.package.files[path]
        digest = sha256_hex(content)
        return FileRef(path=path, key=f"{self._prefix}/files/{digest}", sha256=digest, size=len(content))


def _plain_path(path: str) -> str:
    parts = PurePosixPath(path.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts:
        raise CompileError(f"{path!r} is not a path in the package", hint="write it from the package's root: network/vpc.yaml")
    return str(parts)
