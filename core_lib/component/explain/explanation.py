"""Everything about one component, as data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from core_lib.component.explain.access import Permission, permissions_of
from core_lib.component.explain.encryption import Encryption, encryption_of
from core_lib.component.explain.network import Opening, openings_of
from core_lib.component.explain.words import Words
from core_lib.component.guard import Finding
from core_lib.component.model import ANCHOR, APPLICATION, Compiled, StageTemplate, Step
from core_lib.framework.models import Message

_OF_KEY = "${Key}"
_PLACEHOLDER = "AWS::CloudFormation::WaitConditionHandle"
"""The resource of stacks that are there for their outputs alone."""
_ORDER = ("kms", "security", "rules-base", "context", "logs", "bake", "resources", "rules", "pointers", "release")
_KEPT = ("Retain", "Snapshot", "RetainExceptOnCreate")


class Made(Message):
    """A resource; `kept` says what is left of it when its stack is deleted."""

    name: str
    type: str
    kept: str | None = None


class Stack(Message):
    """A stage's stack with its resources."""

    stage: str
    name: str
    resources: tuple[Made, ...]


class DnsName(Message):
    """A name, and what it leads to."""

    name: str
    leads_to: str
    stage: str


class MoreAction(Message):
    """An action beside the stacks."""

    task: str
    name: str
    kind: str
    when: str


class Accepted(Message):
    """A finding of the guard rails; `reason` when somebody has accepted it."""

    rule: str
    severity: str
    where: str
    message: str
    reason: str | None = None


class Explanation(Message):
    """What a component will be."""

    component: str
    type: str
    purpose: str
    stacks: tuple[Stack, ...]
    encryption: tuple[Encryption, ...]
    network: tuple[Opening, ...]
    access: tuple[Permission, ...]
    elsewhere: tuple[Permission, ...] = ()
    """What other components of the package let its roles do."""
    reaches: tuple[Opening, ...] = ()
    """What other components of the package let it reach."""
    names: tuple[DnsName, ...]
    outputs: dict[str, str]
    actions: tuple[MoreAction, ...]
    uses: tuple[str, ...]
    waits_for: tuple[str, ...]
    persists: bool
    goes_on_with: str | None = None
    keeps_key: bool = False
    findings: tuple[Accepted, ...] = ()


def explain(compiled: Compiled, findings: Iterable[Finding] = (), others: Iterable[Compiled] = ()) -> Explanation:
    """The explanation of a component.

    Args:
        compiled: the component.
        findings: of the guard rails; those about the component are told.
        others: the components of the package; what they let this one do is told too.
    """
    component = compiled.component
    templates = sorted(compiled.stages.values(), key=_turn)
    elsewhere = [each for other in others if other.component.name != component.name for each in other.stages.values()]
    return Explanation(
        component=component.name,
        type=component.written_type,
        purpose=component.type.file.purpose,
        stacks=tuple(
            Stack(stage=each.stage, name=each.stack_name, resources=tuple(_made(each.body.get("Resources") or {})))
            for each in templates
        ),
        encryption=tuple(item for each in templates for item in encryption_of(component.name, each)),
        network=tuple(item for each in templates for item in openings_of(component.name, each)),
        access=tuple(item for each in templates for item in permissions_of(component.name, each)),
        elsewhere=tuple(item for each in elsewhere for item in permissions_of(component.name, each, only=component.name)),
        reaches=tuple(item for each in elsewhere for item in openings_of(component.name, each, only=component.name)),
        names=tuple(_dns_names(compiled)),
        outputs=_outputs(compiled),
        actions=tuple(_more(task, step) for task, steps in compiled.steps.items() for step in steps),
        uses=tuple(sorted({owner for owner, stage in compiled.uses if owner != APPLICATION and stage != "security"})),
        waits_for=tuple(component.depends_on),
        persists=component.persist,
        goes_on_with=compiled.persisted,
        keeps_key=compiled.retains,
        findings=tuple(
            Accepted(rule=each.rule, severity=each.severity, where=each.where, message=each.message, reason=each.waived)
            for each in findings
            if each.component == component.name
        ),
    )


def _turn(template: StageTemplate) -> int:
    return _ORDER.index(template.stage) if template.stage in _ORDER else len(_ORDER)


def _made(resources: Mapping[str, Any]) -> Iterator[Made]:
    for name, resource in resources.items():
        if resource.get("Type") == _PLACEHOLDER:
            continue
        policy = resource.get("DeletionPolicy")
        yield Made(name=name, type=resource.get("Type", ""), kept=str(policy) if policy in _KEPT else None)


def _dns_names(compiled: Compiled) -> Iterator[DnsName]:
    for template in compiled.stages.values():
        words = Words(compiled.component.name, template)
        for resource in (template.body.get("Resources") or {}).values():
            properties = resource.get("Properties") or {}
            if resource.get("Type") == "AWS::Route53::RecordSet":
                target = (properties.get("AliasTarget") or {}).get("DNSName") or properties.get("ResourceRecords")
                yield DnsName(name=words.say(properties.get("Name")), leads_to=words.say(target), stage=template.stage)


def _outputs(compiled: Compiled) -> dict[str, str]:
    """Outputs of the stage resources with what they are: as the type documents them, else as the template does."""
    template = compiled.stages.get("resources")
    documented = compiled.component.type.file.outputs
    outputs: Mapping[str, Any] = (template.body.get("Outputs") or {}) if template else {}
    return {
        name: documented.get(name) or _documented_of_key(name, documented) or str(node.get("Description", ""))
        for name, node in outputs.items()
        if name != ANCHOR
    }


def _documented_of_key(name: str, documented: Mapping[str, str]) -> str | None:
    """What `${Key}Arn` says of `HttpsListenerArn`: the longest ending that fits."""
    ends = [pattern for pattern in documented if pattern.startswith(_OF_KEY) and name.endswith(pattern.removeprefix(_OF_KEY))]
    return documented[max(ends, key=len)] if ends else None


def _more(task: str, step: Step) -> MoreAction:
    when = f"after {step.after}" if step.after else f"before {step.before}" if step.before else "at the end"
    return MoreAction(task=task, name=step.name, kind=step.kind, when=when)
