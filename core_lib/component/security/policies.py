"""Policies: what an IAM alias stands for, as statements.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from core_lib.component.library.types import Permission
from core_lib.component.model import APPLICATION, Wire
from core_lib.component.wires import wired

USUAL_ROLE = "RoleName"
"""Output of another app's component that has its main role's name."""
_KEY = "${Key}"
_OUTPUT = re.compile(r"\$\{([A-Za-z][A-Za-z0-9]*)\}")
_NOT_A_WORD = re.compile(r"[^A-Za-z0-9]+")
_KEY_ARN = Wire(APPLICATION, "kms", "KeyArn")


def outputs_in(permission: Permission, key: str) -> bool:
    """Whether a permission names outputs of the stage resources."""
    return any(_OUTPUT.search(text.replace(_KEY, key)) for text in permission.resources)


def resources_of(permission: Permission, component: str, key: str) -> list[Any]:
    """What a permission is about, as CloudFormation values: `${X}` is an output of stage resources, `${Key}` the entry."""
    return [_resource(text.replace(_KEY, key), component) for text in permission.resources]


def _resource(text: str, component: str) -> Any:
    names = list(dict.fromkeys(_OUTPUT.findall(text)))
    values = {name: wired(Wire(component, "resources", name)) for name in names}
    if len(names) == 1 and text == f"${{{names[0]}}}":
        return values[names[0]]
    if values:
        return {"Fn::Sub": [text, values]}
    return {"Fn::Sub": text} if "${AWS::" in text else text


@dataclass
class Draft:
    """What one source may do with one component, by one stage."""

    statements: dict[str, dict[str, Any]] = field(default_factory=dict)
    key_actions: set[str] = field(default_factory=set)

    def allow(self, permission: Permission, component: str, key: str, alias: str) -> None:
        """Add a permission on an entry; twice is once."""
        sid = "".join(word[:1].upper() + word[1:] for word in _NOT_A_WORD.split(f"{component}-{key}-{alias}") if word)
        self.statements[sid] = {
            "Sid": sid,
            "Effect": "Allow",
            "Action": sorted(permission.actions),
            "Resource": resources_of(permission, component, key),
        }

    def listed(self) -> list[dict[str, Any]]:
        """All statements, that for the application's key last."""
        made = [self.statements[sid] for sid in sorted(self.statements)]
        if self.key_actions:
            actions = sorted(self.key_actions)
            made.append({"Sid": "ApplicationKey", "Effect": "Allow", "Action": actions, "Resource": [wired(_KEY_ARN)]})
        return made
