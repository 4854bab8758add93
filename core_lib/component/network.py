"""The network of a zone: which VPC and which subnets its facts name, as CloudFormation values.

    VpcAliases     {alias: NAME}      the export {ResourceNamespace}:{NAME}:VpcId        NAME may be vpc-... itself
    SubnetAliases  {zone: NAME}       the exports {ResourceNamespace}:{NAME}{n}Id, n from 1 to AzCount (3 when it is not known)
                   {zone: [subnet-..., ...]}

In both a component may stand: {Component, OutputName, Scope, Portfolio, App, Branch}; `{n}` in its OutputName is the number of
the subnet. The default VPC is that of the fact VpcAlias, else of the alias `default` or `main`, else of the first by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core_lib.component.model import Wire
from core_lib.component.owners import address_of, released
from core_lib.component.wires import wired
from core_lib.framework.errors import CompileError

USUAL_ALIASES = ("default", "main")
_USUAL_ZONES = 3
_NUMBER = "{n}"

Network = tuple[Any, dict[str, list[Any]]]


def network_of(facts: Mapping[str, Any]) -> Network:
    """The VPC (None when none is known) and the subnets of each zone, as CloudFormation values.

    What would need the fact ResourceNamespace is left out where that is missing.

    Raises:
        CompileError: a fact has a shape that stands for nothing.
    """
    alias = vpc_alias(facts)
    vpc = None if alias is None else _vpc(facts, alias)
    zones = {str(zone): _subnets(facts, str(zone), value) for zone, value in _map(facts, "SubnetAliases").items()}
    return vpc, {zone: found for zone, found in sorted(zones.items()) if found}


def vpc_alias(facts: Mapping[str, Any]) -> str | None:
    """The alias of the default VPC; None when there is no VPC.

    Raises:
        CompileError: the fact VpcAlias names none.
    """
    aliases = _map(facts, "VpcAliases")
    wanted = facts.get("VpcAlias")
    if wanted is not None:
        if wanted not in aliases:
            raise _fault("VpcAlias", f"{wanted!r} is not in VpcAliases", f"known: {', '.join(sorted(aliases)) or 'none'}")
        return str(wanted)
    return next((alias for alias in USUAL_ALIASES if alias in aliases), min(aliases, default=None))


def az_count(facts: Mapping[str, Any]) -> int:
    """How many availability zones the network has."""
    count = facts.get("AzCount")
    return int(count) if count is not None else _USUAL_ZONES


def _vpc(facts: Mapping[str, Any], alias: str) -> Any:
    value = _map(facts, "VpcAliases")[alias]
    if isinstance(value, str):
        return value if value.startswith("vpc-") else _export(facts, f"{value}:VpcId")
    if isinstance(value, Mapping):
        return _output(facts, value, "VpcAliases", alias)
    raise _fault(f"VpcAliases.{alias}", "an alias is a name, a vpc-... id or a component", None)


def _subnets(facts: Mapping[str, Any], zone: str, value: Any) -> list[Any]:
    if isinstance(value, str):
        if value.startswith("subnet-"):
            return [value]
        found = [_export(facts, f"{value}{number}Id") for number in range(1, az_count(facts) + 1)]
        return [] if None in found else found
    if isinstance(value, Mapping):
        return _outputs(facts, value, zone)
    if isinstance(value, Sequence) and value:
        return [subnet for item in value for subnet in _subnets(facts, zone, item)]
    raise _fault(f"SubnetAliases.{zone}", "a zone is a name, a list of subnet-... ids, or a component", None)


def _outputs(facts: Mapping[str, Any], value: Mapping[str, Any], zone: str) -> list[Any]:
    names = value.get("OutputNames")
    if names is None:
        name = str(value.get("OutputName", ""))
        numbers = range(1, az_count(facts) + 1) if _NUMBER in name else ("",)
        names = [name.replace(_NUMBER, str(number)) for number in numbers]
    return [_output(facts, {**value, "OutputName": name}, "SubnetAliases", zone) for name in names]


def _output(facts: Mapping[str, Any], value: Mapping[str, Any], fact: str, alias: str) -> Any:
    component, output = value.get("Component"), value.get("OutputName")
    if not component or not output:
        raise _fault(f"{fact}.{alias}", "Component and OutputName are needed", "{Component: network, OutputName: VpcId}")
    address = address_of(facts, str(component), value)
    if address.is_here and value.get("Scope", "build") == "build":
        return wired(Wire(address.owner, "resources", str(output)))
    return wired(Wire(released(facts, address), "release", str(output)))


def _export(facts: Mapping[str, Any], name: str) -> Any:
    namespace = facts.get("ResourceNamespace")
    return None if namespace is None else {"Fn::ImportValue": f"{namespace}:{name}"}


def _map(facts: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = facts.get(name) or {}
    if not isinstance(value, Mapping):
        raise _fault(name, "it is no map of aliases", None)
    return value


def _fault(fact: str, message: str, hint: str | None) -> CompileError:
    return CompileError(f"the fact {fact} cannot be used: {message}", where="facts", hint=hint or "see: core facts PRN --explain")
