"""Sources: who a grant is for. A source is written as a component, a PRN, an alias of the facts, an address range, a prefix list
or a security group; an alias may stand for several."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core_lib.component.definitions import Keys, kind_of, shown
from core_lib.component.model import Component
from core_lib.component.owners import Address, address_in, address_of
from core_lib.framework.codecs import nearest
from core_lib.framework.errors import CompileError, PrnError, ReferenceFault

_KEYS = Keys(("Component", "Portfolio", "App", "Branch"))
_RANGE = re.compile(r"[0-9a-fA-F.:]+(?:/\d{1,3})?\Z")
_PREFIX_LIST, _GROUP, _PRN = "pl-", "sg-", "prn:"
_EVERYONE = frozenset({"0.0.0.0/0", "::/0"})
_MOST_LISTED = 10


@dataclass(frozen=True, slots=True)
class Source:
    """One source: a component, or else addresses, for which `ingress` is the property of a rule that names them.

    `owner` is how a wire tells the component; `component` is None when it is another app's.
    """

    shown: str
    owner: str | None = None
    component: Component | None = None
    ingress: str = ""
    value: Any = None
    note: str | None = None

    @property
    def is_everyone(self) -> bool:
        """Whether it is the whole internet."""
        return self.value in _EVERYONE if isinstance(self.value, str) else False


class Sources:
    """Reads sources as they are written."""

    def __init__(self, components: Mapping[str, Component], facts: Mapping[str, Any]) -> None:
        self._components = components
        self._facts = facts
        self._aliases: Mapping[str, Any] = facts.get("SecurityAliases") or {}
        self._groups: Mapping[str, Any] = facts.get("SecurityGroupAliases") or {}

    def of(self, written: Any) -> list[Source]:
        """What a source stands for.

        Raises:
            ReferenceFault: nothing is called so; names the nearest.
            CompileError: an address range or an alias that cannot be used.
        """
        if isinstance(written, Mapping):
            return [self._component(self._address(written))]
        text = str(written).strip()
        if text in self._components:
            return [self._component(address_of(self._facts, text, {}))]
        if text in self._aliases:
            return [self._aliased(text, item) for item in self._items(text)]
        if text in self._groups:
            return [self._group(text, str(self._groups[text]))]
        return [self._literal(text)]

    def _literal(self, text: str) -> Source:
        if text.startswith(_PRN):
            try:
                return self._component(address_in(self._facts, text))
            except PrnError as error:
                raise CompileError(error.message, hint=error.hint) from error
        if text.startswith(_PREFIX_LIST):
            return Source(text, ingress="SourcePrefixListId", value=text)
        if text.startswith(_GROUP):
            return Source(text, ingress="SourceSecurityGroupId", value=text)
        if _RANGE.match(text) and ("." in text or ":" in text):
            return _range(text)
        known = [*self._components, *self._aliases, *self._groups]
        near = nearest(text, known)
        listed = ", ".join(sorted(self._aliases)[:_MOST_LISTED])
        hint = (
            f"did you mean {near}?"
            if near
            else f"a component, an alias ({listed or 'there are none'}), 10.0.0.0/8, pl-..., sg-..."
        )
        raise ReferenceFault(f"there is no component or security alias {shown(text)}", hint=hint)

    def _address(self, written: Mapping[str, Any]) -> Address:
        found, faults = _KEYS.sorted_out(written)
        if faults or "Component" not in found:
            message = faults[0][1] if faults else "Component is missing"
            raise CompileError(f"a Source that is a map names a component: {message}", hint="{App: billing, Component: api}")
        values = {name: value for name, (_, value) in found.items()}
        if not all(isinstance(value, (str, int)) for value in values.values()):
            raise CompileError("a Source that is a map holds names", hint="{App: billing, Component: api}")
        try:
            return address_of(self._facts, str(values["Component"]), values)
        except PrnError as error:
            raise CompileError(error.message, hint=error.hint) from error

    def _component(self, address: Address) -> Source:
        if not address.is_here:
            return Source(address.owner, owner=address.owner)
        found = self._components.get(address.component)
        if found is None:
            near = nearest(address.component, self._components)
            raise ReferenceFault(
                f"there is no component {shown(address.component)} in this package",
                hint=f"did you mean {near}?" if near else None,
            )
        return Source(address.component, owner=address.component, component=found)

    def _items(self, alias: str) -> Iterator[Mapping[str, Any]]:
        items = self._aliases[alias]
        for item in items if isinstance(items, (list, tuple)) else [items]:
            if not isinstance(item, Mapping):
                raise CompileError(f"the fact SecurityAliases.{alias} holds {kind_of(item)}, where {{Type, Value}} is needed")
            yield item

    def _aliased(self, alias: str, item: Mapping[str, Any]) -> Source:
        """One item of an alias of the facts."""
        kind, value = str(item.get("Type", "")), str(item.get("Value", "")).strip()
        try:
            if kind == "cidr":
                found = _range(value)
            elif kind == "prefix" and value.startswith(_PREFIX_LIST):
                found = self._literal(value)
            elif kind == "sg-attachment":
                found = self._group(value, str(self._groups.get(value, value)))
            elif kind == "component":
                prn = value.startswith(_PRN)
                found = self._literal(value) if prn else self._component(address_of(self._facts, value, {}))
            else:
                raise CompileError(f"{kind or 'nothing'} {shown(value)}", hint="Type: cidr, prefix, sg-attachment or component")
        except (CompileError, PrnError) as error:
            raise CompileError(f"the fact SecurityAliases.{alias} cannot be used: {error.message}", hint=error.hint) from error
        note = str(item.get("Description") or "") or None
        return replace(found, shown=alias if found.shown == alias else f"{found.shown} ({alias})", note=note)

    def _group(self, name: str, value: str) -> Source:
        """A security group by its id, or by the export that has it."""
        if value.startswith(_GROUP):
            return Source(name, ingress="SourceSecurityGroupId", value=value)
        if ":" in value:
            return Source(name, ingress="SourceSecurityGroupId", value={"Fn::ImportValue": value})
        raise CompileError(
            f"{shown(value)} is no security group",
            hint="SecurityGroupAliases: {name: sg-...}, or the name of an export (with a ':')",
        )


def _range(text: str) -> Source:
    """An address range; a single address is a range of one."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise CompileError(f"{shown(text)} is no address range: {error}", hint="e.g. 10.0.0.0/8 or 2001:db8::/32") from error
    if "/" in text and network.network_address != ipaddress.ip_address(text.partition("/")[0]):
        raise CompileError(f"{shown(text)} is an address within a range, not a range", hint=f"did you mean {network}?")
    return Source(str(network), ingress="CidrIp" if network.version == 4 else "CidrIpv6", value=str(network))
