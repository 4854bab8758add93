"""What functions may know: the facts, the other components, the files of the package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from core_lib.component.files import files_below
from core_lib.component.model import Component
from core_lib.component.network import Network, network_of
from core_lib.framework.codecs import sha256_hex
from core_lib.framework.package import Package

_DIGEST_LENGTH = 16


@dataclass(frozen=True)
class Environment:
    """Shared by all components of a compile. `files` are the user's files by their path below `platform/files`."""

    facts: Mapping[str, Any]
    components: Mapping[str, Component]
    files: Mapping[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, package: Package, facts: Mapping[str, Any], components: Mapping[str, Component]) -> Environment:
        """The environment of a package's components."""
        return cls(facts, components, files_below(package))

    @cached_property
    def network(self) -> Network:
        """VPC and subnets that the facts name."""
        return network_of(self.facts)

    @cached_property
    def _digests(self) -> dict[str, str]:
        return {}

    def content_name(self, path: str) -> str:
        """What tells the content of a file from others: the first digits of its SHA-256."""
        if path not in self._digests:
            self._digests[path] = sha256_hex(self.files[path])[:_DIGEST_LENGTH]
        return self._digests[path]
