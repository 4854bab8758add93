"""The subnets of a network zone, for functions that take a NetworkZone."""

from __future__ import annotations

from typing import Any

from core_lib.component.functions.function import Call
from core_lib.framework.errors import CompileError


def subnets_of(call: Call, zone: str) -> list[Any]:
    """The subnets of a zone as CloudFormation values.

    Raises:
        CompileError: the facts name none.
    """
    _, zones = call.environment.network
    if zone in zones:
        return zones[zone]
    if zone in (call.facts.get("SubnetAliases") or {}):
        raise call.fault(
            f"the subnets of the zone {zone} are exports {{ResourceNamespace}}:..., and the fact ResourceNamespace is not known",
            "NetworkZone",
            kind=CompileError,
            hint="set ResourceNamespace in the zone's AccountFacts, or list subnet ids in SubnetAliases",
        )
    raise call.unknown("NetworkZone", "network zone in the fact SubnetAliases", zone, zones)
