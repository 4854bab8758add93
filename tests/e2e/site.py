"""A whole platform as a user has it: `core up`, a registered client with a small fleet, and the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core_lib.db import ClientCmdb
from core_lib.framework.models import RunState, RunStatus
from deployments.local.members import PROJECT_ROOT
from tests.e2e.fleet import Fleet, fleet_spec


def slow_looks(seconds: float) -> list[dict[str, Any]]:
    """Every look at a stack takes so long, and a run long enough to be disturbed."""
    return [{"match": {"service": "cloudformation", "operation": "DescribeStacks"}, "delay": seconds}]


QUICK = {
    "CORE_POLLING__INITIAL_SECONDS": "0.2",
    "CORE_POLLING__LONGEST_SECONDS": "0.5",
    "CORE_CMDB__HEARTBEAT_SECONDS": "1",
    "CORE_CMDB__LOCK_LEASE_SECONDS": "30",
    "CORE_LIMITS__ACCOUNT_CONCURRENCY": "2",
    "CORE_LOG__LEVEL": "INFO",
}


@dataclass(frozen=True)
class Site:
    """A registered client on the platform, its fleet, and the package it deploys."""

    state: Path
    cmdb: ClientCmdb
    fleet: Fleet
    package: Path

    def write_package(self) -> None:
        """Put the fleet's spec and templates where `core` finds them."""
        (self.package / "deployspec.yaml").write_text(fleet_spec(self.fleet.accounts[0].id))
        for name, body in self.fleet.templates.items():
            (self.package / name).write_text(body)

    def core(self, *arguments: str, seconds: float = 180, user: str = "ann") -> subprocess.CompletedProcess[str]:
        """The command line, as a process of its own, used by somebody."""
        environment = {**os.environ, "CORE_USER": user}
        command = [sys.executable, "-m", "cli.main", *arguments, "--client", self.cmdb.client, "--state-dir", str(self.state)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, check=False, cwd=PROJECT_ROOT, env=environment
        )

    def begin(self, ended: int = 3) -> str:
        """A run that is under way, with so many actions behind it; its name."""
        begun = self.core("deploy", str(self.package), "--prn", "prn:payments:ledger:main:7", "--yes", "--detach", "--json")
        assert begun.returncode == 0, (begun.stdout, begun.stderr)
        run_id: str = json.loads(begun.stdout)["RunId"]
        self.until(lambda: self.ended(run_id) >= ended)
        return run_id

    def ended(self, run_id: str) -> int:
        """How many actions have ended."""
        return sum(row.status.ended for row in self.cmdb.ledger.load(run_id).values())

    def run(self, run_id: str) -> RunState:
        """The run's record."""
        return self.cmdb.runs.get(run_id)

    def until(self, true: Callable[[], Any], seconds: float = 120) -> None:
        """Wait for it."""
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.2)

    def see_it_end(self, run_id: str) -> int:
        """Wait for the run; when its worker gives it up, resume it as a user would. How many times that was needed."""
        for resumed in range(4):
            watched = self.core("runs", "watch", run_id)
            if self.run(run_id).status is RunStatus.SUCCEEDED:
                return resumed
            self.core("runs", "resume", run_id)
        raise AssertionError(f"{watched.stdout}\n{watched.stderr}\n{self.run(run_id)}")
