"""Fn::Pipeline::GetOutput."""

from __future__ import annotations

from typing import Any, ClassVar

from core_lib.component.functions.function import Argument, Call, Function
from core_lib.component.functions.outputs import BUILD, RELEASE, address, built, check_output, of_release
from core_lib.framework.errors import ReferenceFault


class GetOutput(Function):
    """An output of another component."""

    name = "GetOutput"
    purpose = (
        "An output of another component: of this build, which makes the component wait for it, or of what is released (also of "
        "another branch or app)."
    )
    arguments = (
        Argument("Component", "Name of the component.", required=True),
        Argument("OutputName", "Name of the output; `core component show TYPE` lists them.", required=True),
        Argument(
            "Scope",
            "`build`: this build's; `release`: the released one's, the only one of another app.",
            choices=(BUILD, RELEASE),
        ),
        Argument("Portfolio", "Portfolio of the component, if it is another one's."),
        Argument("App", "App of the component, if it is another one's."),
        Argument("Branch", "Branch of the component, if it is another one's."),
    )
    example: ClassVar[Any] = {"Component": "orders", "OutputName": "TableName"}

    def value(self, call: Call) -> dict[str, Any]:
        """The wire."""
        found, output = address(call), call.text("OutputName")
        scope = call.text("Scope", BUILD if found.is_here else RELEASE)
        if found.is_here:
            check_output(call, call.other(found.component), output)
        if scope == RELEASE:
            return of_release(call, found, output)
        if not found.is_here:
            raise call.fault(
                "of another app or branch there are the outputs of what is released",
                "Scope",
                hint="Scope: release",
                kind=ReferenceFault,
            )
        if found.component == call.component.name:
            raise call.fault(
                "a component cannot wait for itself",
                "Component",
                hint="use Ref or Fn::GetAtt with the key of the resource",
                kind=ReferenceFault,
            )
        return built(call, found.component, output)
