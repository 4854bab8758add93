"""`core rollback` from end to end: preview and way back are real runs of the platform, over several accounts."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

import cli.running
from cli.main import app
from core_lib.db import ClientCmdb
from core_lib.framework.models import RunState, TaskPayload
from deployments.local import EmbeddedCloud
from flows import door
from tests.integration.execute.conftest import never_ready
from tests.integration.flows import world
from tests.integration.flows.test_review import files


@pytest.fixture
def core(acme: ClientCmdb, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command line, with flows carried out in this process instead of by a worker."""

    def start(connection: Any, shell: Any, payload: TaskPayload, *, detach: bool) -> RunState:
        return acme.runs.get(door.run_here(payload).run_id)

    monkeypatch.setattr(cli.running, "start", start)
    return lambda *words: CliRunner().invoke(app, [*words, "--client", acme.client])


def values(platform: EmbeddedCloud, acme: ClientCmdb) -> dict[str, str | None]:
    """The value that the stack of each account holds, None where there is no stack."""
    found: dict[str, str | None] = {}
    for account in acme.accounts.all():
        ssm = boto3.client(
            "ssm",
            endpoint_url=platform.endpoint,
            region_name="eu-west-1",
            aws_access_key_id=account.id,
            aws_secret_access_key="x",
        )
        names = ssm.describe_parameters()["Parameters"]
        found[account.name] = ssm.get_parameter(Name="/app/value")["Parameter"]["Value"] if names else None
    return found


def stacks(platform: EmbeddedCloud, account: str) -> dict[str, str]:
    cloudformation = boto3.client(
        "cloudformation", endpoint_url=platform.endpoint, region_name="eu-west-1", aws_access_key_id=account,
        aws_secret_access_key="x",
    )  # fmt: skip
    return {stack["StackName"]: stack["StackStatus"] for stack in cloudformation.describe_stacks()["Stacks"]}


def output(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_rollback_when_asked_then_the_preview_is_shown_and_exactly_that_is_executed(
    acme: ClientCmdb, platform: EmbeddedCloud, core: Any
) -> None:
    created = door.run_here(world.payload(acme.client, files("one")))
    changed = door.run_here(world.payload(acme.client, files("two")))
    names = [account.name for account in acme.accounts.all()]
    assert values(platform, acme) == dict.fromkeys(names, "two")

    refused = core("rollback", "--json", created.run_id, "--yes")
    assert refused.exit_code == 4, refused.output
    assert changed.run_id in refused.output

    one = output(core("rollback", "--json", changed.run_id, "--targets", names[0], "--yes"))
    assert (one["Task"], one["Status"], one["Changed"]) == ("rollback", "succeeded", 1)
    assert values(platform, acme) == {names[0]: "one", names[1]: "two", names[2]: "two"}

    again = core("rollback", "--json", changed.run_id, "--yes")
    assert again.exit_code == 4, "that target was rolled back since"
    rest = output(core("rollback", "--json", changed.run_id, "--targets", names[1], "--targets", names[2], "--yes"))
    assert rest["Changed"] == 2
    assert values(platform, acme) == dict.fromkeys(names, "one")

    gone = output(core("rollback", "--json", created.run_id, "--force", "--yes"))
    assert (gone["Status"], gone["Changed"]) == ("succeeded", 3)
    assert values(platform, acme) == dict.fromkeys(names, None)


def test_change_when_it_is_bad_in_ring_1_then_ring_2_never_sees_it_and_rollback_restores_what_was_touched(
    acme: ClientCmdb, platform: EmbeddedCloud, core: Any
) -> None:
    canary, *others = (account.name for account in acme.accounts.all())
    rings = f"Waves:\n  - Name: ring 1\n    Targets: {{Accounts: [{canary}]}}\n  - Name: ring 2\n"
    assert door.run_here(world.payload(acme.client, files("one"))).completed

    bad = json.loads(files("two")["settings.yaml"])
    bad["Resources"] |= never_ready()
    content = files("two") | {"settings.yaml": json.dumps(bad)}
    extra = "  - {Name: extra, Kind: AWS::CreateStack, Spec: {StackName: extra, Template: extra.yaml}}\n"
    content["deployspec.yaml"] = rings + content["deployspec.yaml"] + extra
    content["extra.yaml"] = json.dumps({"Resources": {"Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}})
    platform.reset_calls()
    failed = door.run_here(world.payload(acme.client, content))
    assert failed.state == "failed"
    touched = {call["account"] for call in platform.log() if call["operation"] == "ExecuteChangeSet"}
    (first,) = (account.id for account in acme.accounts.all() if account.name == canary)
    assert touched == {first}, "ring 2 never sees it"
    assert stacks(platform, first) == {"settings": "UPDATE_ROLLBACK_COMPLETE", "extra": "CREATE_COMPLETE"}

    done = output(core("rollback", "--json", failed.run_id, "--yes"))
    assert done["Status"] == "succeeded"
    assert set(stacks(platform, first)) == {"settings"}
    assert values(platform, acme) == dict.fromkeys([canary, *others], "one")


def test_rollback_when_nobody_says_yes_then_nothing_is_changed(acme: ClientCmdb, platform: EmbeddedCloud, core: Any) -> None:
    door.run_here(world.payload(acme.client, files("one")))
    changed = door.run_here(world.payload(acme.client, files("two")))
    before = values(platform, acme)
    result = core("rollback", changed.run_id)
    assert result.exit_code == 2
    assert "3 targets: 1 different change" in result.output
    assert values(platform, acme) == before
