"""The one function behind every task of the state machine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from pydantic import ValidationError

from core_lib.framework.errors import PayloadError
from core_lib.framework.models import Message
from core_lib.logging import bind
from core_lib.runner.stepfunctions.messages import Journey, Leg
from core_lib.runner.stepfunctions.passes import advance, look_ahead
from core_lib.runner.stepfunctions.problems import Problem
from core_lib.runner.stepfunctions.stages import broken, close, open_run, relay, settle
from core_lib.runner.stepfunctions.tools import Tools

Runs = Callable[[Coroutine[Any, Any, Any]], Any]
_STATIONS: Mapping[str, Callable[[Tools, Journey], Message]] = {
    "open": open_run, "settle": settle, "relay": relay, "close": close,
}  # fmt: skip


def handle(task: Mapping[str, Any], tools: Tools, seconds: float, run: Runs = asyncio.run) -> dict[str, Any]:
    """Do one task: `{"Step": ..., "With": state}` in, the new state out.

    `seconds` limits how long a pass goes on; it ends sooner when there is nothing to do. `run` runs a coroutine to its end.

    Raises:
        PayloadError: this is no task of the state machine.
        CoreError and others: the task failed; the state machine decides by the name of the class whether it tries again.
    """
    given = task.get("With")
    if not isinstance(given, Mapping):
        raise PayloadError("this is no task of the platform's state machine", where="With")
    state = dict(given)
    problem = state.pop("Problem", None)
    with bind(correlation_id=str(state.get("RunId"))):
        try:
            return _done(str(task.get("Step")), state, problem, tools, seconds, run)
        except ValidationError as error:
            raise PayloadError(f"the state of the execution cannot be read: {error.errors()[0]['msg']}", where="With") from error


def _done(step: str, state: dict[str, Any], problem: Any, tools: Tools, seconds: float, run: Runs) -> dict[str, Any]:
    if step == "advance":
        ahead: Leg = run(advance(tools, Leg.model_validate(state), seconds))
        return ahead.as_dict()
    if step == "open":
        run(look_ahead(tools, Journey.model_validate(state)))
    if step == "broken":
        return broken(tools, Journey.model_validate(state), Problem.model_validate(problem or {})).as_dict()
    if step not in _STATIONS:
        raise PayloadError(
            f"the state machine asks for {step!r}", where="Step", hint=", ".join(("advance", *_STATIONS, "broken"))
        )
    return _STATIONS[step](tools, Journey.model_validate(state)).as_dict()
