"""What Prefect retries, and how the platform's errors become states that a person can read."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.states import Cancelled, Failed
from prefect.tasks import Task, exponential_backoff

from core_lib.framework.errors import CancelledError, CoreError
from core_lib.framework.models import Cause
from core_lib.helper import classify

P = ParamSpec("P")
R = TypeVar("R")

RETRIES = 3
_PASSING = (Cause.TRANSIENT, Cause.THROTTLED, Cause.TIMEOUT)


def passes_by_itself(error: BaseException) -> bool:
    """Whether an error is of the kind that a second attempt may not see again."""
    root = error.__cause__ if isinstance(error, CoreError) and error.__cause__ is not None else error
    return not isinstance(root, CoreError) and classify(root) in _PASSING


def worth_retrying(tried: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Prefect's question after a failed attempt, answered by the cause of the error."""
    _ = tried, run
    return isinstance(state.data, BaseException) and passes_by_itself(state.data)


def told(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Let a flow or Prefect task end in a state that carries the platform's error, instead of a traceback in its logs.

    Whoever awaits it gets the very same error raised. Errors that a retry may cure go on to Prefect as they are.
    """

    @functools.wraps(function)
    async def tell(*args: P.args, **kwargs: P.kwargs) -> Any:
        try:
            return await function(*args, **kwargs)
        except CancelledError as error:
            return Cancelled(message=str(error), data=error)
        except CoreError as error:
            if passes_by_itself(error):
                raise
            return Failed(message=str(error), data=error)

    # Prefect makes a form of the parameters: it has to find the types themselves, not their names in another module.
    signature = inspect.signature(function, eval_str=True)
    tell.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    tell.__dict__["__signature__"] = signature
    return tell


def aws_task(name: str) -> Callable[[Callable[P, Coroutine[Any, Any, R]]], Callable[P, Coroutine[Any, Any, R]]]:
    """A Prefect task that talks to AWS or the CMDB: retried with back-off and jitter when the cause is a passing one.

    Whoever awaits it gets the function's result, or its very error.
    """

    def wrap(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
        shown = task(
            name=name,
            retries=RETRIES,
            retry_delay_seconds=exponential_backoff(backoff_factor=2),
            retry_jitter_factor=0.5,
            retry_condition_fn=worth_retrying,
            cache_policy=NO_CACHE,
            persist_result=False,
        )(told(function))

        @functools.wraps(function)
        async def run(*args: P.args, **kwargs: P.kwargs) -> R:
            ask: Any = functools.partial(shown, return_state=True)
            state: State[R] = await ask(*args, **kwargs)
            return await state.aresult()

        return run

    return wrap
