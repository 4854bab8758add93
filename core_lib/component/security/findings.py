"""Where security tells what is wrong (faults) and what is probably not meant (warnings)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from core_lib.component.definitions import Faults
from core_lib.component.model import Component
from core_lib.deployspec import CompileWarning
from core_lib.framework.codecs import Path
from core_lib.framework.errors import CompileError, CoreError


@dataclass
class Findings:
    """Gathered over all components."""

    faults: Faults = field(default_factory=lambda: Faults("Pipeline::Security"))
    warnings: list[CompileWarning] = field(default_factory=list)

    def fault(
        self, component: Component, path: Path, message: str, hint: str | None = None, kind: type[CoreError] = CompileError
    ) -> None:
        """Something is wrong."""
        self.faults.add(component.locate(path), f"{component.name}: {message}", hint, kind)

    def warn(self, component: Component, path: Path, message: str) -> None:
        """Something is probably not meant; each is told once."""
        warning = CompileWarning(component.locate(path), f"{component.name}: {message}")
        if warning not in self.warnings:
            self.warnings.append(warning)

    @contextmanager
    def gathered(self, component: Component, path: Path) -> Iterator[None]:
        """Take up a CoreError that leaves the block, and go on."""
        try:
            yield
        except CoreError as error:
            self.fault(component, path, error.message, error.hint, type(error))
