"""`core preflight` and the pre-flight of a run, from end to end over several accounts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cli.running
from cli.main import app
from core_lib.db import ClientCmdb
from core_lib.framework.models import RunState, TaskPayload
from deployments.local import EmbeddedCloud
from flows import door
from tests.integration.flows import world
from tests.integration.flows.test_review import files

BAD = json.dumps({"Resources": {"X": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::ImportValue": "nobody"}}}}})
WRITES = ("CreateChangeSet", "ExecuteChangeSet", "DeleteStack")


@pytest.fixture
def core(acme: ClientCmdb, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line, with flows carried out in this process instead of by a worker."""

    def start(connection: Any, shell: Any, payload: TaskPayload, *, detach: bool) -> RunState:
        return acme.runs.get(door.run_here(payload).run_id)

    monkeypatch.setattr(cli.running, "start", start)
    return lambda *words: CliRunner().invoke(app, [*words, "--client", acme.client, "--json"])


def package(folder: Path, content: dict[str, str]) -> str:
    folder.mkdir()
    for name, text in content.items():
        (folder / name).write_text(text)
    return str(folder)


def written(platform: EmbeddedCloud) -> int:
    return sum(platform.count("cloudformation", name) for name in WRITES)


def test_command_when_something_would_fail_then_it_is_grouped_and_nothing_is_written(
    acme: ClientCmdb, platform: EmbeddedCloud, core: Any, tmp_path: Path
) -> None:
    platform.reset_calls()
    broken = files("one") | {"settings.yaml": BAD}
    broken["deployspec.yaml"] = broken["deployspec.yaml"].replace("      Parameters: {Value: one}\n", "")
    result = core("preflight", package(tmp_path / "bad", broken), "--prn", str(world.DETAILS.prn))
    assert result.exit_code == 4, result.output
    summary = json.loads(result.stdout)
    (group,) = summary["Failures"]
    assert (group["Code"], group["Count"], len(group["Targets"])) == ("CORE-5006", 3, 3)
    assert "imports nobody, which nothing exports here" in group["Message"]
    assert [each["Check"] for each in summary["Preflight"]] == ["reference"]
    assert written(platform) == 0


def test_command_when_all_is_well_then_it_succeeds_and_nothing_is_written(
    acme: ClientCmdb, platform: EmbeddedCloud, core: Any, tmp_path: Path
) -> None:
    platform.reset_calls()
    result = core("preflight", package(tmp_path / "good", files("one")), "--prn", str(world.DETAILS.prn))
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert (summary["Status"], summary["Actions"]) == ("succeeded", {"skipped": 3})
    assert platform.count("cloudformation", "ValidateTemplate") == 1, "one distinct template, three targets"
    assert written(platform) == 0


def test_run_when_one_account_admits_nobody_then_no_account_is_changed(acme: ClientCmdb, platform: EmbeddedCloud) -> None:
    (stranger,) = world.accounts(1)
    acme.accounts.put_many([stranger.but(name="stranger")])
    platform.reset_calls()
    end = door.run_here(world.payload(acme.client, files("one")))
    assert end.state == "failed"
    run = acme.runs.get(end.run_id)
    assert run.counts == {"failed": 1, "blocked": 3}
    assert written(platform) == 0
