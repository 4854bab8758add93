"""Errors on their way through the state machine: a name and a text there, a code, message and hint in the run record."""

from __future__ import annotations

import json

from pydantic import ValidationError

from core_lib.framework.errors import CoreError
from core_lib.framework.models import ErrorInfo, Message
from core_lib.helper import error_info

LONGEST_CAUSE = 8_000


class Problem(Message):
    """What a Catch puts into the state."""

    error: str = "Unknown"
    cause: str = ""

    @property
    def vague(self) -> bool:
        """Whether Step Functions itself made the error (a timeout, mostly), so that it says little about the reason."""
        return self.error.startswith("States.")

    def info(self, where: str) -> ErrorInfo:
        """The error as a run record has it."""
        try:
            found = json.loads(self.cause)
        except ValueError:
            found = None
        if isinstance(found, dict):
            try:
                return ErrorInfo.model_validate(found)
            except ValidationError:
                told = str(found.get("errorMessage") or self.cause)  # what Lambda makes of an exception
                return ErrorInfo(code=CoreError.code, message=f"{self.error}: {told}"[:LONGEST_CAUSE], where=where)
        return ErrorInfo(code=CoreError.code, message=f"{self.error}: {self.cause or 'no cause was told'}", where=where)


def told(error: BaseException) -> Problem:
    """An exception as the state machine is told of it: the name of its class decides about retries."""
    info = error_info(error)
    text = info.but(message=info.message[:LONGEST_CAUSE]).model_dump_json(by_alias=True, exclude_none=True)
    return Problem(error=type(error).__name__, cause=text)
