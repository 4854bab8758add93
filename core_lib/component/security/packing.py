"""Packing: how much of what it is allowed to fits into a role.

Sizes count without white space. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core_lib.component.security.identities import document
from core_lib.component.wires import wire_of
from core_lib.framework.codecs import canonical_json
from core_lib.framework.errors import CompileError

INLINE_OF_A_ROLE = 10_240
MANAGED_POLICY = 6_144
POLICIES_OF_A_ROLE = 10
BUILDS_AT_ONCE = 2
"""Builds that share a role at a time: the released one and the next."""
_MARGIN = 240
_AROUND_A_NAME = 80
"""Characters that an ARN has beside the name in it; `arn:aws-us-gov:secretsmanager:REGION:ACCOUNT:secret:` and a suffix: 73."""

Statements = Sequence[Mapping[str, Any]]


def size_of(statements: Statements, name_length: int) -> int:
    """Characters of a policy with these statements, at most; the names in the ARNs of outputs have `name_length` characters."""
    return len(canonical_json(document([_measured(each, name_length + _AROUND_A_NAME) for each in statements])))


def _measured(value: Any, output: int) -> Any:
    """The value with text as long as an output's in the place of every wire."""
    if wire_of(value) is not None:
        return "x" * output
    if isinstance(value, Mapping):
        if len(value) == 1 and "Fn::Sub" in value:
            text = value["Fn::Sub"]
            return str(text) if isinstance(text, str) else f"{text[0]}{'x' * (output * len(text[1]))}"
        return {key: _measured(item, output) for key, item in value.items()}
    return [_measured(item, output) for item in value] if isinstance(value, list) else value


@dataclass
class Room:
    """What is left in a role for the rules of one build: characters of inline policies, and managed policies."""

    inline: int
    managed: int

    @classmethod
    def beside(cls, own: Statements, managed: int) -> Room:
        """The room that a role has beside its own statements and managed policies."""
        taken = _MARGIN + (size_of(own, 0) if own else 0)
        return cls(max(0, INLINE_OF_A_ROLE - taken) // BUILDS_AT_ONCE, max(0, POLICIES_OF_A_ROLE - managed) // BUILDS_AT_ONCE)

    def takes(self, statements: Statements, name_length: int) -> bool:
        """Whether an inline policy with these statements fits; if so it is taken."""
        size = size_of(statements, name_length)
        if size > self.inline:
            return False
        self.inline -= size
        return True

    def cut(self, statements: Statements, name_length: int) -> list[list[Mapping[str, Any]]]:
        """The statements, in their order, in as few managed policies as they need.

        Raises:
            CompileError: they are more than the role may have, or one is longer than a policy.
        """
        policies: list[list[Mapping[str, Any]]] = [[]]
        for statement in statements:
            if size_of([statement], name_length) > MANAGED_POLICY:
                raise CompileError(
                    f"the statement {statement.get('Sid')} is longer than the {MANAGED_POLICY} characters of a policy"
                )
            if size_of([*policies[-1], statement], name_length) > MANAGED_POLICY:
                policies.append([])
            policies[-1].append(statement)
        if len(policies) > self.managed:
            raise CompileError(
                f"its role has no room for all that it is allowed to: that takes {len(policies)} managed policies",
                hint=f"there is room for {self.managed}: a role takes {POLICIES_OF_A_ROLE}, which {BUILDS_AT_ONCE} builds share; "
                "split the component",
            )
        return policies
