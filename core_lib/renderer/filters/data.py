"""Filters over lists and maps."""

from __future__ import annotations

from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.visitor import TreeInterpreter

from core_lib.framework.codecs import dump_yaml, to_json
from core_lib.framework.errors import RenderError
from core_lib.renderer import bounds
from core_lib.renderer.plain import as_plain
from core_lib.renderer.session import current

_DEEPEST_INDENT = 16
_LONGEST_QUERY = 1_000
_MAKING = frozenset(
    ("flatten", "function_expression", "filter_projection", "literal", "multi_select_dict", "multi_select_list", "projection",
     "value_projection")
)  # fmt: skip
"""Nodes of a query that make new lists, maps or texts; all others only find what is there."""


class _Bounded(TreeInterpreter):  # type: ignore[misc]  # jmespath comes without types
    """Evaluates a query step by step: each step counts, and what it makes is measured before the next one can double it."""

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        current().step()
        found = super().visit(node, *args, **kwargs)
        if node["type"] in _MAKING:
            bounds.size(found)
            if isinstance(found, str):
                bounds.check_length(len(found))
        return found


def ensure_list(value: Any) -> list[Any]:
    """A list stays as it is, null becomes an empty list, everything else a list of one."""
    if value is None:
        return []
    plain = as_plain(value)
    return plain if isinstance(plain, list) else [plain]


def extract(value: Any, query: Any) -> Any:
    """What a JMESPath query finds: `Subnets | extract("[?Public].Id")`. Source: https://jmespath.org/specification.html"""
    if not isinstance(query, str) or len(query) > _LONGEST_QUERY:
        raise RenderError(f"a JMESPath query is a text of at most {_LONGEST_QUERY} characters")
    try:
        return _Bounded().visit(jmespath.compile(query).parsed, as_plain(value))
    except JMESPathError as error:
        raise RenderError(f"JMESPath query {query[:80]!r}: {str(error).splitlines()[0]}") from error


def min_int(value: Any, *others: Any) -> int:
    """The smallest of whole numbers, given as a list or one by one; texts of digits count as numbers."""
    numbers = [*ensure_list(value), *others]
    if not numbers:
        raise RenderError("min_int needs at least one number")
    try:
        return min(int(number) for number in numbers)
    except (TypeError, ValueError) as error:
        raise RenderError(f"min_int takes whole numbers: {error}") from error


def json_text(value: Any, indent: int | None = None) -> str:
    """JSON, in one line or indented by `indent` spaces; key order is kept."""
    _check_indent(indent)
    bounds.check_length(bounds.text_length(value))
    return to_json(as_plain(value), indent=indent, sort_keys=False)


def yaml_text(value: Any, indent: int = 0) -> str:
    """YAML in block style; every line but the first is moved to the right by `indent` spaces."""
    _check_indent(indent)
    bounds.check_length(bounds.text_length(value))
    text = dump_yaml(as_plain(value)).removesuffix("\n")
    return text.replace("\n", "\n" + " " * (indent or 0))


def _check_indent(indent: Any) -> None:
    if indent is not None and (not isinstance(indent, int) or not 0 <= indent <= _DEEPEST_INDENT):
        raise RenderError(f"the indent is a number from 0 to {_DEEPEST_INDENT}")
