"""SYSTEM::NoOp."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.steps import Done, Step
from core_lib.framework.models import Message


class NoOpParams(Message):
    """NoOp takes a message that appears in the ledger."""

    message: str | None = Field(default=None, description="What appears in the ledger")


class NoOp(Action[NoOpParams]):
    """Does nothing, successfully."""

    kind = "SYSTEM::NoOp"
    purpose = "Does nothing: a meeting point for dependencies, a place to hang hooks on."
    Params = NoOpParams
    reads_only = True
    example: ClassVar[Mapping[str, Any]] = {"Message": "everything in this account is ready"}

    def start(self, ctx: ActionContext[NoOpParams]) -> Step:
        """Over at once."""
        return Done(changed=False, message=ctx.params.message)
