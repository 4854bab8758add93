"""Ending cleanly: Prefect's worker stops a cancelled flow run with SIGTERM, and kills it 30 s later.

Prefect's own answer to SIGTERM tears the event loop down in the middle of whatever it does. Here the signal asks the engine to
wind down instead. Every sub-flow that begins puts Prefect's handler back, so every stage listens again.
"""

from __future__ import annotations

import asyncio
import functools
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Concatenate, ParamSpec, TypeVar

from tasks.retries import told
from tasks.workshop import workshop

P = ParamSpec("P")
R = TypeVar("R")
Stop = Callable[[str], None]

REASON = "stopped by SIGTERM (cancelled in Prefect, or the worker is ending)"


@contextmanager
def on_terminate(stop: Stop) -> Iterator[None]:
    """While this is open, SIGTERM calls `stop` with the reason, on the event loop.

    Only the main thread can listen to signals; in any other one (tests, embedding) this does nothing.
    """
    before = signal.getsignal(signal.SIGTERM)
    listening = _listen(stop)
    try:
        yield
    finally:
        if listening:
            asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
            signal.signal(signal.SIGTERM, before)


def stage(
    function: Callable[Concatenate[str, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[str, P], Coroutine[Any, Any, R]]:
    """A sub-flow of a run (its first parameter is the run id): it listens to SIGTERM, and ends in a state that can be read."""

    @functools.wraps(function)
    async def begin(run_id: str, /, *args: P.args, **kwargs: P.kwargs) -> R:
        _listen(workshop(run_id).stop)
        return await function(run_id, *args, **kwargs)

    return told(begin)


def _listen(stop: Stop) -> bool:
    with suppress(ValueError, RuntimeError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop, REASON)
        return True
    return False
