"""The doors through which malformed input comes: compile, payload, registry, settings, archives."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cli.registry_file import RegistryFile
from core_lib.db import Facts
from core_lib.deployspec import Compilation, Linter, compile_deployspec
from core_lib.framework.codecs import load_document, load_json, parse
from core_lib.framework.models import Account, DeploymentDetails, Selection, Task, TaskPayload
from core_lib.framework.package import Package
from core_lib.invoker import Route, route

BASELINE = Path(__file__).parents[2] / "examples" / "baseline"

TEMPLATE = """\
Parameters:
  Cidr: {Type: String, Default: 10.0.0.0/16}
  Size: {Type: Number, Default: 1, MinValue: 1, MaxValue: 9}
  Mode: {Type: String, Default: slow, AllowedValues: [slow, fast]}
Resources:
  Topic: {Type: AWS::SNS::Topic}
Outputs:
  Arn: {Value: !Ref Topic}
"""

REGISTRY = """\
Client: {Client: acme, Tags: {Owner: platform}}
Portfolios:
  - {Portfolio: shop}
Zones:
  - Zone: home
    AccountFacts: {AwsAccountId: "000000000001"}
    RegionFacts: {ireland: {AwsRegion: eu-west-1}}
Apps:
  - {Portfolio: shop, App: web, Zone: home, Region: ireland}
Accounts:
  - {Id: "000000000001", Name: management}
  - {Id: "000000000011", Name: shop-prod, OrganizationalUnit: /workloads/prod, Tags: {tier: "1"}}
  - {Id: "000000000012", Name: bank-prod, OrganizationalUnit: /workloads/prod, Tags: {tier: "2"}}
  - {Id: "000000000013", Name: shop-test, OrganizationalUnit: /workloads/test}
  - {Id: "000000000014", Name: old-prod, OrganizationalUnit: /workloads/prod, State: suspended}
"""


def registry(text: str | bytes = REGISTRY) -> RegistryFile:
    """A registry file, as `core registry import` and `--registry` read it."""
    return parse(RegistryFile, load_document(text, "registry.yaml"))


@cache
def book() -> RegistryFile:
    """The well-formed registry that the other doors stand on."""
    return registry()


def request(task: Task = Task.DEPLOY, **fields: Any) -> TaskPayload:
    """A well-formed request for build 7 of the shop's web app."""
    details = DeploymentDetails(portfolio="shop", app="web", branch="main", build="7", environment="prod")
    return TaskPayload(client="acme", task=task, deployment_details=details, **fields)


def facts_of(overrides: Mapping[str, Any] | None = None) -> Facts:
    """The merged facts of that request."""
    return book().facts(request(facts=dict(overrides or {})))


def compile_package(
    package: Package,
    *,
    overrides: Mapping[str, Any] | None = None,
    narrow: Selection | None = None,
    accounts: tuple[Account, ...] | None = None,
    linter: Linter | None = None,
) -> Compilation:
    """Compile a package, as the flow and the command line do after they have read it."""
    return compile_deployspec(
        request(targets=narrow),
        package=package,
        facts=facts_of(overrides),
        accounts=book().accounts if accounts is None else accounts,
        linter=linter,
    )


def compile_files(files: Mapping[str, str | bytes], **more: Any) -> Compilation:
    """Compile these files together with the template `t.yaml`."""
    return compile_package(Package.from_files({"t.yaml": TEMPLATE} | dict(files)), **more)


def compile_spec(spec: str | bytes, **more: Any) -> Compilation:
    """Compile a package whose deployspec is this text."""
    return compile_files({"deployspec.yaml": spec}, **more)


def read_payload(text: str | bytes) -> Route:
    """Take a payload written as JSON, and decide what happens to it."""
    return route(parse(TaskPayload, load_json(text, "payload.json")))


def stack(name: str = "net", *lines: str, spec: tuple[str, ...] = ()) -> str:
    """A CreateStack action of that name; `lines` are more keys of the action, `spec` more keys of its spec."""
    body = [f"- Name: {name}", "  Kind: AWS::CreateStack", *(f"  {line}" for line in lines), "  Spec:"]
    body += [f"    StackName: {name}", "    Template: t.yaml", *(f"    {line}" for line in spec)]
    return "\n".join(body) + "\n"


def spec_of(*actions: str, targets: str = "{Accounts: [shop-prod], Regions: [eu-west-1]}", parameters: str = "") -> str:
    """A whole deployspec."""
    layers = f"Parameters: {parameters}\n" if parameters else ""
    return f"Targets: {targets}\n{layers}Actions:\n" + "".join(actions)
