"""Values of templates, as a person would say them: where a value comes from counts, not how CloudFormation spells it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from core_lib.component.model import APPLICATION, StageTemplate, Wire

KEY = "the application's key"
_PSEUDO = {
    "AWS::AccountId": "this account",
    "AWS::Region": "this region",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "this stack",
}
_WITHIN = {"AWS::AccountId": "<account>", "AWS::Region": "<region>"}
"""What stands for pseudo parameters in the middle of a text."""
_ROOT = re.compile(r"arn:aws[a-z-]*:iam::([^:]+):root\Z")
_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_NAMED = ("Arn", "Id", "Name")


class Words:
    """Puts the values of one template into words."""

    def __init__(self, owner: str, template: StageTemplate) -> None:
        self._owner = owner
        self._parameters = template.parameters
        self._resources: Mapping[str, Any] = template.body.get("Resources") or {}

    def say(self, value: Any) -> str:
        """A value in words; one that is known is said as it is."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, list):
            return listed(self.say(item) for item in value)
        if not isinstance(value, Mapping):
            return _ROOT.sub(_account, str(value))
        if len(value) != 1:
            return listed(f"{key} {self.say(item)}" for key, item in value.items())
        name, argument = next(iter(value.items()))
        return self._function(name, argument)

    def wire(self, value: Any) -> Wire | None:
        """The output that a value stands for."""
        found = self._parameters.get(value["Ref"]) if isinstance(value, Mapping) and isinstance(value.get("Ref"), str) else None
        return found if isinstance(found, Wire) else None

    def _function(self, name: str, argument: Any) -> str:
        if name == "Ref":
            return self._named(str(argument))
        if name == "Fn::GetAtt":
            parts = argument.split(".", 1) if isinstance(argument, str) else [str(part) for part in argument]
            return self._part(parts[0], parts[1])
        if name == "Fn::Sub":
            text, local = (argument[0], argument[1]) if isinstance(argument, list) else (argument, {})
            return _ROOT.sub(_account, _VARIABLE.sub(lambda match: self._variable(match[1], local), str(text)))
        if name == "Fn::Join" and isinstance(argument, list) and isinstance(argument[1], list):
            return str(argument[0]).join(self.say(item) for item in argument[1])
        if name == "Fn::ImportValue":
            return f"what {self.say(argument)} exports"
        if name == "Fn::If":
            return f"{self.say(argument[1])} or {self.say(argument[2])}"
        return f"{name.removeprefix('Fn::')} {self.say(argument)}"

    def _variable(self, text: str, local: Mapping[str, Any]) -> str:
        if text in local:
            return self.say(local[text])
        if text.startswith("!"):
            return f"${{{text[1:]}}}"
        if text in _WITHIN:
            return _WITHIN[text]
        resource, dot, attribute = text.partition(".")
        return self._part(resource, attribute) if dot else self._named(resource)

    def _named(self, name: str) -> str:
        if name in self._resources:
            return name
        value = self._parameters.get(name)
        if isinstance(value, Wire):
            return self._wire(value)
        return value if value is not None else _PSEUDO.get(name, name)

    def _part(self, resource: str, attribute: str) -> str:
        return resource if attribute.endswith(_NAMED) else f"{attribute} of {resource}"

    def _wire(self, wire: Wire) -> str:
        if (wire.owner, wire.output) == (APPLICATION, "KeyArn"):
            return KEY
        ends = _NAMED if wire.stage == "security" else ("Arn",)
        part = wire.output.removesuffix(next((end for end in ends if wire.output.endswith(end) and wire.output != end), ""))
        return part if wire.owner == self._owner else f"{part} of {wire.owner}"


def _account(match: re.Match[str]) -> str:
    """An account as a principal: whoever its IAM allows it."""
    return "IAM of this account" if match[1] == "<account>" else f"IAM of account {match[1]}"


def listed(items: Iterable[str]) -> str:
    """`a, b and c`."""
    words = list(items)
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part) if words else "nothing"
