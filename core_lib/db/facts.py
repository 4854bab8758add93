"""The merge of facts: layers of maps, later ones win, and every value knows where it came from.

Maps merge key by key. Lists and all other values replace. A list under a key with a trailing `+` is added to the end of the list
below it: `NoProxyHosts+: [a.example]`. Nothing here talks to AWS or to the clock: same layers, same facts.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core_lib.framework.errors import NotFoundError, SchemaError
from core_lib.framework.models import LEVELS, Level

EXTEND = "+"
LAYERS = ("client", "zone", "account", "region", "portfolio", "app", "deployment", "payload")
"""Names of the layers in the order of the merge."""

_IDENTITY = {
    Level.PORTFOLIO: "Portfolio", Level.APP: "App", Level.BRANCH: "Branch", Level.BUILD: "Build", Level.COMPONENT: "Component",
}  # fmt: skip


@dataclass(frozen=True)
class FactSource:
    """A value as one layer gave it."""

    layer: str
    value: Any


@dataclass(frozen=True)
class FactOrigin:
    """Where one merged value came from: `layers` that it consists of (more than one for extended lists), and what they hide."""

    key: str
    value: Any
    layers: tuple[str, ...]
    hidden: tuple[FactSource, ...] = ()


@dataclass(frozen=True)
class Facts:
    """Merged facts, and the origin of each value by its path of keys."""

    values: dict[str, Any]
    origins: dict[tuple[str, ...], FactOrigin] = field(default_factory=dict)

    def explain(self, key: str | None = None) -> list[FactOrigin]:
        """Origins of the value `key` (dotted, e.g. `Tags.Owner`) and of everything below it; of all values without a key.

        Raises:
            NotFoundError: there is no such fact.
        """
        if key is None:
            return sorted(self.origins.values(), key=lambda origin: origin.key)
        found = [origin for origin in self.origins.values() if origin.key == key or origin.key.startswith(f"{key}.")]
        if not found:
            raise NotFoundError(f"there is no fact {key}", where="facts", hint="'core facts PRN --explain' lists all facts")
        return sorted(found, key=lambda origin: origin.key)

    def tags(self, scope: Level) -> dict[str, str]:
        """Tags for a thing of this scope: the merged `Tags`, the names down to that level, and the environment."""
        tags = {str(key): str(value) for key, value in self.values.get("Tags", {}).items()}
        named = [_IDENTITY[level] for level in LEVELS[: LEVELS.index(scope) + 1]]
        for key in ("Client", *named, "Environment"):
            if self.values.get(key) is not None:
                tags[key] = str(self.values[key])
        return tags


def merge_facts(
    client: Mapping[str, Any],
    portfolio: Mapping[str, Any],
    app: Mapping[str, Any],
    zone: Mapping[str, Any],
    account: Mapping[str, Any],
    region: Mapping[str, Any],
    deployment: Mapping[str, Any],
    payload_facts: Mapping[str, Any],
) -> Facts:
    """Merge the eight layers in the order of `LAYERS`; see `merge_layers`."""
    given = (client, zone, account, region, portfolio, app, deployment, payload_facts)
    return merge_layers(list(zip(LAYERS, given, strict=True)))


def merge_layers(layers: Sequence[tuple[str, Mapping[str, Any]]]) -> Facts:
    """Merge named layers, later ones win.

    Raises:
        SchemaError: a `+` key without a list, or over something that is no list; names key and layers.
    """
    tree: dict[str, Any] = {}
    for name, values in layers:
        _merge(tree, values, name, ())
    origins = {path: _origin(path, leaf) for path, leaf in _leaves(tree, ())}
    return Facts(_values(tree), origins)


@dataclass(frozen=True)
class _Leaf:
    """A value, the layers it is made of, and the sources that these hide (latest first)."""

    value: Any
    layers: tuple[str, ...]
    hidden: tuple[FactSource, ...] = ()

    def sources(self) -> tuple[FactSource, ...]:
        return (FactSource(" + ".join(self.layers), self.value), *self.hidden)


def _merge(tree: dict[str, Any], values: Mapping[str, Any], layer: str, path: tuple[str, ...]) -> None:
    """Merge a layer into the tree, in place. Plain keys come before `+` keys, so a layer may set and extend."""
    for key, value in sorted(values.items(), key=lambda entry: _extends(entry[0])):
        if _extends(key):
            name = key.removesuffix(EXTEND)
            tree[name] = _extended(tree.get(name), value, layer, (*path, name))
        elif isinstance(value, Mapping):
            below = tree.get(key)
            if not isinstance(below, dict):
                below = tree[key] = {}
            _merge(below, value, layer, (*path, str(key)))
        else:
            below = tree.get(key)
            hidden = below.sources() if isinstance(below, _Leaf) else ()
            tree[key] = _Leaf(copy.deepcopy(value), (layer,), hidden)


def _extends(key: Any) -> bool:
    return isinstance(key, str) and len(key) > 1 and key.endswith(EXTEND)


def _extended(below: Any, value: Any, layer: str, path: tuple[str, ...]) -> _Leaf:
    where = f"{layer}: {'.'.join(path)}{EXTEND}"
    if not isinstance(value, list | tuple):
        raise SchemaError(f"a key with '{EXTEND}' adds to a list, but its value is no list", where=where)
    if below is None:
        return _Leaf(copy.deepcopy(list(value)), (layer,))
    if not isinstance(below, _Leaf) or not isinstance(below.value, list):
        owner = " + ".join(below.layers) if isinstance(below, _Leaf) else "an earlier layer"
        raise SchemaError(f"'{path[-1]}' of {owner} is no list that could be added to", where=where)
    layers = below.layers if below.layers[-1] == layer else (*below.layers, layer)
    return _Leaf(below.value + copy.deepcopy(list(value)), layers, below.hidden)


def _leaves(tree: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], _Leaf]]:
    for key, value in tree.items():
        here = (*path, str(key))
        if isinstance(value, _Leaf):
            yield here, value
        else:
            yield from _leaves(value, here)


def _values(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value.value if isinstance(value, _Leaf) else _values(value) for key, value in tree.items()}


def _origin(path: tuple[str, ...], leaf: _Leaf) -> FactOrigin:
    return FactOrigin(".".join(path), leaf.value, leaf.layers, leaf.hidden)
