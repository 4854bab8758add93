"""Runs a prepared LocalStack on loopback."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from deployments.localstack.prepare import Installation, prepare

READY_WITHIN_SECONDS = 120


def environment(installation: Installation, port: int) -> dict[str, str]:
    """Environment variables of the LocalStack process."""
    address = f"127.0.0.1:{port}"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "COV_"))}
    return inherited | {
        "PATH": f"{installation.python.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "OVERRIDE_IN_DOCKER": "0",
        "FILESYSTEM_ROOT": str(installation.root),
        "GATEWAY_LISTEN": address,
        "GATEWAY_SERVER": "hypercorn",  # the default server ignores the address and listens everywhere
        "LOCALSTACK_HOST": address,
        "DNS_ADDRESS": "0",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DISABLE_EVENTS": "1",
        "LAMBDA_RUNTIME_EXECUTOR": "child-process",
        "LS_LOG": "warning",
    }


def free_port() -> int:
    """A TCP port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class LocalStack:
    """A LocalStack process: `with LocalStack(Path(".localstack")) as stack: stack.endpoint`."""

    def __init__(self, workdir: Path, port: int | None = None) -> None:
        self.workdir = workdir
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """The address for `AWS_ENDPOINT_URL`."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and wait until it answers.

        Raises:
            RuntimeError: it ended or did not answer in time; the message names its log.
        """
        installation = prepare(self.workdir)
        log = self.workdir / "localstack.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [str(installation.python), "-m", "localstack.runtime.main"],
                env=environment(installation, self.port),
                cwd=installation.root,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"LocalStack did not start, see {log}")
            time.sleep(0.2)

    def stop(self) -> None:
        """End the process and everything it started."""
        if self._process is None:
            return
        for wanted, patience in ((signal.SIGTERM, 3), (signal.SIGKILL, 10)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, wanted)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        self._process = None

    def wait(self) -> int:
        """Wait until the process ends by itself; its exit code."""
        return self._process.wait() if self._process else 0

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.endpoint}/_localstack/health", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
