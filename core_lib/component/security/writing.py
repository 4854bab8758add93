"""Policies as resources of a template.

Sources: AWS::IAM::Policy and AWS::IAM::ManagedPolicy in the CloudFormation template reference.
"""

from __future__ import annotations

import re
from typing import Any

from core_lib.component.model import Wire
from core_lib.component.security.identities import document
from core_lib.component.security.packing import Statements
from core_lib.component.wires import wired
from core_lib.framework.codecs import sha256_hex
from core_lib.renderer import shorten_unique

_POLICY_NAME = 128
_DIGEST = 8
_LONGEST_WORDS = 80
_NOT_A_WORD = re.compile(r"[^A-Za-z0-9]+")


def inline_policy(owner: str, role: str, name: str, statements: Statements) -> tuple[str, dict[str, Any]]:
    """An inline policy of somebody's role: its logical id and the resource. `role` is the output that has the role's name."""
    properties = {
        "PolicyName": shorten_unique(name, _POLICY_NAME),
        "Roles": [wired(Wire(owner, "security", role))],
        "PolicyDocument": document(statements),
    }
    return _logical_id(owner), {"Type": "AWS::IAM::Policy", "Properties": properties}


def managed_policy(owner: str, role: str, number: int, statements: Statements) -> tuple[str, dict[str, Any]]:
    """A managed policy of somebody's role."""
    properties = {
        "Description": f"What {owner} may do with other components, part {number}",
        "Roles": [wired(Wire(owner, "security", role))],
        "PolicyDocument": document(statements),
    }
    return f"{_logical_id(owner)}N{number}", {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}


def _logical_id(owner: str) -> str:
    words = "".join(word[:1].upper() + word[1:] for word in _NOT_A_WORD.split(owner) if word)[:_LONGEST_WORDS]
    return f"Allow{words}{sha256_hex(owner)[:_DIGEST]}"
