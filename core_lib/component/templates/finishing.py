"""Finishing a stage: wires become parameters, standard tags come onto every resource, anchors are exported.

What is done here is done for every template alike, so that no type can forget it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core_lib.component.library import ComponentType
from core_lib.component.model import ANCHOR, APPLICATION, StageTemplate, Wire
from core_lib.component.resources import tag_property
from core_lib.component.wires import wire_of
from core_lib.framework.errors import TemplateError

ANCHORED = frozenset({"security", "rules-base", "resources", "kms"})
"""Stages whose stacks are held in place by the builds that use them."""
_SUB_NAME = re.compile(r"\$\{([A-Za-z][A-Za-z0-9]*)\}")
_NOT_A_LETTER = re.compile(r"[^A-Za-z0-9]+")
_LONGEST_DESCRIPTION = 1024
_LONGEST_PARAMETER = 200
_STAGE_OUTPUT = "Fn::Pipeline::StageOutput"
_VALUES = "ParameterValues"


def standard_wires(owner: str, found: ComponentType) -> dict[str, Wire]:
    """The names that every template of a component may `Ref`, and what they stand for."""
    wires = {"KmsKeyArn": Wire(APPLICATION, "kms", "KeyArn")}
    security = found.file.security
    for group in security.groups:
        wires[f"{group}Id"] = Wire(owner, "security", f"{group}Id")
    for name, role in security.roles.items():
        wires[f"{name}Arn"] = Wire(owner, "security", f"{name}Arn")
        wires[f"{name}Name"] = Wire(owner, "security", f"{name}Name")
        if role.instance_profile:
            for what in ("InstanceProfileArn", "InstanceProfileName"):
                wires.setdefault(what, Wire(owner, "security", what))
    return wires


class Finisher:
    """Finishes one stage of one component. Use once."""

    def __init__(self, owner: str, stage: str, stack_name: str, standard: Mapping[str, Wire]) -> None:
        self._owner = owner
        self._stage = stage
        self._stack_name = stack_name
        self._standard = standard
        self._values: dict[str, str | Wire] = {}
        self._names: dict[Wire, str] = {}
        self._own: frozenset[str] = frozenset()

    def finish(self, body: Mapping[str, Any], *, description: str, tags: Mapping[str, str]) -> StageTemplate | None:
        """The finished template; None when there is no resource and no output in it."""
        resources = body.get("Resources") or {}
        if not resources and not body.get("Outputs"):
            return None
        parameters = dict(body.get("Parameters") or {})
        self._own = frozenset((*resources, *parameters))
        given = {name: self._value(value) for name, value in (body.get(_VALUES) or {}).items()}
        parts = {
            key: self._walk(value) for key, value in body.items() if key not in ("Parameters", "Description", _VALUES) and value
        }
        parts["Resources"] = {
            name: self._tagged(resource, tags, name) for name, resource in parts.get("Resources", {}).items()
        } or _PLACEHOLDER
        parameters |= {name: {"Type": "String"} for name in self._values}
        if self._stage in ANCHORED:
            outputs = dict(parts.get("Outputs", {}))
            outputs[ANCHOR] = _ANCHOR_OUTPUT
            parts["Outputs"] = outputs
        template: dict[str, Any] = {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": (str(body.get("Description") or description))[:_LONGEST_DESCRIPTION],
        }
        if parameters:
            template["Parameters"] = dict(sorted(parameters.items()))
        for key in ("Transform", "Metadata", "Mappings", "Conditions", "Rules", "Resources", "Outputs"):
            if key in parts:
                template[key] = parts[key]
        unknown = set(parts) - set(template)
        if unknown:
            raise TemplateError(f"unknown section {min(unknown)!r} in a template of stage {self._stage}")
        return StageTemplate(self._stage, self._stack_name, template, {**dict(sorted(self._values.items())), **given})

    def _value(self, value: Any) -> str | Wire:
        """The value of a parameter that the template itself declares."""
        wire = self._wire(value)
        if wire is not None:
            return wire
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, list):
            return ",".join(str(self._value(item)) for item in value)
        if isinstance(value, Mapping):
            raise TemplateError(f"a parameter's value cannot be {next(iter(value), 'a map')}", hint="give text or an output")
        return str(value)

    def _walk(self, node: Any) -> Any:
        if isinstance(node, dict):
            if len(node) == 1:
                key = next(iter(node))
                if key == "Ref" or key.startswith("Fn::"):
                    return self._function(key, node)
            return {key: self._walk(value) for key, value in node.items()}
        if isinstance(node, list):
            return [self._walk(item) for item in node]
        return node

    def _function(self, key: str, node: dict[str, Any]) -> Any:
        wire = self._wire(node)
        if wire is not None:
            return {"Ref": self._parameter(wire)}
        value = node[key]
        if key == "Fn::Sub":
            text = value[0] if isinstance(value, list) and value else value
            local = value[1] if isinstance(value, list) and len(value) > 1 and isinstance(value[1], Mapping) else {}
            if isinstance(text, str):
                for name in _SUB_NAME.findall(text):
                    if name in self._standard and name not in self._own and name not in local:
                        self._standard_parameter(name)
        return {key: self._walk(value)}

    def _wire(self, node: Any) -> Wire | None:
        """The wire that a node stands for, whichever way it is written."""
        found = wire_of(node)
        if found is not None or not isinstance(node, Mapping) or len(node) != 1:
            return found
        key, value = next(iter(node.items()))
        if key == _STAGE_OUTPUT and isinstance(value, str):
            stage, _, output = value.partition(".")
            return Wire(self._owner, stage, output)
        if key == "Ref" and isinstance(value, str) and value in self._standard and value not in self._own:
            return self._standard[value]
        return None

    def _standard_parameter(self, name: str) -> None:
        self._values[name] = self._standard[name]
        self._names[self._standard[name]] = name

    def _parameter(self, wire: Wire) -> str:
        name = self._names.get(wire)
        if name is None:
            name = self._names[wire] = self._new_name(wire)
            self._values[name] = wire
        return name

    def _new_name(self, wire: Wire) -> str:
        for standard, known in self._standard.items():
            if known == wire and standard not in self._own:
                return standard
        parts = [] if wire.owner == self._owner else [wire.owner.removeprefix("prn:")]
        parts += [] if wire.stage == "resources" and parts else [wire.stage]
        words = [word for part in (*parts, wire.output) for word in _NOT_A_LETTER.split(part) if word]
        base = "".join(word[:1].upper() + word[1:] for word in words)[:_LONGEST_PARAMETER]
        name, number = base, 2
        while name in self._own or name in self._values or name in self._standard:
            name, number = f"{base}{number}", number + 1
        return name

    def _tagged(self, resource: Any, tags: Mapping[str, str], name: str) -> Any:
        """The resource with the standard tags; tags that it has already win."""
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise TemplateError(f"the resource {name!r} of stage {self._stage} has no Type")
        place = tag_property(resource["Type"])
        if place is None:
            return resource
        key, style = place
        properties = resource.get("Properties") or {}
        present = properties.get(key)
        merged = _merged(present, tags, style)
        return resource if merged is None else {**resource, "Properties": {**properties, key: merged}}


def _merged(present: Any, tags: Mapping[str, str], style: str) -> Any:
    """Tags of a resource with the standard ones; None when what is there is no plain list or map."""
    if style == "map":
        if present is None or (isinstance(present, dict) and not any(key.startswith("Fn::") for key in present)):
            return {**tags, **(present or {})}
        return None
    if present is not None and not isinstance(present, list):
        return None
    own = {item.get("Key") for item in present or () if isinstance(item, dict)}
    launch = {"PropagateAtLaunch": True} if style == "list-at-launch" else {}
    kept = [{**launch, **item} if isinstance(item, dict) else item for item in present or ()]
    return [*kept, *({"Key": key, "Value": value, **launch} for key, value in tags.items() if key not in own)]


_ANCHOR_OUTPUT: Mapping[str, Any] = {
    "Description": "Held by the builds that use this stack",
    "Value": {"Ref": "AWS::StackName"},
    "Export": {"Name": {"Fn::Sub": "${AWS::StackName}:Anchor"}},
}
_PLACEHOLDER: Mapping[str, Any] = {"Nothing": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}
"""A stack needs a resource; one that is there for its outputs alone gets this one, which costs nothing."""
