"""Fn::Pipeline::LambdaVpcConfig."""

from __future__ import annotations

from typing import Any, ClassVar

from core_lib.component.functions.function import Argument, Call, Function
from core_lib.component.functions.zones import subnets_of

_USUAL_ZONE = "private"


class LambdaVpcConfig(Function):
    """Where a Lambda function has its network interfaces."""

    name = "LambdaVpcConfig"
    purpose = "The VpcConfig of a Lambda function: subnets of a zone and the component's security group, or none at all."
    arguments = (
        Argument("VpcAccess", "Whether the function is in the VPC.", required=True),
        Argument("NetworkZone", "The zone whose subnets it is in; `private` unless written."),
    )
    example: ClassVar[Any] = {"VpcAccess": True}

    def value(self, call: Call) -> dict[str, Any]:
        """The map, or CloudFormation's NoValue."""
        if not call.flag("VpcAccess", default=True):
            return {"Ref": "AWS::NoValue"}
        subnets = subnets_of(call, call.text("NetworkZone", _USUAL_ZONE))
        return {"SecurityGroupIds": [{"Ref": "SecurityGroupId"}], "SubnetIds": list(subnets)}
