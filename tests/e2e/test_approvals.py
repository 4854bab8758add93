"""A run that waits for people, on a whole platform: its process goes, an answer brings it back, all can see who said what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core_lib.framework.models import RunStatus
from tests.e2e.site import Site
from tests.e2e.test_whole_platform import flow_processes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def gated_spec(site: Site, **approval: Any) -> None:
    """One stack in every account, and after all of them a question before the stack of the hub."""
    accounts = [account.id for account in site.fleet.accounts]
    actions = [
        {"Name": "base", "Kind": "CreateStack", "Targets": {"Accounts": accounts[1:], "Regions": ["eu-west-1"]},
         "Spec": {"StackName": "base", "Template": "base.json", "Parameters": {"Value": "1"}}},
        {"Name": "go", "Kind": "Approval", "DependsOn": [{"Name": "base", "Scope": "all"}], "Spec": approval,
         "Targets": {"Accounts": accounts[:1], "Regions": ["eu-west-1"]}},
        {"Name": "hub", "Kind": "CreateStack", "DependsOn": ["go"],
         "Targets": {"Accounts": accounts[:1], "Regions": ["eu-west-1"]},
         "Spec": {"StackName": "hub", "Template": "base.json", "Parameters": {"Value": "2"}}},
    ]  # fmt: skip
    (site.package / "deployspec.yaml").write_text(json.dumps({"Actions": actions}))


def asleep(site: Site, run_id: str) -> bool:
    return site.run(run_id).status is RunStatus.AWAITING_APPROVAL and not flow_processes(site.state)


def test_run_when_it_waits_for_people_then_it_sleeps_without_a_process_until_the_right_one_says_yes(site: Site) -> None:
    site.fleet.cloud.faults([])
    gated_spec(site, Approvers=["bob", "ann"], Message="on to the hub?")
    run_id = site.begin(ended=2)
    site.until(lambda: asleep(site, run_id))
    assert {action: row.status.value for action, row in site.cmdb.ledger.load(run_id).items() if action.startswith("go")} == {
        f"go@{site.fleet.accounts[0].id}/eu-west-1": "running"
    }
    listed = site.core("approvals")
    assert "on to the hub?" in site.core("approvals", "--json").stdout
    assert run_id in listed.stdout

    for user, reason in (("ann", "ann asked for this run"), ("eve", "eve is not asked")):
        refused = site.core("approve", run_id, "--yes", user=user)
        assert (refused.returncode, reason in refused.stderr) == (4, True), refused.stderr
    answered = site.core("approve", run_id, "--yes", "--comment", "looks good", user="bob")
    assert answered.returncode == 0, answered.stderr
    site.until(lambda: site.run(run_id).status is RunStatus.SUCCEEDED)

    run = site.run(run_id)
    assert (run.epoch, run.visit) == (2, 1)
    assert {row.status.value for row in site.cmdb.ledger.load(run_id).values()} == {"succeeded"}
    shown = json.loads(site.core("approvals", "--run", run_id, "--json").stdout)["Approvals"][0]
    assert [(one["By"], one["Verdict"], one["Comment"]) for one in shown["Decisions"]] == [("bob", "approved", "looks good")]
    events = site.cmdb.events.list("prn:payments:ledger:main:7").items
    assert [(event.status, event.actor) for event in events if event.run_id == run_id and "APPROV" in str(event.status)] == [
        ("APPROVAL_REQUESTED", "ann"),
        ("APPROVED", "bob"),
    ]
    assert not site.cmdb.locks.holders(f"{account.id}/eu-west-1/base" for account in site.fleet.accounts)


def test_run_when_somebody_says_no_then_it_fails_and_a_resumed_run_asks_again(site: Site) -> None:
    site.fleet.cloud.faults([])
    gated_spec(site)
    run_id = site.begin(ended=2)
    site.until(lambda: asleep(site, run_id))
    assert site.core("reject", run_id, "--yes", "--comment", "not today", user="bob").returncode == 0
    site.until(lambda: site.run(run_id).status is RunStatus.FAILED)
    shown = site.core("runs", "show", run_id)
    assert "bob said no: not today" in shown.stdout

    assert site.core("runs", "resume", run_id, "--detach").returncode == 0
    site.until(lambda: site.run(run_id).visit == 2 and asleep(site, run_id))
    assert site.core("approve", run_id, "--yes", user="bob").returncode == 0
    site.until(lambda: site.run(run_id).status is RunStatus.SUCCEEDED)


def test_run_when_nobody_answers_in_time_then_it_wakes_up_by_itself_and_fails(site: Site) -> None:
    site.fleet.cloud.faults([])
    gated_spec(site, Timeout="PT60S")
    run_id = site.begin(ended=2)
    site.until(lambda: asleep(site, run_id))
    site.until(lambda: site.run(run_id).status is RunStatus.FAILED)
    assert "nobody answered within" in site.core("runs", "show", run_id).stdout


def test_run_when_cancelled_while_it_sleeps_then_it_ends_at_once_and_nobody_is_asked_any_more(site: Site) -> None:
    site.fleet.cloud.faults([])
    gated_spec(site)
    run_id = site.begin(ended=2)
    site.until(lambda: asleep(site, run_id))
    cancelled = site.core("runs", "cancel", run_id)
    assert cancelled.returncode == 0, cancelled.stderr
    assert site.run(run_id).status is RunStatus.CANCELLED
    assert run_id not in site.core("approvals").stdout
