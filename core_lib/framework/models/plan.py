"""Plan: the compiled, immutable graph of actions. Compilers make it, Execute runs it, nobody changes it."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from functools import cached_property
from typing import Any, Literal

from pydantic import Field

from core_lib.framework.models.action import Hook, Retry
from core_lib.framework.models.base import Message
from core_lib.framework.models.freeze import FreezeWindow
from core_lib.framework.models.payload import DeploymentDetails, Task
from core_lib.framework.models.prn import Level
from core_lib.framework.models.target import SkippedTarget, Target
from core_lib.framework.models.wave import PlanWave

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def action_id(name: str, target_key: str) -> str:
    """Name of an action instance within a plan: `name@account/region`."""
    return f"{name}@{target_key}"


class PlanAction(Message):
    """One action on one target.

    `spec` is ready for its kind, but strings may still hold run-time expressions (`outputs.*`, `vars.*`); `bindings` are the
    compile-time values those expressions need, `references` maps each upstream label used in them to an action id. With
    `waits_for` "end" it runs once its dependencies have ended, however they did; else all of them must have come to a good end.
    """

    id: str
    name: str
    kind: str
    target: str
    depends_on: tuple[str, ...] = ()
    waits_for: Literal["end"] | None = None
    segment: int = 0
    condition: str | None = None
    scope: Level | None = None
    save_outputs: bool = True
    retry: Retry = Field(default_factory=Retry)
    timeout: timedelta | None = None
    on_failure: Literal["stop", "continue", "undo"] = "stop"
    hooks: tuple[Hook, ...] = ()
    spec: dict[str, Any] = Field(default_factory=dict)
    bindings: dict[str, Any] = Field(default_factory=dict)
    references: dict[str, str] = Field(default_factory=dict)


class FileRef(Message):
    """A file the plan needs (template, policy): its artefact key and content hash. `path` is its name in the package."""

    path: str
    key: str
    sha256: str
    size: int


class Provenance(Message):
    """Where a plan came from. Nothing here depends on the machine, the user or the clock."""

    compiler: str
    package_sha256: str
    facts_sha256: str
    sources: tuple[str, ...] = ()


class PlanComponent(Message):
    """A component that a plan is about. `ResourcesStack` is the stack that it uses: the build's own, or one that persists."""

    name: str
    type: str
    resources_stack: str


class Plan(Message):
    """The graph of actions over all targets. `hash` names the content; see `Plan.sealed`. Only plans of the component compiler
    have `components`."""

    format_version: Literal[1] = 1
    client: str
    task: Task
    deployment: DeploymentDetails
    targets: tuple[Target, ...]
    skipped: tuple[SkippedTarget, ...] = ()
    actions: tuple[PlanAction, ...]
    files: tuple[FileRef, ...] = ()
    waves: tuple[PlanWave, ...] = ()
    freeze_windows: tuple[FreezeWindow, ...] = ()
    components: tuple[PlanComponent, ...] | None = None
    provenance: Provenance
    hash: str = ""

    @cached_property
    def action_by_id(self) -> dict[str, PlanAction]:
        """All actions by id."""
        return {action.id: action for action in self.actions}

    @cached_property
    def target_by_key(self) -> dict[str, Target]:
        """All targets by `account/region`."""
        return {target.key: target for target in self.targets}

    @cached_property
    def file_by_path(self) -> dict[str, FileRef]:
        """Files by their name in the package."""
        return {file.path: file for file in self.files}

    @cached_property
    def gates(self) -> frozenset[str]:
        """Ids of the actions between waves: they count and wait, and change no target of the deployment."""
        return frozenset(gate for wave in self.waves for gate in wave.gates)

    @cached_property
    def wave_of(self) -> dict[str, PlanWave]:
        """The wave of each target that is in one, by `account/region`."""
        return {target: wave for wave in self.waves for target in wave.targets}

    def content_hash(self) -> str:
        """SHA-256 (hex) over the canonical JSON of everything but the hash itself. `Actions` come first, one at a time."""
        digest = hashlib.sha256(b'{"Actions":[')
        for index, action in enumerate(self.actions):
            text = _CANONICAL(action.model_dump(mode="json", by_alias=True, exclude_none=True))
            digest.update(("," + text if index else text).encode())
        rest = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"hash", "actions"})
        digest.update(("]," + _CANONICAL(rest)[1:]).encode())
        return digest.hexdigest()

    def sealed(self) -> Plan:
        """This plan with its content hash filled in."""
        return self.model_copy(update={"hash": self.content_hash()})

    def to_json(self) -> str:
        """Canonical JSON text: same plan, same bytes."""
        return json.dumps(self.as_dict(), sort_keys=True, indent=1, ensure_ascii=False) + "\n"
