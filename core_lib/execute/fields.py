"""Types of parameters that many kinds share, and the names of resources in the ARNs that permissions are narrowed to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints

from core_lib.execute.stacks.parameters import text

_EXPRESSION = "{{"


def _as_tuple(value: Any) -> Any:
    """One text stands for a list of one."""
    return (value,) if isinstance(value, str) else value


def _as_texts(value: Any) -> Any:
    return {key: text(item) for key, item in value.items()} if isinstance(value, dict) else value


AccountId = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
Arn = Annotated[str, StringConstraints(pattern=r"^arn:\S+$")]
AccountIds = Annotated[tuple[AccountId, ...], BeforeValidator(_as_tuple)]
Arns = Annotated[tuple[Arn, ...], BeforeValidator(_as_tuple)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
Tags = Annotated[dict[str, str], BeforeValidator(_as_texts)]


def name_in_arn(params: Mapping[str, Any], key: str) -> str:
    """The value of a parameter as a part of an ARN; `*` while it is missing, no text, or an expression."""
    value = params.get(key)
    return value if isinstance(value, str) and value and _EXPRESSION not in value else "*"
