"""Workers as child processes: started, watched line by line, killed, stopped and woken."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from deployments.local.members import PROJECT_ROOT

Line = dict[str, Any]


class Worker:
    """One worker process. `lines` is everything it has said so far; leaving the context kills it if it still lives."""

    def __init__(self, client: str, run_id: str) -> None:
        self.run_id = run_id
        self.lines: list[Line] = []
        self._queue: queue.Queue[Line | None] = queue.Queue()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.worker", client, run_id],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=PROJECT_ROOT,
        )  # fmt: skip
        self._errors: list[str] = []
        self._readers = [threading.Thread(target=reader, daemon=True) for reader in (self._read_output, self._read_errors)]
        for reader in self._readers:
            reader.start()

    def _read_output(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith("\n"):
                self._queue.put(json.loads(line))
        self._queue.put(None)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        self._errors.extend(self._process.stderr)

    def until(self, wanted: Callable[[Line], bool], *, count: int = 1, seconds: float = 60) -> bool:
        """Read on until so many lines fit; False when the worker ended before."""
        deadline = time.monotonic() + seconds
        while count > 0:
            try:
                line = self._queue.get(timeout=max(deadline - time.monotonic(), 0))
            except queue.Empty:
                raise AssertionError(f"the worker said nothing fitting within {seconds} s: {self.lines[-5:]}") from None
            if line is None:
                self._queue.put(None)
                return False
            self.lines.append(line)
            count -= wanted(line)
        return True

    @property
    def alive(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def kill(self) -> bool:
        """kill -9. Whether it was still alive."""
        self._process.kill()
        return self.wait() == -signal.SIGKILL

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self._process.pid, number)

    def wait(self, seconds: float = 90) -> int:
        """Its exit code; afterwards `lines` is complete."""
        code = self._process.wait(seconds)
        for reader in self._readers:
            reader.join(5)
        self.until(lambda line: False, seconds=5)
        return code

    @property
    def errors(self) -> str:
        """What it wrote to standard error."""
        return "".join(self._errors)

    def told(self, key: str) -> list[Line]:
        """The lines that have this key."""
        return [line for line in self.lines if key in line]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for reader in self._readers:
            reader.join(5)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


def run_to_end(client: str, run_id: str, seconds: float = 90) -> Worker:
    """A worker that is left alone; it has ended when this returns."""
    with Worker(client, run_id) as worker:
        worker.wait(seconds)
    return worker
