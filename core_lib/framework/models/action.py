"""ActionSpec: one action as users write it, before it is expanded over targets."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Any, Literal

from pydantic import AliasChoices, Field, field_validator

from core_lib.framework.models.base import Message
from core_lib.framework.models.prn import Level
from core_lib.framework.models.selection import Selection

NAME_PATTERN = r"^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$"


class Cause(StrEnum):
    """Why an attempt failed; retries name the causes they are for."""

    TRANSIENT = "transient"
    THROTTLED = "throttled"
    TIMEOUT = "timeout"
    PERMANENT = "permanent"


class Retry(Message):
    """How often an action is tried in total, and after which causes."""

    attempts: int = Field(default=3, ge=1, le=20)
    on: tuple[Cause, ...] = (Cause.TRANSIENT, Cause.THROTTLED)


class Hook(Message):
    """A status event when an action starts running, completes or fails. `Component`: the event is about this component of the
    build, not about the deployment as far as the action's scope."""

    on: tuple[Literal["running", "complete", "failed"], ...] = ("complete", "failed")
    status: str | None = None
    message: str | None = None
    component: str | None = None


class Dependency(Message):
    """A dependency with its pairing.

    `target` = the instance in the same target (else all), `account` = those in the same account (else all), `all` = every one.
    """

    name: str
    scope: Literal["target", "account", "all"] = "target"


def _names(value: Any) -> Any:
    items = value if isinstance(value, (list, tuple)) else [value]
    return tuple({"Name": item} if isinstance(item, str) else item for item in items)


class ActionSpec(Message):
    """One action of a deployspec."""

    name: str = Field(pattern=NAME_PATTERN, validation_alias=AliasChoices("Name", "name", "Label", "label"))
    kind: str = Field(validation_alias=AliasChoices("Kind", "kind", "Type", "type"))
    depends_on: tuple[Dependency, ...] = ()
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    condition: str | None = None
    scope: Level | None = None
    save_outputs: bool = True
    retry: Retry = Field(default_factory=Retry)
    timeout: timedelta | None = Field(default=None, gt=timedelta(0))
    on_failure: Literal["stop", "continue", "undo"] = "stop"
    hooks: tuple[Hook, ...] = ()
    targets: Selection | None = None
    parameters: dict[str, Any] | None = None
    spec: dict[str, Any] = Field(default_factory=dict)

    _dependencies = field_validator("depends_on", mode="before")(_names)

    @field_validator("after", "before", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value
