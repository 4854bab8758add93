"""The state folder: one stack's files, its lock, and the record of what runs."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict, ValidationError

from core_lib.framework.errors import PlatformError
from deployments.local.options import MemberStatus, Mode, Phase, StackStatus
from deployments.local.processes import ProcessId


class StackRecord(BaseModel):
    """`state.json`: written by the supervisor at every change, read by everybody else."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    launch: str
    phase: Phase
    mode: Mode
    supervisor: int
    supervisor_started: int
    started_at: str
    members: tuple[MemberStatus, ...] = ()
    environment: Mapping[str, str] = {}
    endpoint: str | None = None
    prefect_ui: str | None = None
    error: dict[str, str] | None = None

    @property
    def alive(self) -> bool:
        """True while the supervisor that wrote the record lives and has not said that it ended."""
        return self.phase not in ("stopped", "failed") and ProcessId(self.supervisor, self.supervisor_started).alive()


@dataclass(frozen=True, slots=True)
class StateFolder:
    """Where one stack keeps everything."""

    path: Path

    @property
    def stack(self) -> str:
        """The stack's name, carried by all its processes: a hash of the folder's path."""
        return hashlib.sha256(str(self.path.resolve()).encode()).hexdigest()[:16]

    @property
    def logs(self) -> Path:
        """One log per member."""
        return self.path / "logs"

    @property
    def emulators(self) -> Path:
        """What the emulators keep."""
        return self.path / "aws"

    @property
    def prefect(self) -> Path:
        """Prefect's home: its database and settings."""
        return self.path / "prefect"

    @property
    def record(self) -> Path:
        """The record of what runs."""
        return self.path / "state.json"

    def create(self) -> None:
        """Make the folders; only the user may read them."""
        for folder in (self.path, self.logs, self.emulators, self.prefect):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def read(self) -> StackRecord | None:
        """The record, or None if there is none that can be read (a torn or foreign file never blocks a start)."""
        try:
            return StackRecord.model_validate_json(self.record.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def write(self, record: StackRecord) -> None:
        """Replace the record in one step."""
        fresh = self.record.with_suffix(".tmp")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(record.model_dump_json(indent=2))
        fresh.replace(self.record)

    def lock(self) -> IO[str]:
        """Hold the folder until the returned file is closed; raises PlatformError when another supervisor does."""
        file = (self.path / "supervisor.lock").open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            file.close()
            raise PlatformError(
                "another supervisor runs on this state folder", where=str(self.path), hint="stop it with: core down"
            ) from problem
        return file

    def secret(self, name: str) -> str:
        """A random secret that only the user may read, made when it is first asked for."""
        path = self.path / name
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(24))
        return path.read_text().strip()


def described(folder: StateFolder, record: StackRecord) -> StackStatus:
    """The stack as its record tells it, without asking the members."""
    running = record.alive
    return StackStatus(
        running=running,
        phase=record.phase if running or record.phase == "failed" else "stopped",
        mode=record.mode,
        state_dir=folder.path,
        members=record.members,
        endpoint=record.endpoint,
        prefect_ui=record.prefect_ui,
        prefect_api=f"{record.prefect_ui}/api" if record.prefect_ui else None,
        supervisor=record.supervisor if running else None,
        started_at=record.started_at,
        error=record.error,
    )
