"""Bindings: the compile-time values that run-time texts need, and nothing beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core_lib.renderer.plain import as_plain
from core_lib.renderer.references import Use
from core_lib.renderer.undefined import UnknownNameError

_MAP_METHODS = frozenset(("get", "items", "keys", "values"))


def bind(uses: tuple[Use, ...], context: Mapping[str, Any], into: dict[str, Any]) -> None:
    """Add to `into` what the names in `uses` stand for; of a map only the keys that are named.

    Raises:
        UnknownNameError: a name is not there, and nothing (`default`, `is defined`) says that it may be missing.
    """
    guarded = {use.path for use in uses if use.guarded}
    for use in uses:
        may_miss = any(use.path[: len(path)] == path for path in guarded)
        _bind_path(use.path, context, into, may_miss)


def _bind_path(path: tuple[str | int, ...], source: Mapping[str, Any], into: dict[str, Any], may_miss: bool) -> None:
    for position, step in enumerate(path):
        key = str(step)
        if key not in source:
            if not may_miss:
                raise UnknownNameError(key, source if position else None, f"{key!r} is unknown")
            return
        value = source[key]
        rest = path[position + 1 :]
        whole = not rest or not isinstance(value, Mapping) or not isinstance(rest[0], str)
        if whole or (rest[0] in _MAP_METHODS and rest[0] not in value):
            into[key] = as_plain(value)
            return
        inner = into.get(key)
        if not isinstance(inner, dict):
            into[key] = inner = {}
        source, into = value, inner
