"""Up, down, status: the stack as a whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

from core_lib.framework.errors import CoreError, NotRunningError, PlatformError, PortTakenError, StartError
from deployments.local.health import healthy
from deployments.local.members import PROJECT_ROOT
from deployments.local.options import MemberStatus, Progress, StackStatus, UpOptions, default_state_dir
from deployments.local.processes import SUPERVISOR_VARIABLE, ProcessId, end_all, members_of
from deployments.local.state import StackRecord, StateFolder, described

_POLL = 0.1
_STOP_SECONDS = 60.0
_ERRORS: dict[str, type[CoreError]] = {kind.code: kind for kind in (PortTakenError, StartError, PlatformError)}


def up(options: UpOptions | None = None, on_progress: Progress | None = None) -> StackStatus:
    """Bring the stack up and return when every member is healthy; a stack that is up already is left as it is.

    With `foreground` the supervisor runs in this process and `up` returns when it has been stopped. Raises PortTakenError,
    StartError, or PlatformError when a stack with another mode is up.
    """
    options = options or UpOptions()
    folder = StateFolder(options.state_dir.resolve())
    folder.create()
    record = folder.read()
    if record is not None and record.alive and record.phase == "stopping":
        _await_end(record)
    elif record is not None and record.alive:
        return _joined(folder, record, options, on_progress)
    launch = uuid.uuid4().hex
    if options.foreground:
        from deployments.local.stack import run_stack

        run_stack(options, launch, on_progress)
        return status(folder.path)
    _launch(options, folder, launch)
    return _await_ready(folder, launch, options.start_seconds + _STOP_SECONDS, on_progress)


def down(state_dir: Path | None = None) -> StackStatus:
    """End the stack and everything it has left behind, also after a crash; no stack is no error."""
    folder = StateFolder((state_dir or default_state_dir()).resolve())
    record = folder.read()
    if record is not None and record.alive:
        ProcessId(record.supervisor, record.supervisor_started).send(signal.SIGTERM)
        _await_end(record)
    end_all(members_of(folder.stack, SUPERVISOR_VARIABLE))
    end_all(members_of(folder.stack))
    return status(folder.path)


def status(state_dir: Path | None = None) -> StackStatus:
    """What runs now: processes are checked and health URLs asked at this moment. Never raises for a stack that is down."""
    folder = StateFolder((state_dir or default_state_dir()).resolve())
    record = folder.read()
    if record is None:
        return StackStatus(running=False, phase="stopped", mode="embedded", state_dir=folder.path)
    told = described(folder, record)
    return told.model_copy(update={"members": tuple(_checked(member) for member in told.members)})


def environment(state_dir: Path | None = None) -> dict[str, str]:
    """The environment variables under which SDKs and Prefect clients use this stack.

    Raises NotRunningError when the stack is not up.
    """
    folder = StateFolder((state_dir or default_state_dir()).resolve())
    record = folder.read()
    if record is None or not record.alive:
        raise NotRunningError("the platform is not up", where=str(folder.path), hint="start it with: core up")
    return dict(record.environment)


def _await_end(record: StackRecord) -> None:
    deadline = time.monotonic() + _STOP_SECONDS
    while record.alive and time.monotonic() < deadline:
        time.sleep(_POLL)


def _checked(member: MemberStatus) -> MemberStatus:
    alive = member.pid is not None and member.started is not None and ProcessId(member.pid, member.started).alive()
    well = alive and member.state == "ready" and (member.health is None or healthy(member.health))
    state = member.state if alive or member.state in ("waiting", "restarting") else "stopped"
    return member.model_copy(update={"healthy": well, "state": state, "pid": member.pid if alive else None})


def _joined(folder: StateFolder, record: StackRecord, options: UpOptions, on_progress: Progress | None) -> StackStatus:
    if record.mode != options.mode:
        raise PlatformError(
            f"a stack with the mode '{record.mode}' is up", where=str(folder.path), hint="stop it first with: core down"
        )
    return _await_ready(folder, record.launch, options.start_seconds, on_progress)


def _launch(options: UpOptions, folder: StateFolder, launch: str) -> None:
    """Start a supervisor that belongs to nobody; returns when it has detached itself."""
    command = [sys.executable, "-m", "deployments.local.stack", "--detach", "--launch", launch]
    paths = [str(PROJECT_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    marked = {**os.environ, SUPERVISOR_VARIABLE: folder.stack, "PYTHONPATH": os.pathsep.join(paths)}
    with (folder.logs / "supervisor.log").open("ab") as log:
        subprocess.run(command, input=options.model_dump_json().encode(), env=marked, stdout=log, stderr=log, check=True)


def _await_ready(folder: StateFolder, launch: str, seconds: float, on_progress: Progress | None) -> StackStatus:
    """Wait until our supervisor, or one that was faster, is ready."""
    deadline = time.monotonic() + seconds
    shown: object = None
    while time.monotonic() < deadline:
        record = folder.read()
        if record is not None and record.launch == launch and record.phase == "failed":
            error = record.error or {}
            kind = _ERRORS.get(error.get("Code", ""), StartError)
            raise kind(error.get("Message", "the stack failed"), where=error.get("Where"), hint=error.get("Hint"))
        if record is not None and record.alive:
            if on_progress is not None and record != shown:
                shown = record
                on_progress(described(folder, record))
            if record.phase == "ready":
                return status(folder.path)
        time.sleep(_POLL)
    raise StartError(f"the stack was not ready within {seconds:.0f} s", where=str(folder.path), hint=f"see {folder.logs}")
