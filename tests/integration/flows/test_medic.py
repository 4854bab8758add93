"""`core medic` from end to end, with stacks that are really stuck in the embedded cloud."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

import cli.running
from cli.main import app
from core_lib.db import ClientCmdb
from core_lib.framework.models import RunState, TaskPayload
from deployments.local import EmbeddedCloud
from flows import door
from tests.integration.execute import stuck

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def core(acme: ClientCmdb, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line, with flows carried out in this process; exit code and JSON document."""

    def start(connection: Any, shell: Any, payload: TaskPayload, *, detach: bool) -> RunState:
        return acme.runs.get(door.run_here(payload).run_id)

    def call(*words: str) -> tuple[int, Any]:
        result = CliRunner().invoke(app, [*words, "--json", "--client", acme.client])
        return result.exit_code, json.loads(result.stdout)

    monkeypatch.setattr(cli.running, "start", start)
    return call


class Accounts:
    """Direct access to the accounts, as somebody outside of the platform has it."""

    def __init__(self, platform: EmbeddedCloud, acme: ClientCmdb) -> None:
        self.ids = [account.id for account in acme.accounts.all()]
        self._endpoint = platform.endpoint

    def direct(self, number: int) -> Any:
        def client(service: str) -> Any:
            keys = {"aws_access_key_id": self.ids[number], "aws_secret_access_key": "x"}
            return boto3.client(service, endpoint_url=self._endpoint, region_name="eu-west-1", **keys)

        return client

    def stacks(self) -> dict[str, str]:
        """Status of every stack, by name; names are unique here."""
        found: dict[str, str] = {}
        for number in range(len(self.ids)):
            listed = self.direct(number)("cloudformation").describe_stacks()["Stacks"]
            found |= {stack["StackName"]: stack["StackStatus"] for stack in listed}
        return found


@pytest.fixture
def accounts(platform: EmbeddedCloud, acme: ClientCmdb) -> Accounts:
    return Accounts(platform, acme)


def test_medic_when_stacks_are_stuck_then_it_says_why_and_changes_nothing(accounts: Accounts, core: Any) -> None:
    stuck.rollback_complete(accounts.direct(0), "first")
    stuck.rollback_complete(accounts.direct(1), "second")
    stuck.create_failed(accounts.direct(1), "kept")
    stuck.review_in_progress(accounts.direct(2), "reviewed")
    stuck.delete_failed(accounts.direct(2), "full")
    before = accounts.stacks()

    code, found = core("medic")
    assert (code, found["Targets"], len(found["Repairs"])) == (1, 3, 5)
    assert found["Wards"][0]["Stacks"] == [f"{accounts.ids[0]}/eu-west-1/first", f"{accounts.ids[1]}/eu-west-1/second"]
    assert {ward["Status"]: ward["Destructive"] for ward in found["Wards"]} == {
        "ROLLBACK_COMPLETE": True, "CREATE_FAILED": True, "REVIEW_IN_PROGRESS": False, "DELETE_FAILED": True,
    }  # fmt: skip
    causes = {repair["Stack"]["StackName"]: repair["Stack"].get("Causes", []) for repair in found["Repairs"]}
    assert "WaitCondition timed out" in causes["first"][0]
    assert "is not empty" in causes["full"][0]
    assert accounts.stacks() == before

    assert core("medic", "--repair")[0] == 2, "nobody can answer"
    code, refused = core("medic", "--repair", "--yes")
    assert (code, "allow-delete" in refused["Error"]["Hint"]) == (2, True)
    assert accounts.stacks() == before

    code, one = core("medic", "--repair", "--yes", "--stack", "reviewed")
    assert (code, one["Task"], one["Prn"], one["Changed"]) == (0, "medic", "prn:fleet", 1)
    code, rest = core("medic", "--repair", "--yes", "--allow-delete")
    assert (code, rest["Changed"]) == (0, 4)
    assert accounts.stacks() == {}
    assert core("medic")[0] == 0


def test_medic_when_a_rollback_failed_then_it_is_continued_and_skips_only_with_leave(accounts: Accounts, core: Any) -> None:
    stuck.update_rollback_failed(accounts.direct(0), "app")
    code, found = core("medic", "--account", accounts.ids[0])
    (repair,) = found["Repairs"]
    assert (code, repair["Kind"], repair["Destructive"]) == (1, "AWS::ContinueUpdateRollback", False)
    assert repair["Stack"]["Causes"][0].startswith("Filter0 (AWS::Logs::MetricFilter)")

    assert core("medic", "--repair", "--yes", "--account", accounts.ids[0])[0] == 1, "it fails again, and nothing was skipped"
    assert accounts.stacks() == {"app": "UPDATE_ROLLBACK_FAILED"}
    assert core("medic", "--repair", "--yes", "--allow-skip", "--account", accounts.ids[0])[0] == 2
    words = ("medic", "--repair", "--yes", "--allow-skip", "--allow-delete", "--account", accounts.ids[0])
    assert core(*words)[0] == 0
    assert accounts.stacks() == {"app": "UPDATE_ROLLBACK_COMPLETE"}


def test_medic_when_a_target_cannot_be_listed_then_it_is_told_and_the_others_are_looked_at(
    platform: EmbeddedCloud, accounts: Accounts, core: Any
) -> None:
    stuck.review_in_progress(accounts.direct(1), "reviewed")
    error = {"code": "AccessDenied", "message": "no", "status": 403}
    platform.faults(
        [{"match": {"service": "cloudformation", "operation": "ListStacks", "account": accounts.ids[0]}, "error": error}]
    )
    code, found = core("medic")
    platform.faults([])
    assert (code, [repair["Stack"]["StackName"] for repair in found["Repairs"]]) == (1, ["reviewed"])
    assert [each.partition(":")[0] for each in found["Unreachable"]] == [f"{accounts.ids[0]}/eu-west-1"]
