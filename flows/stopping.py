"""Ending cleanly: Prefect's worker stops a cancelled flow run with SIGTERM, and kills it 30 s later."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def on_terminate(stop: Callable[[str], None]) -> Iterator[None]:
    """While this is open, SIGTERM calls `stop` with the reason, on the event loop, instead of tearing the flow down.

    Only the main thread can listen to signals; in any other one (tests, embedding) this does nothing.
    """
    loop = asyncio.get_running_loop()
    try:
        before = signal.getsignal(signal.SIGTERM)
        loop.add_signal_handler(signal.SIGTERM, stop, "stopped by SIGTERM (cancelled in Prefect, or the worker is ending)")
    except (ValueError, RuntimeError):
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGTERM, before)
