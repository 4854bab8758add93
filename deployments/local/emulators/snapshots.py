"""Background saves by a forked child: a consistent picture of memory without stopping the server."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

_Scope = dict[str, Any]
_App = Callable[[_Scope, Any, Any], Awaitable[None]]

_SHORTEST_PAUSE = 2.0
_CHILD_SECONDS = 60


class Snapshots:
    """Saves after activity; never spends more than a twentieth of one core on it."""

    def __init__(self, save: Callable[[], None]) -> None:
        self._save = save
        self._active = threading.Event()

    def watch(self, app: _App) -> _App:
        """The application, with every request noted as activity."""

        async def watched(scope: _Scope, receive: Any, send: Any) -> None:
            if scope["type"] == "http" and not str(scope["path"]).startswith("/_ministack/health"):
                self._active.set()
            await app(scope, receive, send)

        return watched

    def keep_saving(self) -> None:
        """Save for ever, some time after the activity that made it necessary."""
        pause = _SHORTEST_PAUSE
        while True:
            self._active.wait()
            time.sleep(pause)
            self._active.clear()
            started = time.monotonic()
            if not self.save_in_child():
                self._active.set()
            pause = max(_SHORTEST_PAUSE, 19 * (time.monotonic() - started))

    def save_in_child(self) -> bool:
        """Fork, let the child save, wait for it; false if it failed or took too long.

        A lock that another thread held at the moment of the fork stays locked in the child: then the alarm ends it and the
        next attempt is made.
        """
        child = os.fork()
        if child == 0:
            _be_a_child(self._save)
        _, status = os.waitpid(child, 0)
        return status == 0


def _be_a_child(save: Callable[[], None]) -> None:
    code = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.alarm(_CHILD_SECONDS)
        os.closerange(3, 4096)
        os.nice(10)
        save()
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)
