"""A component and its templates, made by hand, for tests of the guard rails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core_lib.component.guard import Finding, Rulebook, builtin_rules, guard, rulebook
from core_lib.component.library import ComponentType
from core_lib.component.library.types import TypeFile
from core_lib.component.model import Component, Entry, StageTemplate
from core_lib.framework.codecs import dump_yaml

OPEN_GROUP = {
    "Type": "AWS::EC2::SecurityGroup",
    "Properties": {"GroupDescription": "x", "SecurityGroupIngress": [{"IpProtocol": "tcp", "CidrIp": "0.0.0.0/0"}]},
}


def component(
    metadata: Mapping[str, Any] | None = None,
    *,
    key: str = "Group",
    more: tuple[str, ...] = (),
    guard: Mapping[str, str] | None = None,
    lint: Mapping[str, str] | None = None,
) -> Component:
    """A component `shop` of a type that is about security groups; its first entry has the metadata, `more` are others."""
    rule = {"Purpose": "It.", "Resource": "AWS::EC2::SecurityGroup"}
    file = TypeFile.model_validate({
        "Type": "AWS::Thing", "Group": "network", "Purpose": "x.", "Configuration": dict.fromkeys((key, *more), rule),
        "Guard": dict(guard or {}), "Lint": dict(lint or {}),
    })  # fmt: skip
    entries = {name: Entry(name, file.configuration[name], ("Configuration", name)) for name in more}
    entries[key] = Entry(key, file.configuration[key], ("Configuration", key), metadata=metadata or {})
    kind = ComponentType(file, {}, {}, "", "types/AWS/Thing")
    return Component("shop", kind, "AWS::Thing", {}, (), False, None, entries, _place)


def _place(path: tuple[str | int, ...]) -> str:
    return f"shop.yaml:1:1 {'.'.join(map(str, path))}"


def template(resources: Mapping[str, Any], **parameters: str) -> StageTemplate:
    """A stage `resources` with these resources; parameters have the values given."""
    declared = {name: {"Type": "String"} for name in parameters}
    return StageTemplate("resources", "p-a-b-1-shop-resources", {"Resources": resources, "Parameters": declared}, parameters)


def book(*rules: Mapping[str, Any]) -> Rulebook:
    """The built-in rules with these of a package."""
    return rulebook({}, {"platform/rules/own.yaml": dump_yaml({"Rules": list(rules)}).encode()})


def own_rule(**parts: Any) -> dict[str, Any]:
    """A rule `own` about the type `AWS::X::Y`, complete but for its claim."""
    return {"Id": "own", "Message": "wrong: {value} at {path}", "Why": "Because.", "Hint": "Do it.", "For": "AWS::X::Y", **parts}


def found(rules: Rulebook, resources: Mapping[str, Any], owner: Component | str = "shop", **parameters: str) -> list[Finding]:
    """What the rules find, without the hints about good practice."""
    return guard([(owner, template(resources, **parameters))], rules)


def found_by_own(claim: Mapping[str, Any], properties: Mapping[str, Any], **parameters: str) -> list[str]:
    """The places that a rule of one's own finds in a resource with these properties."""
    findings = found(book(own_rule(**claim)), {"Y": {"Type": "AWS::X::Y", "Properties": properties}}, **parameters)
    return [finding.path for finding in findings if finding.rule == "own"]


BUILTIN = builtin_rules()
