"""Compiled components made by hand, for tests of what is made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core_lib.component.library import ComponentType
from core_lib.component.library.types import TypeFile
from core_lib.component.model import APPLICATION, Compiled, Component, StageTemplate, Step, Wire
from core_lib.component.naming import names_of
from core_lib.component.plans import Blueprint
from core_lib.db import Facts
from core_lib.framework.models import DeploymentDetails, Prn, Target

ACCOUNT, REGION = "111111111111", "eu-west-1"
Body = Mapping[str, Any]


def topic(*outputs: str) -> dict[str, Any]:
    """A template with one SNS topic, and outputs that are its ARN."""
    return {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": {"Ref": "Topic"}} for name in outputs},
    }


def facts_of(build: str = "7", branch: str = "main", **more: Any) -> Facts:
    """The facts of a deployment."""
    values = {
        "Client": "acme", "Portfolio": "web", "App": "shop", "Branch": branch, "BranchShortName": branch, "Build": build,
        "Environment": "prod", "AwsAccountId": ACCOUNT, "AwsRegion": REGION, "Tags": {"Owner": "ann"},
    }  # fmt: skip
    return Facts(values | more)


def type_of(name: str = "Test::Thing", **more: Any) -> ComponentType:
    """A type without a folder."""
    file = TypeFile.model_validate({"Type": name, "Group": "storage", "Purpose": "A thing.", **more})
    return ComponentType(file, {}, {}, "0", f"types/{name}")


def compiled(
    name: str,
    stages: Mapping[str, Body | tuple[Body, Mapping[str, str | Wire]]],
    *,
    facts: Facts | None = None,
    depends_on: Iterable[str] = (),
    steps: Mapping[str, Iterable[Step]] | None = None,
    persisted: str | None = None,
    version: str | None = None,
    options: Mapping[str, Any] | None = None,
    retains: bool = False,
    kind: ComponentType | None = None,
) -> Compiled:
    """A component. A stage is its template, or that and the values of its parameters."""
    facts = facts or facts_of()
    names = names_of(facts.values, name, version or facts.values["Build"])
    templates = {}
    for stage, given in stages.items():
        body, values = given if isinstance(given, tuple) else (given, {})
        parameters = {key: {"Type": "String"} for key in values}
        shaped = {**({"Parameters": parameters} if parameters else {}), **body}
        templates[stage] = StageTemplate(stage, names.stacks.get(stage) or f"{names.build}-{stage}", shaped, values)
    component = Component(
        name, kind or type_of(), "Test::Thing", options or {}, tuple(depends_on), persisted is not None, version, {},
        lambda path: f"{name}.yaml:{'/'.join(map(str, path)) or 1}",
    )  # fmt: skip
    uses = frozenset(
        (wire.owner, wire.stage)
        for template in templates.values()
        for wire in template.parameters.values()
        if isinstance(wire, Wire) and wire.owner != name
    )
    listed = {task: tuple(found) for task, found in (steps or {}).items()}
    return Compiled(component, templates, listed, uses, persisted, retains)


def blueprint(
    *components: Compiled,
    facts: Facts | None = None,
    kms: Body | None = None,
    key_account: str | None = None,
    account: str = ACCOUNT,
    released: str | None = None,
    unfinished: tuple[Prn, ...] = (),
) -> Blueprint:
    """The blueprint of these components; with a body for the application's stage `kms`."""
    facts = facts or facts_of()
    values = facts.values
    stacks = names_of(values, APPLICATION, values["Build"]).stacks
    return Blueprint(
        DeploymentDetails(portfolio=values["Portfolio"], app=values["App"], branch=values["Branch"], build=values["Build"]),
        facts,
        Target(account=account, region=REGION),
        Target(account=key_account or account, region=REGION),
        {each.component.name: each for each in sorted(components, key=lambda each: each.component.name)},
        {} if kms is None else {"kms": StageTemplate("kms", stacks["kms"], kms, {})},
        released,
        unfinished,
    )
