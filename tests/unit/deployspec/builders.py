"""Builders of packages, accounts, facts and payloads for the tests of the deployspec compiler."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core_lib.db import Facts, merge_layers
from core_lib.deployspec import Compilation, Linter, compile_deployspec
from core_lib.framework.models import Account, AccountState, DeploymentDetails, Plan, PlanAction, Selection, Task, TaskPayload
from core_lib.framework.package import Package

TEMPLATE = """\
Parameters:
  Cidr: {Type: String, Default: 10.0.0.0/16}
  Size: {Type: Number, Default: 1, MinValue: 1, MaxValue: 9}
  Mode: {Type: String, Default: slow, AllowedValues: [slow, fast]}
Resources:
  Topic: {Type: AWS::SNS::Topic}
Outputs:
  Arn: {Value: !Ref Topic}
  Name: {Value: !GetAtt Topic.TopicName}
"""

FACTS: Mapping[str, Any] = {
    "Client": "acme",
    "Portfolio": "shop",
    "App": "web",
    "Branch": "main",
    "Build": "7",
    "Environment": "prod",
    "Tags": {"Owner": "platform"},
}


def account(number: int, name: str, unit: str = "/workloads/prod", **more: Any) -> Account:
    """An account whose id is its number."""
    return Account(id=f"{number:012d}", name=name, organizational_unit=unit, **more)


ACCOUNTS = (
    account(1, "management", "/"),
    account(2, "network", "/infrastructure"),
    account(3, "audit", "/security"),
    account(11, "shop-prod", "/workloads/prod", tags={"tier": "1", "team": "shop"}),
    account(12, "bank-prod", "/workloads/prod", tags={"tier": "2", "team": "bank"}),
    account(13, "shop-test", "/workloads/test", tags={"tier": "2", "team": "shop"}),
    account(14, "old-prod", "/workloads/prod", state=AccountState.SUSPENDED, tags={"tier": "1"}),
)


def payload(task: Task = Task.DEPLOY, *, targets: Selection | None = None, **details: Any) -> TaskPayload:
    """A payload for build 7 of the web shop."""
    names = {"portfolio": "shop", "app": "web", "branch": "main", "build": "7"} | details
    return TaskPayload(client="acme", task=task, deployment_details=DeploymentDetails(**names), targets=targets)


def facts(**changes: Any) -> Facts:
    """Merged facts of the web shop; the zone has no account of its own unless AwsAccountId is given."""
    return merge_layers([("client", FACTS), ("app", changes)])


def package(spec: str, files: Mapping[str, str | bytes] | None = None, *, name: str = "deployspec.yaml") -> Package:
    """A package with one spec and the template `t.yaml`."""
    return Package.from_files({name: spec, "t.yaml": TEMPLATE} | dict(files or {}))


def compiled(
    spec: str,
    *,
    files: Mapping[str, str | bytes] | None = None,
    accounts: Sequence[Account] = ACCOUNTS,
    fact: Mapping[str, Any] | None = None,
    targets: Selection | None = None,
    linter: Linter | None = None,
    name: str = "deployspec.yaml",
) -> Compilation:
    """Compile a spec without linting its templates."""
    return compile_deployspec(
        payload(targets=targets),
        package=package(spec, files, name=name),
        facts=facts(**(fact or {})),
        accounts=accounts,
        linter=linter,
    )


def deploy_plan(spec: str, **more: Any) -> Plan:
    """The plan of task deploy."""
    return compiled(spec, **more).plan(Task.DEPLOY)


def at(plan: Plan, name: str, account_name: str, region: str = "eu-west-1", accounts: Sequence[Account] = ACCOUNTS) -> PlanAction:
    """One action of a plan."""
    found = next(item for item in accounts if item.name == account_name)
    return plan.action_by_id[f"{name}@{found.id}/{region}"]


def stack(name: str, *lines: str, spec: Sequence[str] = ()) -> str:
    """A CreateStack entry named `name`; `lines` are more keys of the action, `spec` more keys of its spec."""
    body = [f"- Name: {name}", "  Kind: AWS::CreateStack", *(f"  {line}" for line in lines), "  Spec:"]
    body += [f"    StackName: {name}", "    Template: t.yaml", *(f"    {line}" for line in spec)]
    return "\n".join(body) + "\n"


def spec_of(*actions: str, targets: str = "{Accounts: [shop-prod], Regions: [eu-west-1]}", parameters: str | None = None) -> str:
    """A whole deployspec."""
    layers = f"Parameters: {parameters}\n" if parameters else ""
    return f"Targets: {targets}\n{layers}Actions:\n" + "".join(actions)
