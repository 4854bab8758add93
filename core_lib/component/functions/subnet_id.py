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
        Argument("NetworkZone", "The zone: `private` (unless written), `public`, ..."),
        Argument("AzIndex", "Which of its subnets, from 0; the first one unless written."),
    )
    example: ClassVar[Any] = {"NetworkZone": "private", "AzIndex": 0}

    def value(self, call: Call) -> Any:
        """The subnet as a CloudFormation value."""
        subnets = subnets_of(call, call.text("NetworkZone", "private"))
        index = call.text("AzIndex", "0")
        if not index.isdecimal() or int(index) >= len(subnets):
            raise call.fault(
                f"AzIndex must be a number from 0 to {len(subnets) - 1}, not {index[:20]!r}",
                "AzIndex",
                hint="the zone has that many subnets, see the facts AzCount and SubnetAliases",
            )
        return subnets[int(index)]
