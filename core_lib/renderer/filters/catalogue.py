"""The list of all filters."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from jinja2.filters import FILTERS as JINJA_FILTERS

from core_lib.renderer.filters import bounded, data, facts, network, text
from core_lib.renderer.session import current
from core_lib.renderer.transform import COUNTED, JOINED, LITERAL, MEASURED, counted, joined, literal, measured

_TAKEN_OVER = (
    "abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "groupby", "int", "items", "last", "length",
    "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr", "sort", "title", "trim",
    "truncate", "unique", "upper", "wordcount",
)  # fmt: skip

_OWN: dict[str, Callable[..., Any]] = {
    "aws_tags": facts.aws_tags,
    "tags": facts.tags,
    "lookup": facts.lookup,
    "output_name": facts.output_name,
    "read_file": facts.read_file,
    "ensure_list": data.ensure_list,
    "extract": data.extract,
    "min_int": data.min_int,
    "to_json": data.json_text,
    "tojson": data.json_text,
    "to_yaml": data.yaml_text,
    "format_date": text.format_date,
    "regex_replace": text.regex_replace,
    "rstrip": text.rstrip,
    "shorten_unique": text.shorten_unique,
    "parse_port_spec": network.parse_port_spec,
    "split_cidr": network.split_cidr,
    "batch": bounded.batch,
    "center": bounded.center,
    "format": bounded.format_percent,
    "indent": bounded.indent,
    "join": bounded.join,
    "replace": bounded.replace,
    "round": bounded.round_number,
    "string": bounded.string,
    "sum": bounded.total,
}

CONTEXT_FILTERS = frozenset(("tags", "lookup", "output_name", "read_file"))
"""Filters that read facts or files; they work at compile time only."""


def charged(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, with the text it makes charged to the render's budget."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if isinstance(result, str):
            current().made(len(result))
        return result

    return run


FILTERS: dict[str, Callable[..., Any]] = {
    **{name: charged(function) for name, function in (({name: JINJA_FILTERS[name] for name in _TAKEN_OVER}) | _OWN).items()},
    COUNTED: counted,
    JOINED: joined,
    LITERAL: literal,
    MEASURED: measured,
}
