"""Fn::Pipeline::SubnetId."""

from __future__ import annotations

from typing import Any, ClassVar

from core_lib.component.functions.function import Argument, Call, Function
from core_lib.component.functions.zones import subnets_of


class SubnetId(Function):
    """One subnet of a network zone."""

    name = "SubnetId"
    purpose = "One subnet of a network zone (fact `SubnetAliases`)."
    arguments = (
        Argument("NetworkZone", "The zone: `private`, `public`, ...", required=True),
        Argument("AzIndex", "Which of its subnets, from 1.", required=True),
    )
    example: ClassVar[Any] = {"NetworkZone": "private", "AzIndex": 1}

    def value(self, call: Call) -> Any:
        """The subnet as a CloudFormation value."""
        subnets = subnets_of(call, call.text("NetworkZone"))
        index = call.text("AzIndex")
        if not index.isdecimal() or not 1 <= int(index) <= len(subnets):
            raise call.fault(
                f"AzIndex must be a number from 1 to {len(subnets)}, not {index[:20]!r}",
                "AzIndex",
                hint="the zone has that many subnets, see the facts AzCount and SubnetAliases",
            )
        return subnets[int(index) - 1]
