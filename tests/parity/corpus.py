"""The corpus: plans and what becomes of them. Each scenario says how its runs end; parity says that all else is the same too."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from core_lib.framework.models import Cause, Decision, Options, PlanAction, Retry, RunStatus, Task, Verdict
from tests.builders.plans import action
from tests.parity.executors import Executor
from tests.parity.site import NOTE, Site

Scenario = Callable[[Site, Executor], None]
SCENARIOS: dict[str, Scenario] = {}


def scenario(function: Scenario) -> Scenario:
    """Part of the corpus."""
    SCENARIOS[function.__name__] = function
    return function


def done(site: Site, executor: Executor, run: Any, status: str, options: Options | None = None) -> None:
    """Execute a run, which has to end like this."""
    ended = executor.begin(site, run, options)()
    assert ended.status.value == status, f"{ended.status}: {ended.error} {ended.counts}"


def script(name: str, target: str, after: tuple[str, ...] = (), **fields: Any) -> PlanAction:
    """A scripted action; parameters in PascalCase, fields of the action in lower case."""
    spec = {key: value for key, value in fields.items() if key[0].isupper()}
    more = {key: value for key, value in fields.items() if not key[0].isupper()}
    return action(name, "TEST::Script", target=target, after=after, spec=spec, **more)


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def status_of(site: Site, name: str, number: int = 0) -> str | None:
    row = site.cmdb.ledger.load(site.runs[-1]).get(f"{name}@{site.target(number)}")
    return row.status.value if row else None


EVERYWHERE = "Targets: {Accounts: [hub, one, two], Regions: [eu-west-1]}\n"
CHAIN = (
    EVERYWHERE
    + """
Actions:
  - {Name: net, Kind: AWS::CreateStack, Spec: {StackName: net, Template: note.json, Parameters: {Name: /net}}}
  - Name: app
    Kind: AWS::CreateStack
    Spec: {StackName: app, Template: note.json, Parameters: {Name: /app, Value: "%s"}}
    DependsOn: [net]
"""
)


@scenario
def success(site: Site, executor: Executor) -> None:
    done(site, executor, site.compiled(CHAIN % "one"), "succeeded")


@scenario
def second_run_without_changes(site: Site, executor: Executor) -> None:
    done(site, executor, site.compiled(CHAIN % "one"), "succeeded")
    done(site, executor, site.compiled(CHAIN % "one"), "succeeded")


@scenario
def changed_parameter(site: Site, executor: Executor) -> None:
    done(site, executor, site.compiled(CHAIN % "one"), "succeeded")
    done(site, executor, site.compiled(CHAIN % "two"), "succeeded")


@scenario
def forced_run(site: Site, executor: Executor) -> None:
    done(site, executor, site.compiled(CHAIN % "one"), "succeeded")
    done(site, executor, site.compiled(CHAIN % "one", options=Options(force=True)), "succeeded")


@scenario
def teardown(site: Site, executor: Executor) -> None:
    done(site, executor, site.compiled(CHAIN % "one"), "succeeded")
    done(site, executor, site.compiled(CHAIN % "one", Task.TEARDOWN), "succeeded")


@scenario
def plan_and_apply(site: Site, executor: Executor) -> None:
    planned = site.compiled(CHAIN % "one", Task.PLAN)
    done(site, executor, planned, "succeeded")
    reviewed = Options(reviewed_run=planned.run_id)
    done(site, executor, site.compiled(CHAIN % "one", Task.APPLY, reviewed), "succeeded")


@scenario
def hub_before_spokes(site: Site, executor: Executor) -> None:
    spec = (
        EVERYWHERE
        + """
Actions:
  - Name: hub
    Kind: AWS::CreateStack
    Targets: {Accounts: [hub]}
    Spec: {StackName: hub, Template: note.json, Parameters: {Name: /hub, Value: from-the-hub}}
  - Name: spoke
    Kind: AWS::CreateStack
    Targets: {Accounts: [one, two]}
    Spec: {StackName: spoke, Template: note.json, Parameters: {Name: /spoke, Value: "{{ outputs.hub.Value }}"}}
"""
    )
    done(site, executor, site.compiled(spec), "succeeded")


@scenario
def outputs_and_variables(site: Site, executor: Executor) -> None:
    spec = (
        EVERYWHERE
        + """
Actions:
  - Name: net
    Kind: AWS::CreateStack
    Spec: {StackName: net, Template: note.json, Parameters: {Name: /net, Value: "{{ AwsAccountId }}"}}
  - {Name: keep, Kind: SYSTEM::SetVariables, Spec: {Variables: {Told: "{{ outputs.net.Value }}", Zones: 3}}}
  - Name: app
    Kind: AWS::CreateStack
    Spec: {StackName: app, Template: note.json, Parameters: {Name: /app, Value: "{{ vars.Told }}"}}
"""
    )
    done(site, executor, site.compiled(spec), "succeeded")


@scenario
def conditions_at_run_time(site: Site, executor: Executor) -> None:
    spec = (
        EVERYWHERE
        + """
Actions:
  - {Name: net, Kind: AWS::CreateStack, Spec: {StackName: net, Template: note.json, Parameters: {Name: /net, Value: small}}}
  - {Name: big, Kind: SYSTEM::NoOp, Condition: "outputs.net.Value == 'big'"}
  - {Name: small, Kind: SYSTEM::NoOp, Condition: "outputs.net.Value == 'small'"}
  - {Name: after, Kind: SYSTEM::NoOp, DependsOn: [big, small]}
"""
    )
    done(site, executor, site.compiled(spec), "succeeded")


@scenario
def hooks_are_told(site: Site, executor: Executor) -> None:
    spec = (
        EVERYWHERE
        + """
Actions:
  - Name: net
    Kind: SYSTEM::NoOp
    Hooks: [{On: [running, complete, failed], Message: "about net"}]
"""
    )
    done(site, executor, site.compiled(spec), "succeeded")


@scenario
def failure_blocks_what_follows(site: Site, executor: Executor) -> None:
    here, there = site.target(1), site.target(2)
    run = site.written(
        script("net", here), script("bad", here, ("net",), Looks=2, Fails=True), script("app", here, ("bad",)),
        script("net", there), options=Options(tolerance=1),
    )  # fmt: skip
    done(site, executor, run, "failed")


@scenario
def failed_hub_blocks_its_spokes(site: Site, executor: Executor) -> None:
    hub = script("hub", site.target(0), Looks=1, Fails=True)
    spokes = [script("spoke", site.target(number), (hub.id,)) for number in (1, 2)]
    done(site, executor, site.written(hub, *spokes, options=Options(tolerance=3)), "failed")


@scenario
def stack_that_fails(site: Site, executor: Executor) -> None:
    taken = {
        "Resources": {"Again": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/taken", "Type": "String", "Value": "x"}}}
    }

    for number in (1, 2):
        ssm = site.backend.client("ssm", site.accounts[number].id)
        ssm.put_parameter(Name="/taken", Value="mine", Type="String")
    spec = (
        EVERYWHERE
        + """
Actions:
  - {Name: bad, Kind: AWS::CreateStack, Spec: {StackName: bad, Template: bad.json}}
  - {Name: app, Kind: AWS::CreateStack, Spec: {StackName: app, Template: note.json, Parameters: {Name: /app}}, DependsOn: [bad]}
"""
    )
    done(site, executor, site.compiled(spec, options=Options(tolerance=2), bad=json.dumps(taken)), "failed")


@scenario
def tolerance_that_is_not_exceeded(site: Site, executor: Executor) -> None:
    actions = [script("app", site.target(number), Fails=number == 0) for number in range(3)]
    done(site, executor, site.written(*actions, options=Options(tolerance="34%")), "failed")


@scenario
def tolerance_that_is_exceeded(site: Site, executor: Executor) -> None:
    first = [script("app", site.target(0), Fails=True)]
    later = [script("app", site.target(number), Looks=2) for number in (1, 2)]
    gate = [script("late", site.target(number), ("app",)) for number in (1, 2)]
    done(site, executor, site.written(*first, *later, *gate, options=Options(concurrency=1)), "failed")


@scenario
def failure_that_does_not_matter(site: Site, executor: Executor) -> None:
    here = site.target(1)
    run = site.written(
        script("probe", here, Fails=True, on_failure="continue"), script("app", here, ("probe",)), options=Options(tolerance=1)
    )
    done(site, executor, run, "failed")


@scenario
def failure_that_is_undone(site: Site, executor: Executor) -> None:
    here, there = site.target(1), site.target(2)
    run = site.written(
        script("net", here, Looks=1), script("app", here, ("net",), Looks=1),
        script("bad", here, ("app",), Fails=True, on_failure="undo"), script("never", here, ("bad",)),
        script("other", there, Looks=1), options=Options(tolerance=1),
    )  # fmt: skip
    done(site, executor, run, "failed")


@scenario
def retries_that_help(site: Site, executor: Executor) -> None:
    here = site.target(1)
    run = site.written(
        script("flaky", here, Failures=2, Cause=Cause.TRANSIENT, retry=Retry(attempts=3)),
        script("slips", here, Slips=2, Looks=1, retry=Retry(attempts=4)),
    )
    done(site, executor, run, "succeeded")


@scenario
def retries_that_do_not_help(site: Site, executor: Executor) -> None:
    here, there = site.target(1), site.target(2)
    run = site.written(
        script("hopeless", here, Failures=9, Cause=Cause.TRANSIENT, retry=Retry(attempts=3)),
        script("permanent", there, Failures=9, Cause=Cause.PERMANENT, retry=Retry(attempts=3)),
        options=Options(tolerance=2),
    )
    done(site, executor, run, "failed")


@scenario
def timeout(site: Site, executor: Executor) -> None:
    run = site.written(script("endless", site.target(1), Endless=True, timeout=timedelta(seconds=2)))
    done(site, executor, run, "failed")


@scenario
def cancel_before_it_begins(site: Site, executor: Executor) -> None:
    run = site.written(*(script("app", site.target(number)) for number in range(3)))
    site.cmdb.runs.request_cancel(run.run_id)
    done(site, executor, run, "cancelled")


@scenario
def cancel_under_way(site: Site, executor: Executor) -> None:
    _cancelled(site, executor)


@scenario
def resume_after_cancel(site: Site, executor: Executor) -> None:
    run = _cancelled(site, executor)
    done(site, executor, run, "succeeded")


def _cancelled(site: Site, executor: Executor) -> Any:
    run = site.written(
        script("net", site.target(0)), script("slow", site.target(0), ("net",), Looks=12),
        script("after", site.target(0), ("slow",)), script("app", site.target(1)),
    )  # fmt: skip
    end = executor.begin(site, run)
    until(lambda: status_of(site, "slow") == "running" and status_of(site, "app", 1) == "succeeded")
    site.cmdb.runs.request_cancel(run.run_id)
    assert end().status.value == "cancelled"
    return run


@scenario
def resume_after_failure(site: Site, executor: Executor) -> None:
    run = site.written(
        script("net", site.target(1)), script("bad", site.target(1), ("net",), Failures=1),
        script("app", site.target(1), ("bad",)), script("net", site.target(2)), options=Options(tolerance=1),
    )  # fmt: skip
    done(site, executor, run, "failed")
    done(site, executor, run, "succeeded")


@scenario
def only_what_failed(site: Site, executor: Executor) -> None:
    actions = [
        script("bad", site.target(1), Failures=1),
        script("app", site.target(1), ("bad",)),
        script("other", site.target(2)),
    ]
    run = site.written(*actions)
    done(site, executor, run, "failed")
    done(site, executor, run, "succeeded", Options(only="failed"))


@scenario
def dry_run(site: Site, executor: Executor) -> None:
    done(site, executor, site.written(script("app", site.target(1)), options=Options(dry_run=True)), "succeeded")


@scenario
def locks_that_refuse(site: Site, executor: Executor) -> None:
    holder = _holder(site)
    run = site.written(
        script("app", site.target(1), StackName="app"), script("app", site.target(2), StackName="app"),
        options=Options(when_locked="refuse", tolerance=1),
    )  # fmt: skip
    done(site, executor, run, "failed")
    _gone(site, holder)


@scenario
def locks_that_are_waited_for(site: Site, executor: Executor) -> None:
    holder = _holder(site)
    run = site.written(script("app", site.target(1), StackName="app"), script("app", site.target(2), StackName="app"))
    end = executor.begin(site, run)
    until(lambda: status_of(site, "app", 2) == "succeeded")
    threading.Timer(0.7, _gone, (site, holder)).start()
    assert end().status.value == "succeeded"


def _holder(site: Site) -> Any:
    """Another run, alive, that holds the stack `app` of the account `one`."""
    other = site.written(script("holder", site.target(1)))
    taken = site.cmdb.runs.take(other.run_id)
    site.cmdb.runs.transition(other.run_id, RunStatus.RUNNING, epoch=taken.epoch)
    site.cmdb.locks.acquire(other.run_id, taken.epoch, [f"{site.target(1)}/app"], "bob")
    return taken


def _gone(site: Site, holder: Any) -> None:
    site.cmdb.locks.release(holder.run_id, [f"{site.target(1)}/app"])


WAVES = (
    EVERYWHERE
    + """
Waves:
  - {Name: canary, Targets: {Accounts: [hub]}}
  - {Share: 50%%}
Actions:
  - {Name: net, Kind: AWS::CreateStack, Spec: {StackName: net, Template: %s.json, Parameters: {Name: /net}}}
"""
)


@scenario
def waves(site: Site, executor: Executor) -> None:
    done(site, executor, site.compiled(WAVES % "note"), "succeeded")


@scenario
def bad_change_in_the_first_wave(site: Site, executor: Executor) -> None:
    """The template of the canary's account cannot be deployed: no other account sees it."""
    site.backend.client("ssm", site.accounts[0].id).put_parameter(Name="/net", Value="mine", Type="String")
    done(site, executor, site.compiled(WAVES % "note"), "failed")


@scenario
def approval(site: Site, executor: Executor) -> None:
    here = site.target(1)
    question = action("ask", "SYSTEM::Approval", target=here, after=("net",), spec={"Approvers": ["bob"]})
    run = site.written(script("net", here), question, script("app", here, ("ask",)), script("other", site.target(2), Looks=3))
    end = executor.begin(site, run)
    until(lambda: bool(site.cmdb.approvals.of_run(run.run_id)))
    (asked,) = site.cmdb.approvals.of_run(run.run_id)
    yes = Decision(by="bob", verdict=Verdict.APPROVED, at=datetime.now(UTC))
    site.cmdb.approvals.decide(run.run_id, asked.action_id, asked.attempt, yes)
    assert end().status.value == "succeeded"


GATED = """
Waves:
  - {Name: canary, Targets: {Accounts: [one]}, Gates: [{Kind: NoOp, Spec: {Message: looked at}}]}
"""


@scenario
def gates_between_waves(site: Site, executor: Executor) -> None:
    done(site, executor, site.compiled(GATED + CHAIN % "one"), "succeeded")


WATCHED = "Waves: [{Name: canary, Targets: {Accounts: [one]}, %s}]\n" + CHAIN % "one"


@scenario
def approval_between_waves(site: Site, executor: Executor) -> None:
    run = site.compiled(WATCHED % "Gates: [{Approval: {Approvers: [bob]}}]")
    end = executor.begin(site, run)
    until(lambda: bool(site.cmdb.approvals.of_run(run.run_id)))
    assert status_of(site, "net", 2) is None
    (asked,) = site.cmdb.approvals.of_run(run.run_id)
    yes = Decision(by="bob", verdict=Verdict.APPROVED, at=datetime.now(UTC))
    site.cmdb.approvals.decide(run.run_id, asked.action_id, asked.attempt, yes)
    assert end().status.value == "succeeded"


@scenario
def alarm_that_goes_off_during_the_soak(site: Site, executor: Executor) -> None:
    cloudwatch = site.backend.client("cloudwatch", site.accounts[1].id)
    cloudwatch.put_metric_alarm(
        AlarmName="errors", Namespace="Acme", MetricName="Errors", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="OK", StateReason="calm")
    end = executor.begin(site, site.compiled(WATCHED % "Soak: PT3S, Gates: [{Alarm: errors}]"))
    until(lambda: status_of(site, "wave:canary:alarm-1", 1) == "running")
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="9 errors in a minute")
    assert end().status.value == "failed"
    assert status_of(site, "net", 2) == "blocked"


@scenario
def bad_wave_that_is_undone(site: Site, executor: Executor) -> None:
    """The canary's second stack cannot be made, so its first one goes again, and no other account sees either."""
    spec = GATED + (CHAIN % "one").replace("DependsOn: [net]", "DependsOn: [net]\n    OnFailure: undo")
    taken = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/taken", "Type": "String", "Value": "x"}}
    site.backend.client("ssm", site.accounts[1].id).put_parameter(Name="/taken", Value="mine", Type="String")
    bad = json.loads(NOTE)
    bad["Resources"]["Again"] = taken
    run = site.compiled(spec.replace("app, Template: note.json", "app, Template: bad.json"), bad=json.dumps(bad))
    done(site, executor, run, "failed")
    assert status_of(site, "net", 2) == "blocked"


@scenario
def many_targets(site: Site, executor: Executor) -> None:
    """More batches than an inline map takes: the distributed map, with its items in S3."""
    spec = """
Targets: {OrganizationalUnits: [/far], Regions: [eu-west-1]}
Actions:
  - {Name: first, Kind: SYSTEM::NoOp}
  - {Name: second, Kind: SYSTEM::NoOp, DependsOn: [first]}
  - {Name: last, Kind: SYSTEM::NoOp, DependsOn: [{Name: second, Scope: all}]}
"""
    done(site, executor, site.compiled(spec), "succeeded")
