"""Layered parameters: everywhere < organizational unit < account < account and region; the most specific layer wins.

    Parameters:
      Common:              {RetentionDays: 30}
      OrganizationalUnits: {/workloads/prod: {RetentionDays: 365}}     # a deeper unit wins over the units above it
      Accounts:            {audit: {RetentionDays: 3650}}              # ids or names
      AccountRegions:      {audit/eu-west-1: {RetentionDays: 90}}

The same map may stand on the file and on an action. Within one level the action's own layer wins over the file's, and what
stands in the action's `Spec.Parameters` is its own most common layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core_lib.deployspec.directory import EVERYONE, Directory, unit_ancestors, unit_path
from core_lib.deployspec.places import located
from core_lib.deployspec.regions import check_regions
from core_lib.deployspec.spec_file import Path, Section
from core_lib.framework.codecs import nearest
from core_lib.framework.errors import SchemaError, TargetError
from core_lib.framework.models import Account

_COMMON, _UNIT, _ACCOUNT, _PAIR = range(4)
_KEYS = {
    "common": "Common",
    "organizationalunits": "OrganizationalUnits",
    "accounts": "Accounts",
    "accountregions": "AccountRegions",
}

Rank = tuple[int, int]


@dataclass(frozen=True)
class Layer:
    """One layer: its rank (kind, depth), its name for people, its values and where they are written."""

    rank: Rank
    name: str
    values: Mapping[str, Any]
    section: Section

    def locate(self, name: str, path: Path = ()) -> str:
        """`file:line:column` of a parameter of this layer."""
        return self.section.locate((name, *path))


@dataclass(frozen=True)
class Layers:
    """All layers of one `Parameters` section, found by unit path, account id and `account/region`."""

    common: Layer | None
    units: Mapping[str, Layer]
    accounts: Mapping[str, Layer]
    pairs: Mapping[str, Layer]

    def of(self, account: Account, region: str) -> tuple[Layer, ...]:
        """The layers that apply to a target, weakest first."""
        return tuple(self._of(account, region))

    def _of(self, account: Account, region: str) -> Iterator[Layer]:
        if self.common:
            yield self.common
        if self.units:
            for path in unit_ancestors(account.organizational_unit):
                if layer := self.units.get(path):
                    yield layer
        if layer := self.accounts.get(account.id):
            yield layer
        if layer := self.pairs.get(f"{account.id}/{region}"):
            yield layer

    def all(self) -> Iterator[Layer]:
        """Every layer."""
        if self.common:
            yield self.common
        yield from (*self.units.values(), *self.accounts.values(), *self.pairs.values())


NO_LAYERS = Layers(None, {}, {}, {})


def read_layers(section: Section | None, owner: str, directory: Directory) -> Layers:
    """The layers of a `Parameters` section. `owner` ("file" or an action's name) is part of the layers' names.

    Raises:
        SchemaError: not in layers, or an unknown layer. TargetError: an unknown unit, account or region.
    """
    if section is None:
        return NO_LAYERS
    data = _map(section.data, section)
    known: dict[str, Section] = {}
    for key, value in data.items():
        name = _KEYS.get(key.replace("_", "").lower())
        if name is None:
            near = nearest(str(key), _KEYS.values())
            hint = (
                f"did you mean {near}?"
                if near
                else f"the layers are {', '.join(_KEYS.values())}; what holds everywhere is Common"
            )
            raise SchemaError(f"unknown layer {key!r} of parameters", where=section.locate((key,)), hint=hint)
        if value is not None:
            known[name] = Section(value, (*section.path, key), section.document)
    common = known.get("Common")
    return Layers(
        Layer((_COMMON, 0), f"{owner}: Common", _map(common.data, common), common) if common else None,
        dict(_units(known.get("OrganizationalUnits"), owner, directory)),
        dict(_accounts(known.get("Accounts"), owner, directory)),
        dict(_pairs(known.get("AccountRegions"), owner, directory)),
    )


def _map(data: Any, section: Section, path: Path = ()) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise SchemaError("a map is expected here", where=section.locate(path))
    return data


def _children(section: Section | None) -> Iterator[tuple[str, Section]]:
    if section is not None:
        for key, value in _map(section.data, section).items():
            child = Section(value if value is not None else {}, (*section.path, key), section.document)
            _map(child.data, child)
            yield str(key), child


def _units(section: Section | None, owner: str, directory: Directory) -> Iterator[tuple[str, Layer]]:
    seen: dict[str, str] = {}
    for key, child in _children(section):
        path = unit_path(key)
        _once(seen, path, key, child)
        with located(child.locate):
            directory.unit_members(path)
        depth = len(unit_ancestors(path))
        yield path, Layer((_UNIT, depth), f"{owner}: unit {path}", child.data, child)


def _accounts(section: Section | None, owner: str, directory: Directory) -> Iterator[tuple[str, Layer]]:
    seen: dict[str, str] = {}
    for key, child in _children(section):
        with located(child.locate):
            account = _one_account(key, directory)
        _once(seen, account, key, child)
        yield account, Layer((_ACCOUNT, 0), f"{owner}: account {key}", child.data, child)


def _pairs(section: Section | None, owner: str, directory: Directory) -> Iterator[tuple[str, Layer]]:
    seen: dict[str, str] = {}
    for key, child in _children(section):
        name, slash, region = key.rpartition("/")
        if not slash or not name:
            raise SchemaError(f"{key!r} is not an account and region", where=child.locate(), hint="write audit/eu-west-1")
        with located(child.locate):
            pair = f"{_one_account(name, directory)}/{region}"
            check_regions([region], directory.regions)
        _once(seen, pair, key, child)
        yield pair, Layer((_PAIR, 0), f"{owner}: account {name} in {region}", child.data, child)


def _one_account(name: str, directory: Directory) -> str:
    if name == EVERYONE:
        raise TargetError("'*' is not an account", hint="what holds everywhere is the layer Common")
    return next(iter(directory.account_ids(name)))


def _once(seen: dict[str, str], identity: str, key: str, section: Section) -> None:
    if identity in seen:
        raise SchemaError(f"{key!r} and {seen[identity]!r} are the same layer", where=section.locate(), hint="join them into one")
    seen[identity] = key


def stack_up(file_layers: tuple[Layer, ...], own: Layer | None, action_layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """All layers of a target, weakest first: by rank, then file before action before the action's `Spec.Parameters`."""
    ranked = [(layer.rank, order, layer) for order, group in enumerate((file_layers, action_layers)) for layer in group]
    if own is not None:
        ranked.append((own.rank, 2, own))
    ranked.sort(key=lambda item: item[:2])
    return tuple(layer for _, _, layer in ranked)


def own_layer(values: Mapping[str, Any], owner: str, section: Section) -> Layer:
    """The layer made of an action's `Spec.Parameters`."""
    return Layer((_COMMON, 0), f"{owner}: Spec.Parameters", values, section)
