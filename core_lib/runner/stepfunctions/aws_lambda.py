"""The Lambda function behind the state machine's tasks: `core_lib.runner.stepfunctions.aws_lambda.handler`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

from core_lib.framework.settings import load_settings
from core_lib.logging import configure
from core_lib.runner.stepfunctions.handling import handle
from core_lib.runner.stepfunctions.tools import Tools

RESERVE_SECONDS = 30.0
"""What is kept back of the function's time: for steps under way, the last rows of the ledger, and the answer."""


class Context(Protocol):
    """What Lambda tells a function about its invocation, as far as it is used here.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
    """

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""


@cache
def _tools() -> Tools:
    """Kept as long as Lambda keeps this process: clients, assumed roles and plans serve the next invocation too."""
    settings = load_settings()
    configure(settings)
    return Tools(settings)


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Do one task of the state machine within the time that the function has. Errors are raised: Lambda tells their class."""
    tools = _tools()
    left = context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS
    return handle(event, tools, max(0.0, min(tools.settings.stepfunctions.shift_seconds, left)))
