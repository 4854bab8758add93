"""Gates between waves on the embedded cloud: what each form of them asks decides whether the second account is touched at all.

Compiled from a deployspec and the facts of a registry, executed by the real engine; people, alarms and a web server act from
outside.
"""

from __future__ import annotations

import asyncio
import io
import random
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from core_lib.db import AppFact, ClientFact, PortfolioFact, ZoneFact
from core_lib.deployspec import compile_deployspec
from core_lib.execute import units
from core_lib.framework.errors import ApprovalError
from core_lib.framework.models import (
    Account,
    ActionState,
    ActionStatus,
    Approval,
    Decision,
    DeploymentDetails,
    Plan,
    Task,
    TaskPayload,
    Verdict,
)  # fmt: skip
from core_lib.framework.package import Package
from core_lib.framework.settings import load_settings
from tests.builders.servers import Web, web
from tests.integration.execute.conftest import REGION, ROLE, Rehearsal

pytestmark = pytest.mark.asyncio

DETAILS = DeploymentDetails(portfolio="web", app="shop")
SPEC = """
Targets: {{Accounts: [canary, shop], Regions: [eu-west-1]}}
Waves:
  - {{Name: canary, Targets: {{Accounts: [canary]}}, {gates}}}
Actions:
  - {{Name: app, Kind: AWS::PutParameter, Spec: {{Name: /app, Value: new}}}}
"""
ALARM = "Gates: [{Alarm: errors}]"
WATCHED = f"Soak: PT2S, {ALARM}"
SMOKE = "Gates: [{Script: {FunctionName: smoke, Payload: {Ring: %s}}}]"
FUNCTION = """
def handler(event, context):
    if event["Ring"] == "broken":
        raise ValueError("the basket is empty")
    return "fine"
"""
EVERY_FORM = """
    Soak: PT1S
    Gates:
      - {Alarm: errors}
      - {Alarm: spend, Account: shop}
      - {Script: {FunctionName: smoke, Payload: {Ring: canary}}}
      - {Script: {ProjectName: tests}}
      - {Http: {Url: "%s/health", Expect: {Path: status, Equals: ready}}}
      - {Approval: {Message: "canary of {{ App }} is quiet"}}
      - {Kind: NoOp, Spec: {Message: looked at}}
"""


class Rollout:
    """A rollout under way over the accounts `canary` and `shop`, and the hands of people outside of the platform."""

    def __init__(self, rehearsal: Rehearsal, accounts: Mapping[str, str]) -> None:
        self.rehearsal = rehearsal
        self.accounts = accounts
        self.run_id = ""

    def direct(self, service: str, account: str = "canary") -> Any:
        return boto3.client(
            service, endpoint_url=self.rehearsal.cloud.endpoint, region_name=REGION,
            aws_access_key_id=self.accounts[account], aws_secret_access_key="x",
        )  # fmt: skip

    def compile(self, gates: str) -> Plan:
        payload = TaskPayload(client="acme", task=Task.DEPLOY, deployment_details=DETAILS)
        members = [
            Account(id=number, name=name, organizational_unit="/", deploy_role=ROLE) for name, number in self.accounts.items()
        ]
        made = compile_deployspec(
            payload, package=Package.from_files({"deployspec.yaml": SPEC.format(gates=gates.strip())}),
            facts=self.rehearsal.cmdb.facts(DETAILS), accounts=members, linter=None,
        )  # fmt: skip
        return made.plan(Task.DEPLOY)

    async def run(self, gates: str) -> None:
        """Roll out to the end."""
        plan = self.compile(gates)
        run = self.rehearsal.register(plan)
        self.run_id = run.run_id
        async with self.rehearsal.engine(plan, run) as engine:
            for unit in units(plan):
                await engine.drive(unit)

    def rows(self) -> dict[str, ActionState]:
        """Rows by the name of the action; those of the account `shop` begin with its name."""
        names = {f"{number}/{REGION}": "" if name == "canary" else f"{name}." for name, number in self.accounts.items()}
        found = self.rehearsal.cmdb.ledger.load(self.run_id).values() if self.run_id else ()
        parts = [(row.action_id.partition("@"), row) for row in found]
        return {names[target] + name.removeprefix("wave:canary:"): row for (name, _, target), row in parts}

    async def until(self, gate: str) -> ActionState:
        """Wait until a gate is asked."""
        for _ in range(600):
            row = (await asyncio.to_thread(self.rows)).get(gate)
            if row is not None and row.status is ActionStatus.RUNNING:
                return row
            await asyncio.sleep(0.05)
        raise AssertionError(f"{gate} is not asked: {self.rows()}")

    def reached(self) -> list[str]:
        """Accounts that have the change."""
        return [name for name in self.accounts if self.direct("ssm", name).get_parameters(Names=["/app"])["Parameters"]]

    def stopped_by(self, gate: str) -> str:
        """What the gate says, after it let nothing through, and the account behind it says that it was this gate."""
        rows = self.rows()
        assert self.reached() == ["canary"]
        assert (rows["app"].status, rows[gate].status) == (ActionStatus.SUCCEEDED, ActionStatus.FAILED)
        behind = rows["shop.app"]
        assert behind.status is ActionStatus.BLOCKED
        assert f"wave:canary:{gate}@{self.rehearsal.target}" in (behind.message or "")
        return rows[gate].message or ""

    def passed(self) -> bool:
        """Everything was done."""
        return self.reached() == ["canary", "shop"] and {row.status for row in self.rows().values()} == {ActionStatus.SUCCEEDED}

    def alarm(self, name: str, state: str, reason: str = "so it is", account: str = "canary") -> None:
        """Somebody makes an alarm, or it changes its state."""
        cloudwatch = self.direct("cloudwatch", account)
        cloudwatch.put_metric_alarm(
            AlarmName=name, Namespace="Acme", MetricName="Errors", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
        cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason=reason)

    def function(self) -> None:
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as content:
            content.writestr("index.py", FUNCTION)
        self.direct("lambda").create_function(
            FunctionName="smoke", Runtime="python3.11", Handler="index.handler", Code={"ZipFile": archive.getvalue()},
            Role=f"arn:aws:iam::{self.accounts['canary']}:role/x",
        )  # fmt: skip

    def project(self) -> None:
        self.direct("codebuild").create_project(
            name="tests", source={"type": "NO_SOURCE", "buildspec": "version: 0.2"}, artifacts={"type": "NO_ARTIFACTS"},
            environment={"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL"},
            serviceRole=f"arn:aws:iam::{self.accounts['canary']}:role/x",
        )  # fmt: skip

    def question(self) -> Approval:
        (asked,) = self.rehearsal.cmdb.approvals.of_run(self.run_id)
        return asked

    def answer(self, by: str, verdict: Verdict = Verdict.APPROVED, comment: str | None = None) -> None:
        asked = self.question()
        decision = Decision(by=by, verdict=verdict, at=datetime.now(UTC), comment=comment)
        self.rehearsal.cmdb.approvals.decide(asked.run_id, asked.action_id, asked.attempt, decision)


@pytest.fixture
def rollout(rehearsal: Rehearsal, account_id: str) -> Rollout:
    """The registry has three approvers of the portfolio, one of whom is on leave."""
    accounts = {"canary": rehearsal.account, "shop": str(random.SystemRandom().randrange(200_000_000_000, 999_999_999_999))}
    rehearsal.cloud.add_role(accounts["shop"], ROLE, trusts=account_id)
    people: list[dict[str, Any]] = [
        {"Name": "carol", "Sequence": 2}, {"Name": "bob", "Sequence": 1}, {"Name": "dave", "Enabled": False},
    ]  # fmt: skip
    zone = {"Zone": "z", "AccountFacts": {"AwsAccountId": accounts["canary"]}, "RegionFacts": {"home": {"AwsRegion": REGION}}}
    for fact in (
        ClientFact(client="acme"), PortfolioFact(portfolio="web", approvers=people),
        AppFact(portfolio="web", app="shop", zone="z", region="home"), ZoneFact.model_validate(zone),
    ):  # fmt: skip
        rehearsal.cmdb.registry.put(fact)
    return Rollout(rehearsal, accounts)


@pytest.fixture
def site(rollout: Rollout) -> Iterator[Web]:
    """A web server on this machine, which the settings allow to be asked."""
    with web() as site:
        host = site.url.removeprefix("http://")
        settings = load_settings({**rollout.rehearsal.overrides, "http.internal_hosts": [host]})
        rollout.rehearsal = replace(rollout.rehearsal, settings=settings)
        yield site


async def test_alarm_when_it_goes_off_during_the_soak_then_the_next_wave_does_not_begin_and_the_reason_is_told(
    rollout: Rollout,
) -> None:
    rollout.alarm("errors", "OK")
    running = asyncio.create_task(rollout.run(WATCHED))
    await rollout.until("alarm-1")
    await asyncio.to_thread(rollout.alarm, "errors", "ALARM", "9 errors in a minute")
    await running
    assert rollout.stopped_by("alarm-1") == "an alarm went off: errors: 9 errors in a minute"


async def test_alarm_when_it_stays_ok_then_the_next_wave_begins_after_the_soak(rollout: Rollout) -> None:
    rollout.alarm("errors", "OK")
    await rollout.run(WATCHED)
    assert rollout.passed()
    ended, began = rollout.rows()["gate"].ended_at, rollout.rows()["shop.app"].started_at
    assert ended is not None
    assert began is not None
    assert (began - ended).total_seconds() >= 2


async def test_alarm_when_it_is_off_and_there_is_no_soak_then_the_next_wave_waits_until_it_is_ok(rollout: Rollout) -> None:
    rollout.alarm("errors", "ALARM")
    running = asyncio.create_task(rollout.run(ALARM))
    while (await rollout.until("alarm-1")).message != "waits for errors":
        assert not running.done()
        await asyncio.sleep(0.05)
    assert await asyncio.to_thread(rollout.reached) == ["canary"]
    await asyncio.to_thread(rollout.alarm, "errors", "OK")
    await running
    assert rollout.passed()


async def test_alarm_when_there_is_none_of_that_name_then_the_next_wave_does_not_begin(rollout: Rollout) -> None:
    await rollout.run(WATCHED)
    assert rollout.stopped_by("alarm-1") == "there is no alarm errors"


async def test_script_when_the_function_fails_then_the_next_wave_does_not_begin_and_its_words_are_told(rollout: Rollout) -> None:
    rollout.function()
    await rollout.run(SMOKE % "broken")
    words = rollout.stopped_by("script-1")
    assert words.startswith("the function failed: ")
    assert words.endswith(": the basket is empty")


async def test_script_when_the_function_answers_then_the_next_wave_begins(rollout: Rollout) -> None:
    rollout.function()
    await rollout.run(SMOKE % "canary")
    assert rollout.passed()
    assert rollout.rows()["script-1"].outputs["Payload"] == "fine"


@pytest.mark.parametrize(
    ("answer", "words"),
    [((200, {"status": "starting"}), 'status is not "ready"'), ((404, {"status": "ready"}), "the answer is 404")],
)
async def test_http_when_the_answer_is_not_as_expected_then_the_next_wave_does_not_begin(
    rollout: Rollout, site: Web, answer: tuple[int, Any], words: str
) -> None:
    site.answer = lambda asked: answer
    await rollout.run(f'Gates: [{{Http: {{Url: "{site.url}/health", Expect: {{Path: status, Equals: ready}}}}}}]')
    assert rollout.stopped_by("http-1") == words


async def test_http_when_it_polls_and_the_site_gets_ready_then_the_next_wave_begins(rollout: Rollout, site: Web) -> None:
    site.answer = lambda asked: (200, {"status": "ready" if len(site.asked) > 1 else "starting"})
    expected = "Expect: {Path: status, Equals: ready}, Poll: {Every: PT1S, Within: PT1M}"
    await rollout.run(f'Gates: [{{Http: {{Url: "{site.url}/health", {expected}}}}}]')
    assert rollout.passed()
    assert [asked.path for asked in site.asked] == ["/health", "/health"]


async def test_http_when_the_settings_do_not_allow_the_place_then_it_is_not_asked_and_the_next_wave_does_not_begin(
    rollout: Rollout,
) -> None:
    with web() as site:
        await rollout.run(f'Gates: [{{Http: {{Url: "{site.url}/health"}}}}]')
        assert site.asked == []
    assert "127.0.0.1" in rollout.stopped_by("http-1")


async def test_approval_when_one_of_the_portfolios_approvers_says_yes_then_the_next_wave_begins_and_others_cannot_say_it(
    rollout: Rollout,
) -> None:
    running = asyncio.create_task(rollout.run('Gates: [{Approval: {Message: "canary of {{ App }} is quiet"}}]'))
    await rollout.until("approval-1")
    asked = await asyncio.to_thread(rollout.question)
    assert (asked.approvers, asked.message) == (("bob", "carol"), "canary of shop is quiet")
    for who, why in (("eve", "eve is not asked"), ("dave", "dave is not asked"), ("ann", "ann is not asked")):
        with pytest.raises(ApprovalError, match=why):
            await asyncio.to_thread(rollout.answer, who)
    assert await asyncio.to_thread(rollout.reached) == ["canary"]
    await asyncio.to_thread(rollout.answer, "bob")
    await running
    assert rollout.passed()
    assert rollout.rows()["approval-1"].outputs["ApprovedBy"] == ["bob"]


async def test_approval_when_the_one_who_asked_for_the_run_is_an_approver_then_that_yes_does_not_count(rollout: Rollout) -> None:
    running = asyncio.create_task(rollout.run("Gates: [{Approval: {Approvers: [ann, bob], Quorum: 1}}]"))
    await rollout.until("approval-1")
    with pytest.raises(ApprovalError, match="ann asked for this run"):
        await asyncio.to_thread(rollout.answer, "ann")
    await asyncio.to_thread(rollout.answer, "bob")
    await running
    assert rollout.passed()


async def test_approval_when_an_approver_says_no_then_the_next_wave_does_not_begin_and_who_and_why_is_told(
    rollout: Rollout,
) -> None:
    running = asyncio.create_task(rollout.run("Gates: [{Approval: {}}]"))
    await rollout.until("approval-1")
    await asyncio.to_thread(rollout.answer, "carol", Verdict.REJECTED, "latency doubled")
    await running
    assert rollout.stopped_by("approval-1") == "carol said no: latency doubled"


async def test_wave_with_every_form_of_gate_when_all_agree_then_they_are_asked_one_after_the_other_and_the_next_begins(
    rollout: Rollout, site: Web
) -> None:
    rollout.alarm("errors", "OK")
    rollout.alarm("spend", "OK", account="shop")
    rollout.function()
    rollout.project()
    site.answer = lambda asked: (200, {"status": "ready"})
    gates = ", ".join(line.strip().removeprefix("- ") for line in (EVERY_FORM % site.url).strip().splitlines()[2:])
    running = asyncio.create_task(rollout.run(f"Soak: PT1S, Gates: [{gates}]"))
    await rollout.until("approval-6")
    await asyncio.to_thread(rollout.answer, "carol")
    await running
    assert rollout.passed()
    rows = rollout.rows()
    order = ("app", "gate", "alarm-1", "script-3", "script-4", "http-5", "approval-6", "check-7", "shop.app")
    began = [rows[name].started_at for name in order]
    assert began == sorted(began, key=str)
    assert rows["shop.alarm-2"].outputs == {"States": {"spend": "OK"}}
