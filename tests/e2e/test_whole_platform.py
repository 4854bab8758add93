"""The platform as a user has it: `core up`, a run, and kill -9 of whatever is at work. `core runs resume` ends the run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from core_lib.db import ClientCmdb
from core_lib.framework.models import RunState, RunStatus
from deployments.local import Ports, UpOptions, down, environment, status, up
from deployments.local.members import PROJECT_ROOT
from tests.e2e.fleet import Fleet, assert_agree, assert_executed_once, assert_existed_once, assert_made_once, fleet_spec, template
from tests.e2e.outside import OutsideCloud
from tests.integration.flows import world

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


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


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A whole platform on ports of its own; this process's environment leads to it."""
    folder = tmp_path_factory.mktemp("platform")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "CORE_", "PREFECT_"))]:
            patch.delenv(name)
        for name, value in (
            QUICK | {"XDG_CACHE_HOME": str(folder / "cache"), "CORE_ARTEFACTS__LOCATION": str(folder / "artefacts")}
        ).items():
            patch.setenv(name, value)
        up(UpOptions(state_dir=folder / "state", ports=Ports(gateway=0, prefect=0), project=PROJECT_ROOT))
        try:
            for name, value in environment(folder / "state").items():
                patch.setenv(name, value)
            yield folder / "state"
        finally:
            down(folder / "state")


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

    def core(self, *arguments: str, seconds: float = 180) -> subprocess.CompletedProcess[str]:
        """The command line, as a process of its own."""
        command = [sys.executable, "-m", "cli.main", *arguments, "--client", self.cmdb.client, "--state-dir", str(self.state)]
        return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False, cwd=PROJECT_ROOT)

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


@pytest.fixture
def site(platform: Path, tmp_path: Path) -> Iterator[Site]:
    cloud = OutsideCloud(os.environ["AWS_ENDPOINT_URL"])
    fleet = Fleet.made(cloud, None, tmp_path, 3)  # type: ignore[arg-type]
    with world.registered(fleet.accounts) as cmdb:
        made = Site(platform, cmdb, replace(fleet, cmdb=cmdb), tmp_path)
        made.write_package()
        cloud.reset_calls()
        cloud.faults(slow_looks(0.7))
        yield made
        cloud.faults([])


def flow_processes(state: Path) -> list[int]:
    """The processes in which Prefect's worker executes flow runs."""
    worker = member(state, "worker")
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                command = (entry / "cmdline").read_text()
            except OSError:
                continue
            if parent == worker and "prefect" in command:
                found.append(int(entry.name))
    return found


def member(state: Path, name: str) -> int:
    """The pid of one member of the stack."""
    pid = next(each.pid for each in status(state).members if each.name == name)
    assert pid is not None
    return pid


def last_snapshot(state: Path) -> float:
    """When the emulated cloud has saved tables and stacks last."""
    files = [path for name in ("dynamodb", "cloudformation") for path in state.rglob(f"ministack/services/{name}.json")]
    return min(path.stat().st_mtime for path in files) if len(files) == 2 else 0.0


def test_run_when_its_flow_process_is_killed_then_core_runs_resume_ends_it(site: Site) -> None:
    run_id = site.begin()
    (flow,) = flow_processes(site.state)
    os.kill(flow, signal.SIGKILL)
    assert site.ended(run_id) < 19
    resumed = site.core("runs", "resume", run_id)
    assert resumed.returncode == 0, (resumed.stdout, resumed.stderr)
    assert site.run(run_id).status is RunStatus.SUCCEEDED
    assert site.run(run_id).epoch == 2
    assert_agree(site.fleet, run_id)
    assert_executed_once(site.fleet)
    assert_made_once(site.fleet)


@pytest.mark.parametrize("name", ["gateway", "worker", "prefect-server"])
def test_run_when_a_member_of_the_platform_is_killed_then_it_heals_and_the_run_ends(site: Site, name: str) -> None:
    run_id = site.begin()
    os.kill(member(site.state, name), signal.SIGKILL)
    resumed = site.see_it_end(run_id)
    assert resumed == 0 or name != "gateway", "a gateway that is away for a moment is no reason to give up"
    site.until(lambda: status(site.state).healthy)
    assert_agree(site.fleet, run_id)
    assert_existed_once(site.fleet)


def test_run_when_the_cloud_itself_is_killed_and_goes_back_to_its_snapshot_then_the_run_can_still_be_ended(site: Site) -> None:
    """Worse than anything AWS does: ledger and stacks fall back by some seconds, together, under a worker that goes on."""
    site.fleet.cloud.faults(slow_looks(4))
    run_id = site.begin(ended=0)
    site.until(lambda: site.cmdb.ledger.load(run_id))
    longest_save = 4
    known = time.time() + longest_save
    site.until(lambda: last_snapshot(site.state) > known)
    os.kill(member(site.state, "ministack"), signal.SIGKILL)
    site.fleet.cloud.faults([])
    site.see_it_end(run_id)
    site.until(lambda: status(site.state).healthy)
    assert_agree(site.fleet, run_id)
    assert_existed_once(site.fleet)


def test_cancel_when_stacks_are_in_flight_then_the_run_is_cancelled_and_resume_ends_it(site: Site) -> None:
    site.fleet.templates["base.json"] = template("base", gated=True)
    site.write_package()
    run_id = site.begin(ended=1)
    cancelled = site.core("runs", "cancel", run_id)
    assert cancelled.returncode == 0, cancelled.stderr
    site.until(lambda: site.fleet.open_gates() == 0 and site.run(run_id).status.ended)
    assert site.core("runs", "watch", run_id).returncode == 5
    rows = site.cmdb.ledger.load(run_id).values()
    assert {row.status.value for row in rows} == {"succeeded", "cancelled"}

    resumed = site.core("runs", "resume", run_id, "--detach")
    assert resumed.returncode == 0, (resumed.stdout, resumed.stderr)
    site.until(lambda: site.fleet.open_gates() == 0 and site.run(run_id).status is RunStatus.SUCCEEDED)
    assert_agree(site.fleet, run_id)
    assert_made_once(site.fleet)
