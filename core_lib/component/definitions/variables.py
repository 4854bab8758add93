"""Variables: the sections of the vars files that fit the branch, merged.

    _defaults:                  also _default, defaults, default
      Size: small
    main:                       the branch of this name
      Size: large
    release-*:                  branches that begin so
      Size: large
    hotfixes:
      match: (hot)?fix/.+       branches that this regular expression fits from their beginning on
      Size: medium

All sections that fit are merged in the order they are written, files in path order: maps merge, lists join, all else replaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import regex

from core_lib.component.definitions.keys import kind_of, shown
from core_lib.component.definitions.sources import Source
from core_lib.framework.errors import SchemaError

DEFAULTS = frozenset(("_defaults", "_default", "defaults", "default"))
MATCH = "match"
_SECONDS = 0.5
_LONGEST_PATTERN = 500


def merged_variables(sources: Iterable[Source], branch: str | None) -> dict[str, Any]:
    """The vars of a branch; without a branch, the defaults.

    Raises:
        SchemaError: a file or section that is no map, or a regular expression that cannot be used.
    """
    merged: dict[str, Any] = {}
    for source in sources:
        if source.data is None:
            continue
        if not isinstance(source.data, Mapping):
            raise SchemaError(f"vars are a map of sections, not {kind_of(source.data)}", where=source.locate(()))
        for name, values in source.data.items():
            _take(name, values, source, branch, merged)
    return merged


def _take(name: str, values: Any, source: Source, branch: str | None, merged: dict[str, Any]) -> None:
    if values is None:
        return
    if not isinstance(values, Mapping):
        hint = "put it into a section, e.g. _defaults" if not isinstance(values, list) else None
        raise SchemaError(f"the section {shown(name)} is a map, not {kind_of(values)}", where=source.locate((name,)), hint=hint)
    if name in DEFAULTS:
        join(merged, values)
    elif branch is not None and _fits(name, values, branch, source):
        join(merged, {key: value for key, value in values.items() if key != MATCH})


def _fits(name: str, values: Mapping[str, Any], branch: str, source: Source) -> bool:
    if MATCH in values:
        return _matches(values[MATCH], branch, source.locate((name, MATCH)))
    if name.endswith("*"):
        return branch.startswith(name[:-1])
    return name == branch


def _matches(pattern: Any, branch: str, where: str) -> bool:
    if not isinstance(pattern, str) or len(pattern) > _LONGEST_PATTERN:
        raise SchemaError(f"a 'match' is a regular expression of at most {_LONGEST_PATTERN} characters", where=where)
    try:
        return regex.match(pattern, branch, timeout=_SECONDS) is not None
    except regex.error as error:
        raise SchemaError(f"{shown(pattern)} is not a regular expression: {error}", where=where) from error
    except TimeoutError:
        raise SchemaError(
            f"the regular expression {shown(pattern)} takes longer than {_SECONDS:g} seconds",
            where=where,
            hint="repetitions inside repetitions, like (a+)+, are the usual reason",
        ) from None


def join(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Deep merge `more` into `into`: maps merge, lists join, all else replaces. `more` is not changed and may be shared."""
    for key, value in more.items():
        known = into.get(key)
        if isinstance(known, dict) and isinstance(value, Mapping):
            merged = dict(known)
            join(merged, value)
            into[key] = merged
        elif isinstance(known, list) and isinstance(value, list):
            into[key] = [*known, *value]
        else:
            into[key] = value
