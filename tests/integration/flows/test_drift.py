"""`core drift` from end to end: stacks of several accounts deployed, changed by somebody else, looked at, dealt with."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings
from typer.testing import CliRunner

import cli.running
from cli.main import app
from core_lib.db import ClientCmdb
from core_lib.framework.models import RunState, TaskPayload
from deployments.local import EmbeddedCloud
from flows import door
from tests.integration.flows import world

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PARAMETER = "/app/value"
TEMPLATE = """\
# The one parameter of the app.
Resources:
  Item:
    Type: AWS::SSM::Parameter
    Properties:
      Name: /app/value
      Type: String
      Value: one  # as agreed
  Other:
    Type: AWS::SSM::Parameter
    Properties: {Name: /app/other, Type: String, Value: same}
"""
SPEC = """\
Targets: {OrganizationalUnits: [/workloads], Regions: [eu-west-1]}
Actions:
  - {Name: app, Kind: AWS::CreateStack, Spec: {StackName: app, Template: templates/app.yaml}}
"""


@pytest.fixture
def core(acme: ClientCmdb, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line, with flows carried out in this process instead of by a worker; exit code and JSON document."""

    def start(connection: Any, shell: Any, payload: TaskPayload, *, detach: bool) -> RunState:
        return acme.runs.get(door.run_here(payload).run_id)

    def call(*words: str) -> tuple[int, Any]:
        result = CliRunner().invoke(app, [*words, "--json", "--client", acme.client])
        return result.exit_code, json.loads(result.stdout)

    monkeypatch.setattr(cli.running, "start", start)
    return call


@pytest.fixture
def deployed(acme: ClientCmdb) -> list[str]:
    """The app's stack in three accounts; their ids."""
    end = door.run_here(world.payload(acme.client, {"deployspec.yaml": SPEC, "templates/app.yaml": TEMPLATE}))
    assert end.completed, end.message
    return [account.id for account in acme.accounts.all()]


def client(platform: EmbeddedCloud, account: str, service: str) -> Any:
    return boto3.client(
        service, endpoint_url=platform.endpoint, region_name="eu-west-1", aws_access_key_id=account, aws_secret_access_key="x"
    )


def change(platform: EmbeddedCloud, account: str, value: str, name: str = PARAMETER) -> None:
    client(platform, account, "ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


def artifacts(api: str) -> list[str]:
    async def read() -> list[Any]:
        async with get_client() as prefect:
            return await prefect.read_artifacts(limit=200)

    with temporary_settings(updates={PREFECT_API_URL: api}):
        return [str(item.data) for item in asyncio.run(read()) if str(item.key).startswith("drift-")]


def test_drift_when_stacks_were_changed_then_it_is_grouped_remembered_and_can_be_ignored(
    platform: EmbeddedCloud, acme: ClientCmdb, core: Any, deployed: list[str], prefect_api: str
) -> None:
    code, clean = core("drift")
    assert (code, clean["Checked"], clean["InSync"], clean["Groups"]) == (0, 3, 3, [])
    assert core("drift", "history")[1]["Drift"] == []

    for account in deployed[:2]:
        change(platform, account, "two")
    client(platform, deployed[2], "ssm").delete_parameter(Name="/app/other")
    code, found = core("drift")
    assert (code, found["Drifted"]) == (1, 3)
    changed, deleted = found["Groups"]
    assert (changed["Status"], len(changed["Stacks"]), changed["Properties"][0]["Path"]) == ("MODIFIED", 2, "/Value")
    assert (deleted["Status"], deleted["Stacks"]) == ("DELETED", [f"{deployed[2]}/eu-west-1/app"])
    assert any("3 of 3 stacks drifted: 2 groups" in text for text in artifacts(prefect_api))

    for group in (changed["Id"], deleted["Id"]):
        assert core("drift", "ignore", group, "--until", "2999-12-31", "--reason", "known")[0] == 0
    code, ignored = core("drift", "--account", deployed[0])
    assert (code, ignored["Checked"], ignored["Groups"][0]["IgnoredUntil"]) == (0, 1, "2999-12-31")

    change(platform, deployed[0], "one")
    assert core("drift", "--prn", "prn:payments:ledger")[1]["InSync"] == 1
    still = core("drift", "history")[1]["Drift"]
    assert sorted(each["Target"] for each in still) == [f"{account}/eu-west-1" for account in deployed[1:]]
    (settled,) = core("drift", "history", "--settled")[1]["Drift"]
    assert (settled["Target"], settled["Status"]) == (f"{deployed[0]}/eu-west-1", "IN_SYNC")
    assert settled["FirstSeen"] <= settled["LastSeen"] < settled["SettledAt"]
    assert core("drift", "--prn", "prn:payments:other")[0] == 7


def test_drift_when_a_stack_is_gone_then_it_is_told_and_stays_told(
    platform: EmbeddedCloud, core: Any, deployed: list[str]
) -> None:
    client(platform, deployed[0], "cloudformation").delete_stack(StackName="app")
    code, found = core("drift")
    assert (code, found["Gone"], found["Checked"]) == (1, [f"{deployed[0]}/eu-west-1/app"], 2)
    assert [each["Status"] for each in core("drift", "history")[1]["Drift"]] == ["DELETED"]


def test_drift_when_accepted_then_the_patch_says_in_the_template_what_the_world_says(
    platform: EmbeddedCloud, core: Any, deployed: list[str], tmp_path: Path
) -> None:
    for account in deployed:
        change(platform, account, "two")
    group = core("drift")[1]["Groups"][0]["Id"]
    code, told = core("drift", "accept", group, "--patch", str(tmp_path / "drift.patch"))
    assert (code, told["Files"], told["Left"]) == (0, ["templates/app.yaml"], [])
    text = (tmp_path / "drift.patch").read_text()
    assert "-      Value: one  # as agreed\n+      Value: two  # as agreed\n" in text
    assert text.startswith("--- a/templates/app.yaml\n+++ b/templates/app.yaml\n")

    change(platform, deployed[0], "three")
    core("drift")
    code, refused = core("drift", "accept", group, "--patch", str(tmp_path / "other.patch"))
    assert code == 2
    assert "differs between stacks" in refused["Error"]["Hint"]
    assert not (tmp_path / "other.patch").exists()


def test_drift_when_reverted_where_cloudformation_cannot_then_that_is_said_and_the_drift_is_still_known(
    platform: EmbeddedCloud, acme: ClientCmdb, core: Any, deployed: list[str]
) -> None:
    """MiniStack takes `DeploymentMode: REVERT_DRIFT` and ignores it, so its change set is empty; see test_revert_drift.py for
    the rest."""
    change(platform, deployed[0], "two")
    group = core("drift")[1]["Groups"][0]["Id"]
    assert core("drift", "revert", group)[0] == 2, "nobody said yes"
    code, after = core("drift", "revert", group, "--yes")
    assert (code, after["Groups"][0]["Id"]) == (1, group)
    rows = acme.ledger.load(after["RunId"]).values()
    assert sorted(str(row.message) for row in rows) == [
        "1 resources differ",
        "CloudFormation finds nothing that it could revert: see the drift of this stack for what differs",
    ]
