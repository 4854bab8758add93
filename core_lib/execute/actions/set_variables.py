"""SYSTEM::SetVariables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.steps import Done, Step
from core_lib.framework.models import Message


class SetVariablesParams(Message):
    """Names and values. Values keep their types."""

    variables: dict[str, Any] = Field(description="Values by name; they keep their types")


class SetVariables(Action[SetVariablesParams]):
    """Stores values for later actions."""

    kind = "SYSTEM::SetVariables"
    purpose = "Stores values that later actions of the same target read as {{ vars.Name }}."
    Params = SetVariablesParams
    reads_only = True
    example: ClassVar[Mapping[str, Any]] = {"Variables": {"Subnets": "{{ outputs.network.Subnets }}", "Zones": 3}}

    def start(self, ctx: ActionContext[SetVariablesParams]) -> Step:
        """Over at once; numbers stay numbers and lists stay lists."""
        return Done(changed=False, variables=ctx.params.variables)
