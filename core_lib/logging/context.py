"""What every line of a run carries: correlation id, PRN, target. Kept in context variables, so it follows asyncio tasks and
`asyncio.to_thread` by itself; executors and plain threads take it along with `ContextExecutor` and `in_context`."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from structlog.contextvars import bind_contextvars, get_contextvars, reset_contextvars

P = ParamSpec("P")
R = TypeVar("R")


class Bound:
    """What `bind` gives back: used with `with`, the former values return at the end."""

    def __init__(self, tokens: Mapping[str, contextvars.Token[Any]]) -> None:
        self._tokens = tokens

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        reset_contextvars(**self._tokens)


def bind(**values: Any) -> Bound:
    """Put values (`correlation_id`, `prn`, `target` ...) on every line from here on; with `with`, only as long as that lasts."""
    return Bound(bind_contextvars(**{name: str(value) for name, value in values.items() if value is not None}))


def bound() -> dict[str, Any]:
    """The values that lines written here would carry."""
    return dict(get_contextvars())


def in_context(function: Callable[P, R]) -> Callable[P, R]:
    """The function, running with the context of this moment wherever and however often it is called."""
    context = contextvars.copy_context()

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return context.copy().run(function, *args, **kwargs)

    return run


class ContextExecutor(ThreadPoolExecutor):
    """A thread pool whose jobs see the context of whoever submitted them."""

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """See `ThreadPoolExecutor.submit`."""
        return super().submit(in_context(fn), *args, **kwargs)
