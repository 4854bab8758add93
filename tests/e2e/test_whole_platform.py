"""The platform as a user has it: `core up`, a run, and kill -9 of whatever is at work. `core runs resume` ends the run."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from core_lib.framework.models import RunStatus
from deployments.local import status
from tests.e2e.fleet import assert_agree, assert_executed_once, assert_existed_once, assert_made_once, template
from tests.e2e.site import Site, slow_looks

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


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
