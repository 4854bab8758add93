"""Processes that cannot be mistaken for others and do not outlive their parent.

A process is known by its pid *and* its start time, so that a pid that the system has given to somebody else is never
signalled. Every member of a stack carries the stack's name in its environment (`STACK_VARIABLE`), which its own
children inherit, and a supervisor carries it in `SUPERVISOR_VARIABLE`: whatever was left behind by a crash can be found
and ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STACK_VARIABLE = "CORE_STACK_ID"
SUPERVISOR_VARIABLE = "CORE_STACK_SUPERVISOR"

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process for good: `started` is its start time in clock ticks since boot (field 22 of /proc/PID/stat)."""

    pid: int
    started: int

    def alive(self) -> bool:
        """True while this very process runs (a zombie does not)."""
        return process_id(self.pid) == self

    def send(self, number: int, *, group: bool = False) -> None:
        """Send a signal to the process, or to its process group, if it is still this one."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number) if group else os.kill(self.pid, number)


def process_id(pid: int) -> ProcessId | None:
    """The identity of a running process, or None if there is none (or only its zombie)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in ("Z", "X") else ProcessId(pid, int(fields[19]))


def process_name(pid: int) -> str:
    """The command name of a process, `?` when it cannot be read."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "?"


def spawn(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    folder: Path,
    sockets: Iterable[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own that gets SIGTERM when this process dies.

    Its output is appended to `log`; `sockets` are file descriptors that it inherits.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            list(argv),
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=tuple(sockets),
            process_group=0,
            preexec_fn=_die_with(os.getpid()),
        )


def _die_with(parent: int) -> Callable[[], None]:
    def prepare() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def adopt_orphans() -> None:
    """Become the parent of grandchildren whose own parent dies, so that they can be found and reaped."""
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end(child: subprocess.Popen[bytes], number: int, seconds: float) -> int:
    """Ask a child to stop with a signal, wait, then kill what is left of its group; its exit code."""
    if child.poll() is not None:
        return child.returncode
    child.send_signal(number)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(seconds)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    return child.wait()


def members_of(stack: str, variable: str = STACK_VARIABLE) -> list[ProcessId]:
    """Every process of this user that carries the stack's name, without this one and its ancestors."""
    mark = f"{variable}={stack}".encode()
    own = set(_ancestors(os.getpid()))
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in own:
            continue
        with contextlib.suppress(OSError):
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                identity = process_id(int(entry.name))
                if identity is not None:
                    found.append(identity)
    return found


def end_all(processes: Sequence[ProcessId], seconds: float = 3.0) -> None:
    """SIGTERM to all, then SIGKILL to those that are still there after `seconds`."""
    for process in processes:
        process.send(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(process.alive() for process in processes):
        time.sleep(0.05)
    for process in processes:
        process.send(signal.SIGKILL)


def reap_orphans(children: Sequence[subprocess.Popen[bytes]]) -> None:
    """Collect the exit codes of adopted processes, without touching those of `children`."""
    own = {child.pid for child in children}
    while True:
        try:
            gone = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if gone is None or gone.si_pid in own:
            return
        os.waitpid(gone.si_pid, os.WNOHANG)


def _ancestors(pid: int) -> Iterable[int]:
    while pid > 1:
        yield pid
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return
