"""Pre-flight in the embedded cloud: what would fail is found before anything is changed, an unchanged run pays nothing."""

from __future__ import annotations

import json
from typing import Any

from core_lib.execute import PreflightReport, read_preflight, units
from core_lib.framework.models import ActionStatus, Options, Plan, PlanAction, Task
from tests.builders.plans import action, plan_of
from tests.integration.execute.conftest import REGION, Outcome, Rehearsal, parameter

WRITES = {"CreateChangeSet", "ExecuteChangeSet", "DeleteStack", "UpdateTerminationProtection", "SetStackPolicy"}
NOBODY = f"999999999999/{REGION}"
"""A target whose account admits nobody."""


def stack(
    rehearsal: Rehearsal, name: str, *after: str, kind: str = "AWS::CreateStack", target: str = "", **spec: Any
) -> PlanAction:
    body = {"StackName": name, "Template": f"{name}.json", **spec}
    return action(name, kind, target=target or rehearsal.target, after=after, spec=body)


async def fly(
    rehearsal: Rehearsal, *actions: PlanAction, options: Options | None = None, task: Task = Task.DEPLOY
) -> tuple[PreflightReport, Outcome, Plan]:
    """A whole run with its pre-flight."""
    plan = plan_of(actions, files=rehearsal.files, task=task)
    run = rehearsal.register(plan, options)
    rehearsal.cloud.reset_calls()
    async with rehearsal.engine(plan, run) as engine:
        report = await engine.preflight()
        results = [await engine.drive(unit) for unit in units(plan)]
    return report, Outcome(results, rehearsal.cmdb.ledger.load(run.run_id), run.run_id), plan


def calls(rehearsal: Rehearsal, service: str = "cloudformation") -> list[str]:
    return [call["operation"] for call in rehearsal.cloud.log() if call["service"] == service]


def found(report: PreflightReport) -> set[tuple[str, str]]:
    return {(group.check, group.severity) for group in report.groups}


async def test_preflight_when_nothing_changed_then_it_costs_no_call_even_with_references(rehearsal: Rehearsal) -> None:
    rehearsal.put("net.json", parameter("/demo/net"))
    rehearsal.put("app.json", parameter("/demo/app"))
    net = stack(rehearsal, "net")
    app = stack(rehearsal, "app", "net", Parameters={"Value": "{{ outputs.net.Value }}"}).but(references={"net": net.id})
    await fly(rehearsal, net, app)
    report, outcome, _ = await fly(rehearsal, net, app)
    assert report.groups == ()
    assert calls(rehearsal) == ["DescribeStacks"]
    assert [outcome[name].message for name in ("net", "app")] == ["unchanged", "unchanged"]


async def test_preflight_when_all_is_well_then_each_distinct_template_is_validated_once_and_the_run_goes_on(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.put("app.json", parameter("/demo/app"))
    names = [f"app-{number}" for number in range(3)]
    twins = [stack(rehearsal, name, Template="app.json", Parameters={"Value": name}) for name in names[:1]]
    rehearsal.put("net.json", parameter("/demo/net"))
    report, outcome, _ = await fly(rehearsal, *twins, stack(rehearsal, "net"), stack(rehearsal, "net-2", Template="net.json"))
    assert report.groups == ()
    assert calls(rehearsal).count("ValidateTemplate") == 2
    assert outcome["app-0"].status is ActionStatus.SUCCEEDED


async def test_preflight_when_a_template_was_deployed_before_then_it_is_not_validated_again(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter("/demo/app"))
    await fly(rehearsal, stack(rehearsal, "app"))
    await fly(rehearsal, stack(rehearsal, "app", Parameters={"Value": "two"}))
    assert "ValidateTemplate" not in calls(rehearsal)
    assert "ExecuteChangeSet" in calls(rehearsal)


async def test_preflight_when_a_role_cannot_be_assumed_then_nothing_is_written_anywhere(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter("/demo/app"))
    actions = [stack(rehearsal, "app"), stack(rehearsal, "app", target=NOBODY), action("last", target=NOBODY, after=["app"])]
    report, outcome, _ = await fly(rehearsal, *actions)
    assert found(report) == {("access", "error")}
    assert not WRITES & set(calls(rehearsal))
    first, last = (outcome.rows[f"{name}@{NOBODY}"] for name in ("app", "last"))
    assert first.error is not None
    assert (first.status, first.error.code, last.status) == (ActionStatus.FAILED, "CORE-5006", ActionStatus.BLOCKED)
    here = outcome.rows[f"app@{rehearsal.target}"]
    assert (here.status, here.message) == (ActionStatus.BLOCKED, "not started: 1 of 2 targets failed, the run tolerates 0")


async def test_preflight_when_the_run_tolerates_it_then_the_other_targets_are_done(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter("/demo/app"))
    actions = [stack(rehearsal, "app"), stack(rehearsal, "app", target=NOBODY)]
    _, outcome, _ = await fly(rehearsal, *actions, options=Options(tolerance=1))
    assert outcome.rows[f"app@{NOBODY}"].status is ActionStatus.FAILED
    assert outcome.rows[f"app@{rehearsal.target}"].status is ActionStatus.SUCCEEDED


async def test_preflight_when_cloudformation_refuses_a_template_then_the_good_stack_before_it_is_not_made_either(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.put("net.json", parameter("/demo/net"))
    rehearsal.put("app.json", {"Resources": {"X": {"Type": "AWS::Nope::Nobody"}}})
    report, outcome, _ = await fly(rehearsal, stack(rehearsal, "net"), stack(rehearsal, "app", "net"))
    assert found(report) == {("template", "error")}
    assert "Nobody" in report.groups[0].message
    assert (outcome["net"].status, outcome["app"].status) == (ActionStatus.FAILED, ActionStatus.BLOCKED)
    assert rehearsal.cloudformation.describe_stacks()["Stacks"] == []


async def test_preflight_when_references_lead_nowhere_then_all_of_them_are_named(rehearsal: Rehearsal) -> None:
    template = parameter("/demo/app")
    template["Parameters"]["Ami"] = {"Type": "AWS::SSM::Parameter::Value<String>"}
    template["Resources"]["Item"]["Properties"]["Value"] = {"Fn::ImportValue": {"Fn::Sub": "hub-${AWS::Region}"}}
    template["Outputs"]["Dynamic"] = {"Value": "{{resolve:ssm:/nowhere/else}}"}
    rehearsal.put("app.json", template)
    report, outcome, _ = await fly(rehearsal, stack(rehearsal, "app", Parameters={"Ami": "/nowhere/ami"}))
    error = outcome["app"].error
    assert found(report) == {("reference", "error")}
    assert error is not None
    assert error.message.startswith("nothing was changed, pre-flight says: 3 findings: ")
    for name in (f"hub-{REGION}", "/nowhere/ami", "/nowhere/else"):
        assert name in error.message
    assert not WRITES & set(calls(rehearsal))


async def test_preflight_when_the_plan_brings_what_is_referred_to_then_there_is_no_finding(rehearsal: Rehearsal) -> None:
    hub = parameter("/demo/hub")
    hub["Outputs"]["Name"]["Export"] = {"Name": {"Fn::Sub": "hub-${AWS::Region}"}}
    app = parameter("/demo/app")
    app["Parameters"]["Value"] = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/demo/hub"}
    app["Resources"]["Item"]["Properties"]["Description"] = {"Fn::ImportValue": f"hub-{REGION}"}
    rehearsal.put("hub.json", hub)
    rehearsal.put("app.json", app)
    report, outcome, _ = await fly(rehearsal, stack(rehearsal, "hub"), stack(rehearsal, "app", "hub"))
    assert report.groups == ()
    assert outcome["app"].status is ActionStatus.SUCCEEDED


async def test_preflight_when_the_service_role_or_a_key_is_missing_then_found(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter("/demo/app"))
    key = f"arn:aws:kms:{REGION}:{rehearsal.account}:key/11111111-2222-3333-4444-555555555555"
    role = f"arn:aws:iam::{rehearsal.account}:role/service/nobody"
    report, _, _ = await fly(rehearsal, stack(rehearsal, "app", RoleArn=role, Parameters={"Value": key}))
    texts = " ".join(group.message for group in report.groups)
    assert "service role nobody" in texts
    assert f"{key} that the stack app uses is missing" in texts


async def test_preflight_when_a_stack_is_not_ours_or_only_a_shell_then_a_warning_and_the_run_goes_on(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.put("app.json", parameter("/demo/app"))
    rehearsal.put("new.json", parameter("/demo/new"))
    rehearsal.cloudformation.create_stack(StackName="app", TemplateBody=json.dumps(parameter("/demo/theirs")))
    rehearsal.cloudformation.create_change_set(
        StackName="new", ChangeSetName="left", ChangeSetType="CREATE", TemplateBody=json.dumps(parameter("/demo/new"))
    )
    report, outcome, plan = await fly(rehearsal, stack(rehearsal, "app"), stack(rehearsal, "new"))
    assert found(report) == {("clash", "warning")}
    assert {outcome["app"].status, outcome["new"].status} == {ActionStatus.SUCCEEDED}
    assert read_preflight(rehearsal.store, plan, outcome.run_id) == report, "kept for core runs show"


async def test_preflight_when_a_protected_stack_is_to_be_deleted_then_found_unless_forced(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter("/demo/app"))
    await fly(rehearsal, stack(rehearsal, "app", TerminationProtection=True))
    delete = action("app", "AWS::DeleteStack", target=rehearsal.target, spec={"StackName": "app"})
    report, outcome, _ = await fly(rehearsal, delete)
    assert found(report) == {("state", "error")}
    assert outcome["app"].status is ActionStatus.FAILED
    report, outcome, _ = await fly(rehearsal, delete.but(spec={"StackName": "app", "Force": True}))
    assert (report.groups, outcome["app"].message) == ((), "deleted")


async def test_preflight_when_a_plan_only_looks_then_the_same_findings_are_warnings(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", {"Resources": {"X": {"Type": "AWS::Nope::Nobody"}}})
    look = stack(rehearsal, "app", kind="AWS::CreateChangeSet")
    report, _, _ = await fly(rehearsal, look, task=Task.PLAN)
    assert found(report) == {("template", "warning")}


async def test_preflight_when_it_is_all_that_is_wanted_then_everything_is_skipped(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter("/demo/app"))
    report, outcome, _ = await fly(rehearsal, stack(rehearsal, "app"), options=Options(preflight="only"))
    assert (report.targets, report.groups) == (1, ())
    assert (outcome["app"].status, outcome["app"].message) == (ActionStatus.SKIPPED, "pre-flight only: nothing is executed")
    assert not WRITES & set(calls(rehearsal))


async def test_preflight_when_switched_off_then_nothing_is_looked_at(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter("/demo/app"))
    report, outcome, _ = await fly(rehearsal, stack(rehearsal, "app"), options=Options(preflight=False))
    assert report.targets == 0
    assert outcome["app"].status is ActionStatus.SUCCEEDED
    assert "ValidateTemplate" not in calls(rehearsal)


async def test_preflight_when_the_service_is_in_trouble_then_that_is_no_finding(rehearsal: Rehearsal) -> None:
    rehearsal.put("app.json", parameter("/demo/app"))
    rehearsal.cloud.faults([{"match": {"operation": "ValidateTemplate"}, "error": {"code": "AccessDenied", "message": "no"}}])
    try:
        report, outcome, _ = await fly(rehearsal, stack(rehearsal, "app"))
    finally:
        rehearsal.cloud.faults([])
    assert report.groups == ()
    assert outcome["app"].status is ActionStatus.SUCCEEDED
