"""Waves: the parts of a rollout, one after the other, and what has to hold before the next one begins."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from core_lib.framework.models.base import Message
from core_lib.framework.models.selection import Selection
from core_lib.framework.models.tolerance import Tolerance, number_or_percentage

REST = "rest"
_WAYS = ("alarm", "script", "http", "approval", "kind")


def _share(value: Any) -> Any:
    number_or_percentage(value)
    if isinstance(value, (str, int)) and int(str(value).rstrip("%")) == 0:
        raise ValueError("a share of nothing: a number of accounts (3) or a percentage of all targets ('5%')")
    return value


Share = Annotated[str | int, BeforeValidator(_share)]


class ApprovalGate(Message):
    """People who have to agree. Without `Approvers` those of the portfolio; `Quorum` of them, else one.

    `SelfApproval`: whether who asked for the run counts.
    """

    approvers: tuple[str, ...] = ()
    quorum: int | None = Field(default=None, ge=1)
    self_approval: bool = False
    message: str | None = None
    timeout: timedelta | None = Field(default=None, gt=timedelta(0))


class Gate(Message):
    """What has to succeed between two waves: exactly one of `Alarm`, `Script`, `Http`, `Approval`, or any `Kind` with its `Spec`.

    It runs in `Account` (id or name) and `Region`, else in the first target of its wave.
    """

    alarm: tuple[str, ...] | None = None
    script: dict[str, Any] | None = None
    http: dict[str, Any] | None = None
    approval: ApprovalGate | None = None
    kind: str | None = None
    spec: dict[str, Any] = Field(default_factory=dict)
    account: str | None = None
    region: str | None = None

    @field_validator("alarm", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        given = [name for name in _WAYS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("a gate is one of Alarm, Script, Http, Approval or Kind")
        if self.spec and self.kind is None:
            raise ValueError("a Spec needs a Kind")
        return self


class Wave(Message):
    """A part of a rollout. Its targets are those that no earlier wave has: by query, or a share of all, in whole accounts.

    After them come the count of failures (`Tolerance`), the time to wait (`Soak`) and the `Gates`, in this order.
    """

    name: str = Field(default="", pattern=r"^(?:[A-Za-z0-9][A-Za-z0-9 ._%-]{0,39})?$")
    targets: Selection | None = None
    share: Share | None = None
    soak: timedelta | None = Field(default=None, gt=timedelta(0))
    tolerance: Tolerance = 0
    gates: tuple[Gate, ...] = ()

    @model_validator(mode="after")
    def _takes_something(self) -> Self:
        if self.targets is not None and self.share is not None:
            raise ValueError("a wave has Targets or a Share, not both")
        if self.targets is None and self.share is None and not self.name:
            raise ValueError("a wave without Targets and Share is the last one, and needs a Name")
        return self

    @property
    def title(self) -> str:
        """The name it was given, else what it takes: `5%`, `3 accounts`, `targets`."""
        if self.name:
            return self.name
        if self.share is None:
            return "targets"
        return str(self.share) if str(self.share).endswith("%") else f"{self.share} accounts"


class PlanWave(Message):
    """A wave of a plan: its targets (`account/region`), what follows them in words, and the ids of the actions that do it."""

    name: str
    targets: tuple[str, ...]
    tolerance: Tolerance = 0
    steps: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
