"""Steps: what a method of an action answers, at once, without ever sleeping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core_lib.framework.models import Cause


@dataclass(frozen=True, slots=True)
class Done:
    """The action (or its undoing, or its cancelling) is over.

    `changed` says whether anything in the cloud is different now; `variables` are for later actions of the same target.
    """

    outputs: Mapping[str, Any] = field(default_factory=dict)
    changed: bool = True
    message: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Again:
    """Not there yet: look again after this many seconds. None = the platform's own polling curve.

    `scratch` replaces what the action remembers between steps; None keeps it. It is in the ledger before the next step.
    `parked`: it waits for people, perhaps for days: the run may be put away as a whole until somebody wakes it up, and is looked
    at again then. Such a step needs a scratch.
    """

    after: float | None = None
    scratch: Mapping[str, Any] | None = None
    message: str | None = None
    parked: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """The action ended in failure. `code` is a stable error code, `cause` decides whether it is tried again."""

    message: str
    cause: Cause = Cause.PERMANENT
    hint: str | None = None
    code: str = "CORE-4003"


Step = Done | Again | Failed
