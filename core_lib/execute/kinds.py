"""The catalogue of action kinds: every class in `actions/`, plus those other packages offer as `core.actions` entry points."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType, ModuleType
from typing import Any

from core_lib.execute.action import Action
from core_lib.framework.errors import UnknownKindError

ENTRY_POINT_GROUP = "core.actions"
Kinds = Mapping[str, type[Action[Any]]]


@cache
def catalogue() -> Kinds:
    """All kinds by their canonical name, sorted. Raises UnknownKindError when two classes claim one kind."""
    kinds: dict[str, type[Action[Any]]] = {}
    for found in (*_own_kinds(), *_offered_kinds()):
        if kinds.setdefault(found.kind, found) is not found:
            raise UnknownKindError(f"{found.kind} is claimed by {kinds[found.kind].__module__} and {found.__module__}")
    return MappingProxyType(dict(sorted(kinds.items())))


def canonical_kind(text: str) -> str:
    """`AWS::CreateStack` from any accepted spelling: `aws.create_stack`, `create-stack`, `CreateStack`, ...

    Raises UnknownKindError with the nearest kinds.
    """
    kinds = catalogue()
    if text in kinds:
        return text
    spelling = _spelling(text)
    matches = sorted({kind for kind, found in kinds.items() if spelling in _spellings(found)})
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UnknownKindError(f"{text!r} may mean {' or '.join(matches)}", hint="write the full kind")
    plain = {_spelling(kind): kind for kind in kinds} | {_spelling(kind.rpartition("::")[2]): kind for kind in kinds}
    near = list(dict.fromkeys(plain[match] for match in get_close_matches(spelling, plain, n=3, cutoff=0.6)))
    raise UnknownKindError(
        f"no action kind is called {text!r}",
        hint=f"did you mean {' or '.join(near)}?" if near else f"known kinds: {', '.join(kinds)}",
    )


def find_kind(text: str) -> type[Action[Any]]:
    """The class of a kind in any accepted spelling. Raises UnknownKindError."""
    return catalogue()[canonical_kind(text)]


def _spelling(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _spellings(found: type[Action[Any]]) -> set[str]:
    names = (found.kind, *found.aliases)
    return {_spelling(text) for name in names for text in (name, name.partition("::")[2] or name)}


def _own_kinds() -> Iterator[type[Action[Any]]]:
    package = importlib.import_module("core_lib.execute.actions")
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        yield from _kinds_in(importlib.import_module(info.name))


def _kinds_in(module: ModuleType) -> Iterator[type[Action[Any]]]:
    for item in vars(module).values():
        own = inspect.isclass(item) and item.__module__ == module.__name__
        if own and issubclass(item, Action) and not inspect.isabstract(item):
            yield item


def _offered_kinds() -> Iterator[type[Action[Any]]]:
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        offered = entry.load()
        if not (inspect.isclass(offered) and issubclass(offered, Action)):
            raise UnknownKindError(f"the entry point {entry.name!r} ({entry.value}) is not an action kind")
        yield offered
