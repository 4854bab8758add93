"""Grants: the items of a `Pipeline::Security`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core_lib.component.definitions.faults import Place
from core_lib.component.definitions.keys import Keys, kind_of
from core_lib.component.library import EntryRule
from core_lib.component.model import Grant
from core_lib.framework.codecs import Path

KEYS = Keys(("Source", "Allow"))
_NAME = "Pipeline::Security"


def read_grants(key: str, rule: EntryRule, written: tuple[str, Any], path: Path, place: Place) -> Iterator[Grant]:
    """Every source of every item of the entry `key` as a grant of its own, in the order they are written."""
    spelled, content = written
    if content is None or content == []:
        return
    if not rule.security:
        place.fault((*path, spelled), f"{key} has nothing that others could be allowed to: {_NAME} is not taken here")
        return
    for index, item in enumerate(content if isinstance(content, list) else [content]):
        below = (*path, spelled, index) if isinstance(content, list) else (*path, spelled)
        yield from _grants(key, item, below, place)


def _grants(key: str, item: Any, path: Path, place: Place) -> Iterator[Grant]:
    if not isinstance(item, dict):
        place.fault(path, f"{key}: {_NAME} holds maps with Source and Allow, not {kind_of(item)}")
        return
    parts, unknown = KEYS.sorted_out(item)
    for name, message in unknown:
        place.fault((*path, name), f"{key}: {_NAME}: {message}")
    missing = [name for name in KEYS.names if name not in parts]
    if missing and unknown:
        return
    if missing:
        place.fault(path, f"{key}: {_NAME}: {' and '.join(missing)} is missing")
        return
    spelled, sources = parts["Source"]
    allow_key, allowed = parts["Allow"]
    rules = allowed if isinstance(allowed, list) else [allowed]
    if not rules or not all(isinstance(one, str) for one in rules):
        place.fault((*path, allow_key), f"{key}: {_NAME}: Allow must be text such as TCP:443 or read, or a list of such texts")
        return
    for index, source in enumerate(sources if isinstance(sources, list) else [sources]):
        below = (*path, spelled, index) if isinstance(sources, list) else (*path, spelled)
        if source is None or isinstance(source, (list, bool)):
            place.fault(below, f"{key}: {_NAME}: a Source is a component, an alias or an address range, not {kind_of(source)}")
            continue
        yield Grant(source, tuple(rules), below)
