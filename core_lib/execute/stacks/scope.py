"""The resources that permissions on stacks can be narrowed to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core_lib.framework.models import Target

_EVERYWHERE = frozenset({
    "cloudformation:DescribeStacks", "cloudformation:ListExports", "cloudformation:ListImports",
    "cloudformation:DescribeStackDriftDetectionStatus",
})  # fmt: skip


def stack_scope(
    permissions: Iterable[str], params: Mapping[str, Any], target: Target, partition: str, *, nested: bool = False
) -> dict[str, tuple[str, ...]]:
    """The stack's ARN for those permissions that take one. A listing of all stacks, or of exports, does not.

    `nested`: also the stacks inside it, whose names begin with its own. A name known only at run time stands for every stack.
    """
    name = str(params.get("StackName", "*"))
    name = "*" if "{{" in name else name
    stacks = f"arn:{partition}:cloudformation:{target.region}:{target.account}:stack"
    arns = (f"{stacks}/{name}/*", f"{stacks}/{name}-*/*") if nested and name != "*" else (f"{stacks}/{name}/*",)
    return {permission: arns for permission in permissions if permission not in _EVERYWHERE}
