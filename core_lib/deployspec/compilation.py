"""What a compile gives: a plan for each task, the files they need, and what is worth knowing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core_lib.deployspec.expand import SkippedAction
from core_lib.deployspec.places import CompileWarning
from core_lib.deployspec.targets import Targets
from core_lib.framework.errors import CompileError
from core_lib.framework.models import Plan, Task


@dataclass(frozen=True)
class Compilation:
    """Plans by task; `files` by artefact key; the targets of each action by task and name.

    `skipped_actions` are instances whose condition is false; accounts that are left out are in each plan's `skipped`.
    """

    plans: dict[Task, Plan]
    files: dict[str, bytes]
    warnings: tuple[CompileWarning, ...] = ()
    skipped_actions: tuple[SkippedAction, ...] = ()
    targets: Mapping[Task, Mapping[str, Targets]] = field(default_factory=dict)

    def plan(self, task: Task) -> Plan:
        """The plan of a task.

        Raises:
            CompileError: the package defines none.
        """
        if task not in self.plans:
            known = ", ".join(sorted(self.plans))
            raise CompileError(f"the package defines no {task.value}", hint=f"it defines: {known}")
        return self.plans[task]
