"""SYSTEM::Wait."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from pydantic import Field, model_validator

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.steps import Again, Done, Step
from core_lib.framework.models import Message
from core_lib.helper.clock import utc_now

LONGEST = timedelta(days=14)


class WaitParams(Message):
    """How long."""

    seconds: float | None = Field(default=None, ge=0, le=LONGEST.total_seconds(), description="How long, in seconds")
    for_: timedelta | None = Field(
        default=None, ge=timedelta(0), le=LONGEST, alias="For", description="How long, as an ISO 8601 duration such as PT15M"
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> WaitParams:
        if (self.seconds is None) == (self.for_ is None):
            raise ValueError("give either Seconds or For")
        return self

    @property
    def duration(self) -> timedelta:
        """How long it waits."""
        return self.for_ if self.for_ is not None else timedelta(seconds=self.seconds or 0)


Context = ActionContext[WaitParams]


class Wait(Action[WaitParams]):
    """Lets time pass, e.g. between two waves. The time counts from its start, also while no worker is there."""

    kind = "SYSTEM::Wait"
    purpose = "Waits: a soak time between two waves, or until something slow has settled."
    Params = WaitParams
    outputs: ClassVar[Mapping[str, str]] = {"Until": "the moment it waited for, ISO 8601"}
    example: ClassVar[Mapping[str, Any]] = {"For": "PT15M"}

    def start(self, ctx: Context) -> Step:
        """Settle the moment, once and for all."""
        return self._remaining((utc_now() + ctx.params.duration).isoformat())

    def check(self, ctx: Context) -> Step:
        """Is it time?"""
        return self._remaining(ctx.scratch["until"])

    def cancel(self, ctx: Context) -> Step:
        """At once."""
        _ = ctx
        return Done(changed=False, message="waited no longer")

    def _remaining(self, until: str) -> Step:
        seconds = (datetime.fromisoformat(until) - utc_now()).total_seconds()
        if seconds <= 0:
            return Done(outputs={"Until": until}, changed=False)
        return Again(after=seconds, scratch={"until": until}, message=f"waits until {until}")
