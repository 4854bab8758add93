"""What one asks of the local stack, and what one is told about it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from deployments.local.cloud import MANAGEMENT_ACCOUNT

Mode = Literal["embedded", "endpoint", "aws"]
Phase = Literal["starting", "ready", "degraded", "stopping", "stopped", "failed"]
MemberState = Literal["waiting", "starting", "ready", "restarting", "stopped"]


def default_state_dir() -> Path:
    """`CORE_STATE_DIR`, or `.core` in the working directory."""
    return Path(os.environ.get("CORE_STATE_DIR") or ".core").resolve()


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Ports(_Frozen):
    """TCP ports on the loopback interface; 0 takes any free one."""

    gateway: int = Field(default=4566, ge=0, le=65535)
    prefect: int = Field(default=4200, ge=0, le=65535)
    ministack: int = Field(default=0, ge=0, le=65535)
    moto: int = Field(default=0, ge=0, le=65535)


class UpOptions(_Frozen):
    """How the stack is brought up.

    Modes: `embedded` starts the emulators; `endpoint` uses whatever answers at `endpoint` (LocalStack, for example); `aws`
    uses real AWS with the credentials of the environment. `project` is the folder with `prefect.yaml`. `stepfunctions` adds the
    state machine and a worker of the Step Functions executor. `protect_prefect` puts
    a generated password on the Prefect server; its UI then asks for it (it is in `prefect-auth` in the state folder).
    """

    state_dir: Path = Field(default_factory=default_state_dir)
    mode: Mode = "embedded"
    endpoint: str | None = None
    ports: Ports = Ports()
    account: str = Field(default=MANAGEMENT_ACCOUNT, pattern=r"^\d{12}$")
    region: str = "eu-west-1"
    project: Path | None = None
    prefect: bool = True
    worker: bool = True
    worker_limit: int | None = Field(default=None, ge=1)
    stepfunctions: bool = False
    protect_prefect: bool = False
    foreground: bool = False
    start_seconds: float = Field(default=120.0, gt=0)

    @model_validator(mode="after")
    def _endpoint_fits(self) -> Self:
        if (self.mode == "endpoint") != (self.endpoint is not None):
            raise ValueError("an endpoint goes with the mode 'endpoint', and only with it")
        if self.stepfunctions and self.mode == "aws":
            raise ValueError("on AWS, the Step Functions executor is deployed with its template")
        return self


class MemberStatus(_Frozen):
    """One process of the stack; `started` is its start time in clock ticks since boot."""

    name: str
    state: MemberState
    healthy: bool = False
    pid: int | None = None
    started: int | None = None
    port: int | None = None
    url: str | None = None
    health: str | None = None
    restarts: int = 0
    log: Path


class StackStatus(_Frozen):
    """The stack as a whole. `running` is true while its supervisor lives; `error` says why it failed."""

    running: bool
    phase: Phase
    mode: Mode
    state_dir: Path
    members: tuple[MemberStatus, ...] = ()
    endpoint: str | None = None
    prefect_ui: str | None = None
    prefect_api: str | None = None
    supervisor: int | None = None
    started_at: str | None = None
    error: dict[str, str] | None = None

    @property
    def healthy(self) -> bool:
        """True when the stack is ready and every member is healthy."""
        return self.running and self.phase == "ready" and all(member.healthy for member in self.members)


Progress = Callable[[StackStatus], None]
"""Is told about every change while a stack comes up."""
