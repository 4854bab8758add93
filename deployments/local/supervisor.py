"""The supervisor: starts the members in order, heals what dies, ends everything together.

It is one loop without threads. A member starts when those it needs are ready; when one dies it is started again, each
time a little later; the sockets stay open meanwhile, so callers wait instead of failing. When the supervisor itself
is killed the system sends SIGTERM to every member, and the next start or `down` ends whatever is left.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core_lib.framework.errors import StartError
from deployments.local.health import healthy, last_lines
from deployments.local.members import Member
from deployments.local.options import MemberState, MemberStatus, Phase
from deployments.local.processes import (
    STACK_VARIABLE,
    ProcessId,
    adopt_orphans,
    end,
    end_all,
    members_of,
    process_id,
    reap_orphans,
    spawn,
)
from deployments.local.state import StateFolder

_TICK = 0.1
_LONGEST_BACKOFF = 30.0
_STABLE_SECONDS = 60.0
_LOG_BYTES = 10_000_000
_OLD_LOGS = 3

Publish = Callable[[Phase, tuple[MemberStatus, ...]], None]


@dataclass(slots=True)
class _Run:
    """One member as it runs."""

    member: Member
    log: Path
    state: MemberState = "waiting"
    child: subprocess.Popen[bytes] | None = None
    identity: ProcessId | None = None
    restarts: int = 0
    backoff: float = 0.5
    since: float = 0.0
    retry_at: float = 0.0

    def status(self) -> MemberStatus:
        member, identity = self.member, self.identity
        return MemberStatus(
            name=member.name,
            state=self.state,
            healthy=self.state == "ready",
            pid=identity.pid if identity else None,
            started=identity.started if identity else None,
            port=member.port,
            url=member.url,
            health=f"{member.url}{member.health}" if member.health else None,
            restarts=self.restarts,
            log=self.log,
        )


class Supervisor:
    """Runs members until it is told to stop; tells `publish` about every change."""

    def __init__(self, members: Sequence[Member], folder: StateFolder, publish: Publish, start_seconds: float) -> None:
        self._runs = [_Run(member, folder.logs / f"{member.name}.log") for member in members]
        self._folder = folder
        self._publish = publish
        self._start_seconds = start_seconds
        self._stopping = False
        self._complete = False
        self._published: object = None

    def stop(self) -> None:
        """Ask the loop to end (safe in a signal handler)."""
        self._stopping = True

    def run(self) -> None:
        """Start everything and keep it up until `stop`.

        Raises StartError when a member dies, or is not ready in time, before the stack was ready for the first time.
        """
        adopt_orphans()
        end_all(members_of(self._folder.stack))
        deadline = time.monotonic() + self._start_seconds
        housekeeping = time.monotonic() + 10
        try:
            while not self._stopping:
                for run in self._runs:
                    self._advance(run)
                self._announce()
                if not self._complete and time.monotonic() > deadline:
                    raise self._too_slow()
                if time.monotonic() > housekeeping:
                    housekeeping = time.monotonic() + 10
                    self._rotate_logs()
                reap_orphans([run.child for run in self._runs if run.child])
                time.sleep(_TICK)
        finally:
            self._end()

    def _advance(self, run: _Run) -> None:
        """Move one member a step on."""
        if run.state in ("starting", "ready") and run.child is not None and run.child.poll() is not None:
            self._died(run, run.child.returncode)
        elif run.state in ("waiting", "restarting") and time.monotonic() >= run.retry_at and self._needs_met(run):
            self._start(run)
        elif run.state == "starting" and _is_ready(run):
            run.state = "ready"
        elif run.state == "ready" and run.restarts and time.monotonic() - run.since > _STABLE_SECONDS:
            run.backoff = 0.5

    def _start(self, run: _Run) -> None:
        member = run.member
        if member.ready_file is not None:
            member.ready_file.unlink(missing_ok=True)
        run.child = spawn(
            member.command(),
            environment={**member.environment, STACK_VARIABLE: self._folder.stack},
            log=run.log,
            folder=member.folder,
            sockets=member.descriptors(),
        )
        run.identity = process_id(run.child.pid)
        run.state, run.since = "starting", time.monotonic()

    def _died(self, run: _Run, code: int) -> None:
        """Start again later; before the stack was ready, give up instead."""
        if not self._complete:
            raise StartError(
                f"{run.member.name} ended with {code} while starting: {last_lines(run.log)}",
                where=run.member.name,
                hint=f"its log is {run.log}",
            )
        _note(run.log, f"{run.member.name} ended with {code}; starting it again in {run.backoff:g} s")
        run.state, run.identity, run.restarts = "restarting", None, run.restarts + 1
        run.retry_at = time.monotonic() + run.backoff
        run.backoff = min(run.backoff * 2, _LONGEST_BACKOFF)

    def _needs_met(self, run: _Run) -> bool:
        """True when everything it needs is ready; a member that restarts does not wait for others that restart."""
        if self._complete:
            return True
        ready = {other.member.name for other in self._runs if other.state == "ready"}
        return ready.issuperset(run.member.needs)

    def _announce(self) -> None:
        members = tuple(run.status() for run in self._runs)
        up = all(run.state == "ready" for run in self._runs)
        self._complete = self._complete or up
        phase: Phase = "ready" if up else "degraded" if self._complete else "starting"
        if (phase, members) != self._published:
            self._published = (phase, members)
            self._publish(phase, members)

    def _too_slow(self) -> StartError:
        late = [run for run in self._runs if run.state != "ready"]
        names = ", ".join(run.member.name for run in late)
        first = next((run for run in late if run.state == "starting"), late[0])
        return StartError(
            f"not ready within {self._start_seconds:.0f} s: {names}; {first.member.name} says: {last_lines(first.log)}",
            where=first.member.name,
            hint=f"its log is {first.log}",
        )

    def _end(self) -> None:
        """Stop the members in reverse order, then whatever they have left behind."""
        self._publish("stopping", tuple(run.status() for run in self._runs))
        for run in reversed(self._runs):
            if run.child is not None:
                end(run.child, run.member.stop_signal, run.member.stop_seconds)
            run.state, run.identity = "stopped", None
        end_all(members_of(self._folder.stack))
        reap_orphans([])

    def _rotate_logs(self) -> None:
        """Keep every log bounded: copy, then cut the file that the member still writes to."""
        for log in self._folder.logs.glob("*.log"):
            if log.stat().st_size > _LOG_BYTES:
                for number in range(_OLD_LOGS, 1, -1):
                    older = log.with_suffix(f".log.{number - 1}")
                    if older.exists():
                        older.replace(log.with_suffix(f".log.{number}"))
                shutil.copyfile(log, log.with_suffix(".log.1"))
                with log.open("r+b") as file:
                    file.truncate()


@contextmanager
def stop_on_signals(supervisor: Supervisor) -> Iterator[None]:
    """Inside, SIGTERM and SIGINT end the supervisor in good order; afterwards they do what they did before."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda *_: supervisor.stop()) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _is_ready(run: _Run) -> bool:
    member = run.member
    if member.ready_file is not None:
        try:
            return run.child is not None and member.ready_file.read_text() == str(run.child.pid)
        except FileNotFoundError:
            return False
    return member.health is None or healthy(f"{member.url}{member.health}", timeout=1.0)


def _note(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(f"[supervisor] {text}\n")
