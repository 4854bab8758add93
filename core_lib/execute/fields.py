"""Types of parameters that many kinds share, and the names of resources in the ARNs that permissions are narrowed to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, StringConstraints
from pydantic.alias_generators import to_pascal

from core_lib.execute.stacks.parameters import text

_EXPRESSION = "{{"
LARGEST_ANSWER = 64 * 1024
"""Bytes of an answer that may become an output: outputs lie in the ledger."""


def _as_tuple(value: Any) -> Any:
    """One text stands for a list of one."""
    return (value,) if isinstance(value, str) else value


def one_or_many(value: Any) -> Any:
    """What stands alone, a text or a map, as a list of one."""
    return (value,) if isinstance(value, (str, Mapping)) else value


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


def names_in_arn(params: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """The values of a one-or-many parameter as parts of ARNs; `*` alone while any is missing, no text, or an expression."""
    value = one_or_many(params.get(key))
    names = tuple(value) if isinstance(value, (list, tuple)) else ()
    known = all(isinstance(name, str) and name and _EXPRESSION not in name for name in names)
    return names if names and known else ("*",)


def also_called(name: str, *others: str) -> AliasChoices:
    """The wire name of a field, its Python name, and names that older deployspecs use for it."""
    return AliasChoices(to_pascal(name), name, *others)


def parsed(text: str) -> Any:
    """What a service answered: JSON as what it says, anything else as text. An answer that is too large is None."""
    if len(text.encode()) > LARGEST_ANSWER:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
