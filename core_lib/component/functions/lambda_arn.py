"""Fn::Pipeline::LambdaArn."""

from __future__ import annotations

from typing import Any, ClassVar

from core_lib.component.functions.function import Argument, Call, Function
from core_lib.component.functions.outputs import BUILD, RELEASE, address, built, check_output, of_release
from core_lib.component.owners import address_of
from core_lib.framework.errors import ReferenceFault

FUNCTION_ARN, RELEASE_ARN = "FunctionArn", "ReleaseArn"


class LambdaArn(Function):
    """The ARN of a component's Lambda function."""

    name = "LambdaArn"
    purpose = "The ARN of the Lambda function of a component: of this build's function, or of the alias that moves at release."
    arguments = (
        Argument("Component", "Name of the component; the component itself unless written."),
        Argument("Scope", "`build`: this build's function; `release`: the released one.", choices=(BUILD, RELEASE)),
        Argument("Portfolio", "Portfolio of the component, if it is another one's."),
        Argument("App", "App of the component, if it is another one's."),
        Argument("Branch", "Branch of the component, if it is another one's."),
    )
    example: ClassVar[Any] = {"Component": "orders-fn", "Scope": "release"}

    def value(self, call: Call) -> dict[str, Any]:
        """The wire."""
        found = address(call) if "Component" in call else address_of(call.facts, call.component.name, {})
        if found.is_here:
            check_output(
                call, call.component if found.component == call.component.name else call.other(found.component), FUNCTION_ARN
            )
        if call.text("Scope", BUILD if found.is_here else RELEASE) == RELEASE:
            return of_release(call, found, RELEASE_ARN)
        if not found.is_here:
            raise call.fault("of another app or branch there is only the released function", "Scope", kind=ReferenceFault)
        return built(call, found.component, FUNCTION_ARN)
