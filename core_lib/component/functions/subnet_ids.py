"""Fn::Pipeline::SubnetIds."""

from __future__ import annotations

from typing import Any, ClassVar

from core_lib.component.functions.function import Argument, Call, Function
from core_lib.component.functions.zones import subnets_of


class SubnetIds(Function):
    """All subnets of a network zone."""

    name = "SubnetIds"
    purpose = "All subnets of a network zone (fact `SubnetAliases`), as a list; as an item of a list it gives its items."
    arguments = (Argument("NetworkZone", "The zone: `private`, `public`, ...", required=True),)
    example: ClassVar[Any] = {"NetworkZone": "private"}

    def value(self, call: Call) -> list[Any]:
        """The subnets as CloudFormation values."""
        return list(subnets_of(call, call.text("NetworkZone")))
