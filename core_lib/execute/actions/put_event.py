"""SYSTEM::PutEvent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from core_lib.execute.action import Action, ActionContext
from core_lib.execute.fields import also_called
from core_lib.execute.steps import Again, Done, Step
from core_lib.framework.errors import PrnError
from core_lib.framework.models import Message, Prn
from core_lib.helper.clock import utc_now


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _prn(value: str) -> str:
    try:
        return str(Prn.parse(value))
    except PrnError as error:
        raise ValueError(error.message) from error


class PutEventParams(Message):
    """What happened, and to what."""

    type: Annotated[Literal["STATUS", "DEBUG", "INFO", "WARN", "ERROR"], BeforeValidator(_upper)] = Field(
        default="STATUS", description="What sort of event it is"
    )
    status: str = Field(min_length=1, max_length=100, description="Status in one word, e.g. DEPLOY_READY")
    message: str | None = Field(default=None, max_length=4000, description="The event in a sentence")
    identity: Annotated[str, AfterValidator(_prn)] | None = Field(
        default=None, validation_alias=also_called("identity", "Prn"), description="PRN it happened to; default: the deployment"
    )
    details: dict[str, Any] = Field(default_factory=dict, description="Anything else that is worth keeping")


Context = ActionContext[PutEventParams]


class PutEvent(Action[PutEventParams]):
    """Writes a line of history, exactly once however often it is tried."""

    kind = "SYSTEM::PutEvent"
    aliases = ("AWS::PutEvent",)
    purpose = "Adds an event to the history of the deployment, or of another PRN of the client."
    Params = PutEventParams
    example: ClassVar[Mapping[str, Any]] = {"Status": "DEPLOY_READY", "Message": "the shop takes orders", "Type": "STATUS"}

    def start(self, ctx: Context) -> Step:
        """Settle the time of the event, so that a second try writes the same event."""
        _ = ctx
        return Again(after=0, scratch={"at": utc_now().isoformat()})

    def check(self, ctx: Context) -> Step:
        """Write it."""
        params = ctx.params
        ctx.run.append_event(
            status=params.status, message=params.message, event_type=params.type, prn=params.identity,
            at=datetime.fromisoformat(ctx.scratch["at"]), key=ctx.token("event"), details=params.details,
        )  # fmt: skip
        return Done()

    def undo(self, ctx: Context) -> Step:
        """History is never taken back."""
        _ = ctx
        return Done(changed=False, message="history stays as it was written")
